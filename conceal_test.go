package holdfast

import (
	"encoding/json"
	"testing"
)

// The rules are shown without what stands behind the hosts of their webhooks, however they are written.
func TestConcealRules(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"":                                 "",
		"name: a # no URL":                 "name: a # no URL",
		"url: http://10.0.0.1":             "url: http://10.0.0.1",
		"url: http://10.0.0.1/s\nx: y":     "url: http://10.0.0.1/(set)\nx: y",
		"{url: HTTP://h.local:81?k=s&l=s}": "{url: HTTP://h.local:81/(set)}",
		"[{url: \"https://[fe80::1]:81/s/s\"}, x]": "[{url: \"https://[fe80::1]:81/(set)\"}, x]",
		"u: 'http://h/s' # and http://i/s":         "u: 'http://h/(set)' # and http://i/(set)",
		"[http://h/s]":                             "[http://h/(set)]",
		"http:///s":                                "http:///(set)",
	} {
		value, err := json.Marshal(RuleSet{Version: 1, YAML: yaml})
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []json.RawMessage{ConcealSetting(SettingRules, value), ConcealArguments("set_rules", value)} {
			var set RuleSet
			if err := json.Unmarshal(shown, &set); err != nil || set.YAML != want || set.Version != 1 {
				t.Errorf("%q: %v, %+v, want %q", yaml, err, set, want)
			}
		}
		args := `{"settings":{"measuring":true,"rules":` + string(value) + `}}`
		var raw struct{ Settings map[string]json.RawMessage }
		if err := json.Unmarshal(ConcealArguments("set_config", json.RawMessage(args)), &raw); err != nil {
			t.Fatal(err)
		}
		var set RuleSet
		if err := json.Unmarshal(raw.Settings["rules"], &set); err != nil || set.YAML != want || string(raw.Settings["measuring"]) != "true" {
			t.Errorf("set_config %q: %v, %s, want %q", yaml, err, raw.Settings["rules"], want)
		}
	}
	if got := string(ConcealSetting(SettingRules, json.RawMessage("7"))); got != "null" {
		t.Errorf("no rules are shown as %s", got)
	}
	if got := string(ConcealArguments("set_rules", json.RawMessage("7"))); got != "null" {
		t.Errorf("no arguments are shown as %s", got)
	}
}

// What was hidden comes back where it can only be one thing, and never at another host.
func TestRevealURLs(t *testing.T) {
	t.Parallel()
	const from = "a: http://h:81/one # again http://h:81/one\nb: http://i/x\nc: http://i/y\n"
	for shown, want := range map[string]string{
		"":                               "",
		"a: 'http://h:81/(set)'":         "a: 'http://h:81/one'",
		"a: http://h:82/(set)":           "a: http://h:82/(set)",
		"b: http://i/(set)":              "b: http://i/(set)",
		"a: http://h:81/two":             "a: http://h:81/two",
		"http://j/(set)":                 "http://j/(set)",
		"http://h:81.evil.example/(set)": "http://h:81.evil.example/(set)",
	} {
		if got := RevealURLs(shown, from); got != want {
			t.Errorf("%q: got %q, want %q", shown, got, want)
		}
	}
}
