package holdfast

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"strings"
	"unicode"
)

// A Broker is the value of the setting [SettingBroker]: a join string; or host and port with TLS, the authorities to trust
// there (PEM; none: the system's) and credentials; or nothing, for the broker that the configuration names.
type Broker struct {
	Join     string `json:"join,omitempty"`
	Host     string `json:"host,omitempty"`
	Port     int    `json:"port,omitempty"`
	TLS      bool   `json:"tls,omitempty"`
	CA       string `json:"ca,omitempty"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// concealed stands for a secret where a setting is shown.
const concealed = "(set)"

// ParseBroker reads the value of the setting [SettingBroker]. Its errors quote no secret.
func ParseBroker(value json.RawMessage) (b Broker, err error) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&b) != nil || IsNull(value) { // the error may hold a part of the value
		return Broker{}, invalid(SettingBroker, "want an object: join; or host, port, tls, ca, username, password; or {} for what the configuration says")
	}
	if err := b.Validate(); err != nil {
		return Broker{}, err
	}
	return b, nil
}

// Validate returns an error unless a gateway could use it.
func (b *Broker) Validate() error {
	wrong := func(format string, args ...any) error { return invalid(SettingBroker, format, args...) }
	switch {
	case *b == (Broker{}):
		return nil
	case b.Join != "":
		if *b != (Broker{Join: b.Join}) {
			return wrong("join: says all of it: want nothing beside it")
		}
		_, err := ParseJoin(b.Join)
		return err
	case b.Host == "" || len(b.Host) > maxHost || strings.ContainsFunc(b.Host, notOfHost):
		return wrong("host: want a name or an address of at most %d bytes", maxHost)
	case b.Port < 1 || b.Port > 65535:
		return wrong("port: %d: want 1 to 65535", b.Port)
	case len(b.Username) > maxSecret || strings.ContainsFunc(b.Username, unicode.IsControl):
		return wrong("username: want at most %d characters", maxSecret)
	case len(b.Password) > maxSecret || strings.ContainsFunc(b.Password, unicode.IsControl):
		return wrong("password: want at most %d characters", maxSecret)
	case b.Password == concealed:
		return wrong("password: %s stands for one that is not shown: want the password", concealed)
	case b.Password != "" && b.Username == "":
		return wrong("password: is nothing without a username")
	case b.CA != "" && !b.TLS:
		return wrong("ca: is nothing without tls")
	case len(b.CA) > maxJoin || b.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(b.CA)):
		return wrong("ca: want certificates in PEM, at most %d bytes", maxJoin)
	}
	return nil
}

// ConcealArguments returns the arguments of a command as they may be shown: without the secrets of settings.
func ConcealArguments(name string, args json.RawMessage) json.RawMessage {
	if name == "set_rules" {
		return concealRules(args)
	}
	var all, settings map[string]json.RawMessage
	if name != "set_config" || json.Unmarshal(args, &all) != nil || json.Unmarshal(all["settings"], &settings) != nil {
		return args
	}
	open := true
	for _, key := range []string{SettingBroker, SettingRules} {
		if value, there := settings[key]; there {
			settings[key], open = ConcealSetting(key, value), false
		}
	}
	if open {
		return args
	}
	shown, err := json.Marshal(settings)
	if err == nil {
		all["settings"] = shown
		shown, err = json.Marshal(all)
	}
	if err != nil {
		return nil
	}
	return shown
}

// ConcealSetting returns the value as it may be shown: without its secrets.
func ConcealSetting(key string, value json.RawMessage) json.RawMessage {
	switch key {
	case SettingBroker:
		return concealBroker(value)
	case SettingRules:
		return concealRules(value)
	}
	return value
}

func concealBroker(value json.RawMessage) json.RawMessage {
	b, err := ParseBroker(value)
	if err != nil {
		return json.RawMessage("null")
	}
	if j, err := ParseJoin(b.Join); err == nil {
		b = Broker{Join: concealed, Host: j.Host, Port: j.Port, TLS: j.TLS, Username: j.Device}
	}
	for _, secret := range []*string{&b.Password, &b.CA} {
		if *secret != "" {
			*secret = concealed
		}
	}
	shown, err := json.Marshal(b)
	if err != nil {
		return json.RawMessage("null")
	}
	return shown
}
