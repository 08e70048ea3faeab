package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"holdfast"
)

const schemas = "../docs/schema/commands"

// The schemas say what the code says: each argument is right for both or wrong for both. There is one for each command, and a
// line in docs/commands.md.
func TestSchemas(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(schemas + "/*.json")
	if err != nil || len(files) != len(commands) {
		t.Errorf("%d schemas of %d commands, %v", len(files), len(commands), err)
	}
	examples := map[string][]string{
		"sample_now":   {`{"sensor":"bme280-1-76"}`, `{"sensor":"A"}`, `{"sensor":7}`},
		"set_interval": {`{"seconds":0.1}`, `{"seconds":86400,"sensor":"a"}`, `{"seconds":0.09}`, `{"seconds":86401}`, `{"sensor":"a"}`, `{"seconds":"5"}`, `{"seconds":5,"sensor":"A b"}`, `{"second":5}`},
		"set_config":   {`{"settings":{"measuring":true}}`, `{"settings":{"measuring":null}}`, `{"settings":{}}`, `{"settings":[]}`, `{"measuring":true}`},
		"set_rules":    {`{"version":1,"yaml":"x"}`, `{"version":0,"yaml":"x"}`, `{"yaml":"x"}`, `{"version":"1","yaml":"x"}`, `{"version":1,"yaml":1}`},
		"ack_alert":    {`{"alert":"a1"}`, `{"alert":"a1","by":"ann"}`, `{"alert":""}`, `{"alert":"a1","by":""}`, `{"by":"ann"}`, `{"alert":7}`, `{"alert":"` + strings.Repeat("x", 65) + `"}`},
		"identify":     {`{"seconds":1}`, `{"seconds":300}`, `{"seconds":0.9}`, `{"seconds":301}`, `{"seconds":"1"}`},
		"set_output": {
			`{"name":"fan","on":true}`, `{"name":"fan","on":false}`, `{"name":"fan","on":true,"seconds":0.1}`, `{"name":"fan","on":true,"seconds":0}`,
			`{"name":"fan","on":1}`, `{"name":"Fan","on":true}`, `{"name":"a.b","on":true}`, `{"name":"fan"}`, `{"on":true}`, `{"name":"fan","on":true,"seconds":"1"}`,
		},
		"send_measurements": {
			`{"count":1}`, `{"count":1000000,"lane":"alert"}`, `{"count":0}`, `{"count":1000001}`, `{"count":1.5}`, `{"count":1,"lane":"best"}`,
			`{"stream":"00112233445566778899aabbccddeeff","first":1,"last":2}`, `{"stream":"0011","first":1,"last":2}`, `{"first":1,"last":2}`,
			`{"stream":"00112233445566778899aabbccddeeff","first":0,"last":2}`, `{"stream":"00112233445566778899aabbccddeeff","first":1}`,
			`{"from":"2026-05-01T12:00:00Z","to":"2026-05-01T12:00:00Z"}`, `{"from":"2026-05-01T12:00:00Z"}`, `{"from":"yesterday","to":"today"}`,
			`{"count":1,"first":1}`, `{"count":1,"page":"00112233445566778899aabbccddeeff.1.2"}`, `{"count":1,"page":"` + strings.Repeat("x", 101) + `"}`,
		},
	}
	right, wrong := 0, 0
	for _, known := range commands {
		data, err := os.ReadFile(filepath.Join(schemas, known.name+".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		var schema map[string]any
		if err := json.Unmarshal(data, &schema); err != nil {
			t.Errorf("%s: %v", known.name, err)
		}
		o, _ := able(&store{})
		c := open(t, o)
		for _, args := range append(examples[known.name], `{}`, `{"loud":true}`, `[]`, `"x"`) {
			var value any
			if err := json.Unmarshal([]byte(args), &value); err != nil {
				t.Fatal(err)
			}
			said := conforms(schema, value)
			_, fault := known.plan(c, json.RawMessage(args))
			if fault != nil && fault.Code == holdfast.CodeUnsupported {
				continue
			}
			if (said == nil) != (fault == nil) {
				t.Errorf("%s %s: the schema says %v, the code %v", known.name, args, said, fault)
			}
			if fault == nil {
				right++
			} else {
				wrong++
			}
		}
	}
	if right < 20 || wrong < 50 {
		t.Errorf("%d right and %d wrong examples", right, wrong)
	}
}

// docs/commands.md has a line for each command of the table, in its order, and names no other.
func TestCommandsPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "<!-- commands -->")
	table, _, _ = strings.Cut(table, "\n\n") // as far as the table goes
	var named []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)`").FindAllStringSubmatch(table, -1) {
		named = append(named, row[1])
	}
	expect(t, "commands", named, Commands()...)
}

// conforms returns why the value does not conform to the schema, in the words of JSON schema that ours use.
func conforms(schema map[string]any, value any) error {
	if choices, ok := schema["oneOf"].([]any); ok {
		fits := 0
		for _, choice := range choices {
			if conforms(choice.(map[string]any), value) == nil {
				fits++
			}
		}
		if fits != 1 {
			return fmt.Errorf("fits %d of %d", fits, len(choices))
		}
	}
	if allowed, ok := schema["enum"].([]any); ok && !slices.Contains(allowed, value) {
		return fmt.Errorf("%v is none of %v", value, allowed)
	}
	switch want := schema["type"]; v := value.(type) {
	case map[string]any:
		if want != "object" && want != nil {
			return fmt.Errorf("an object, want %v", want)
		}
		return members(schema, v)
	case string:
		if want != "string" && want != nil {
			return fmt.Errorf("a string, want %v", want)
		}
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			return fmt.Errorf("%q does not match %s", v, pattern)
		}
		if least, ok := schema["minLength"].(float64); ok && len(v) < int(least) {
			return fmt.Errorf("%d characters", len(v))
		}
		if most, ok := schema["maxLength"].(float64); ok && len(v) > int(most) {
			return fmt.Errorf("%d characters", len(v))
		}
	case float64:
		if want != "number" && !(want == "integer" && v == float64(int64(v))) {
			return fmt.Errorf("%v, want %v", v, want)
		}
		low, isLow := schema["minimum"].(float64)
		high, isHigh := schema["maximum"].(float64)
		if isLow && v < low || isHigh && v > high {
			return fmt.Errorf("%v is out of range", v)
		}
	case bool:
		if want != "boolean" {
			return fmt.Errorf("a boolean, want %v", want)
		}
	default:
		if want != nil {
			return fmt.Errorf("%T, want %v", value, want)
		}
	}
	return nil
}

func members(schema, object map[string]any) error {
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := object[name.(string)]; !ok {
			return fmt.Errorf("%s is missing", name)
		}
	}
	if least, ok := schema["minProperties"].(float64); ok && len(object) < int(least) {
		return fmt.Errorf("%d members", len(object))
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		property, known := properties[name].(map[string]any)
		if !known && schema["additionalProperties"] == false {
			return fmt.Errorf("%s is unknown", name)
		}
		if known {
			if err := conforms(property, object[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}
