package main

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"holdfast"
)

// A ConfigValue is one value of the configuration as it holds, and where it is from.
type ConfigValue struct {
	Key    string `json:"key"`
	Value  string `json:"value"`  // of a secret only that it is set
	Source string `json:"source"` // default, join, file, variable and its name, or last known good
}

// sourceDefault is where a value is from that nothing and nobody has set.
const sourceDefault = "default"

// concealed stands for a secret.
const concealed = "(set)"

// effective returns what holds of join string, file and variables, in the order of the table, and the secrets among it, which
// the values do not show. A value that is wrong does not hold.
func effective(join *holdfast.Join, text []byte, getenv func(string) string) (values []ConfigValue, secrets []string) {
	written, given := flatten(text), joinedParts(join)
	for _, s := range scalars() {
		v := ConfigValue{Key: s.path, Value: s.fallback, Source: sourceDefault}
		if value := given[s.path]; value != "" {
			v.Value, v.Source = value, "join"
		}
		take := func(value, source string) {
			if s.secret && value != "" { // also one that is wrong: it may be nearly right
				secrets = append(secrets, value)
			}
			if s.set(new(Config), value) == nil {
				v.Value, v.Source = value, source
			}
		}
		if value, ok := written[s.path]; ok {
			take(value, "file")
		}
		for _, name := range s.variables() {
			if value := getenv(name); value != "" {
				take(value, "variable "+name)
				break
			}
		}
		if s.path == "rules.text" && v.Value != "" {
			v.Value = fmt.Sprintf("(%d bytes)", len(v.Value))
		}
		if v.Value != "" && (s.secret || strings.Contains(v.Value, "PRIVATE KEY")) {
			v.Value = concealed
		}
		values = append(values, v)
	}
	return values, secrets
}

// joinedParts returns what a join string says, by the key that would say it in a file; see Config.adopt.
func joinedParts(j *holdfast.Join) map[string]string {
	if j == nil {
		return nil
	}
	all := map[string]string{
		"device.id": j.Device, "mqtt.host": j.Host, "mqtt.port": strconv.Itoa(j.Port), "mqtt.username": j.Device, "mqtt.password": string(j.Secret),
		"mqtt.tls_enable": strconv.FormatBool(j.TLS), "mqtt.ack": string(holdfast.AckReceipt), "mqtt.store": j.Store.String(), "topic.prefix": j.Prefix,
	}
	if len(j.CA) > 0 {
		all["mqtt.tls_ca_certs"] = "(" + count(len(j.CA), "certificate") + ")"
	}
	return all
}

// flatten returns the scalars of a YAML text by their paths; nothing of a text that is none.
func flatten(text []byte) map[string]string {
	out := make(map[string]string)
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) == nil && len(doc.Content) > 0 {
		descend("", doc.Content[0], out)
	}
	return out
}

func descend(path string, node *yaml.Node, out map[string]string) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			descend(strings.TrimPrefix(path+"."+node.Content[i].Value, "."), node.Content[i+1], out)
		}
	case yaml.ScalarNode:
		out[path] = node.Value
	}
}

// groupNames reads the configuration's list of groups.
func groupNames(cfg *Config, value string) error {
	var groups []string
	for name := range strings.SplitSeq(value, ",") {
		groups = append(groups, strings.TrimSpace(name))
	}
	if err := holdfast.CheckGroups(groups); err != nil {
		return err
	}
	cfg.Groups = groups
	return nil
}
