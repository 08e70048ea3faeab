package rules

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

// acts is a list of actions behind a threshold, as a document has it.
func acts(lines ...string) string {
	return "version: 1\nrules:\n  - name: a\n    threshold: {quantity: q, above: 1}\n    actions:\n      - " + strings.Join(lines, "\n      - ") + "\n"
}

func TestParseActions(t *testing.T) {
	t.Parallel()
	set, err := Parse("f", []byte(acts(
		"output: {name: fan, state: on, max: 30m}",
		"output: {name: horn, state: pulse, for: 2s}",
		"output: {name: heater, state: off}",
		"interval: {every: 1s, for: 10m}",
		`interval: {every: 100ms, sensor: "bme280-*"}`,
		`webhook: {url: "http://192.168.1.20:8123/api/webhook/co2"}`)+
		"  - name: b\n    schedule: {cron: \"0 6 * * *\"}\n    actions: [{output: {name: lamp, state: on}}, {interval: {every: 2s, for: 1m}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]Action{{
		{Kind: ActionOutput, Output: "fan", State: StateOn, Max: 30 * time.Minute},
		{Kind: ActionOutput, Output: "horn", State: StatePulse, For: 2 * time.Second},
		{Kind: ActionOutput, Output: "heater", State: StateOff},
		{Kind: ActionInterval, Every: time.Second, For: 10 * time.Minute},
		{Kind: ActionInterval, Every: 100 * time.Millisecond, Sensor: "bme280-*"},
		{Kind: ActionWebhook, URL: "http://192.168.1.20:8123/api/webhook/co2"},
	}, {
		{Kind: ActionOutput, Output: "lamp", State: StateOn},
		{Kind: ActionInterval, Every: 2 * time.Second, For: time.Minute, Sensor: "*"},
	}} {
		got, wanted := plain(t, set.rules[i].actions), plain(t, want)
		if got != wanted {
			t.Errorf("rule %d: got\n%s, want\n%s", i, got, wanted)
		}
	}
}

// plain shows actions with their URLs.
func plain(t *testing.T, actions []Action) string {
	t.Helper()
	text, err := json.Marshal(actions)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestParseActionMistakes(t *testing.T) {
	t.Parallel()
	const at = "f:6: rules[0].actions[0]"
	many := strings.Repeat("webhook: {url: \"http://10.0.0.1\"}\n      - ", 8)
	tests := []struct{ name, text, want string }{
		{"no list", "version: 1\nrules:\n  - {name: a, threshold: {quantity: q, above: 1}, actions: {output: x}}\n", "f:3: rules[0].actions: want a list"},
		{"a word", acts("fan"), at + `: "fan": want a mapping`},
		{"nothing", acts("{}"), at + ": no action: want one of output, interval, webhook"},
		{"unknown", acts("outputs: {name: fan, state: on}"), at + ".outputs: no such key: did you mean output?"},
		{"two", acts("{output: {name: fan, state: on}, webhook: {url: http://10.0.0.1}}"), at + ".webhook: a second action beside output: want one for each element of the list"},
		{"too many", acts(many + "webhook: {url: http://10.0.0.1}"), "f:14: rules[0].actions: more than 8"},
		{"of a kind that raises nothing", "version: 1\nrules:\n  - {name: a, deadband: {absolute: 1}, actions: []}\n",
			"f:3: rules[0].actions: a rule of kind deadband has none: want one of threshold, rate, absence, anomaly, trend, schedule"},
		{"output of nothing", acts("output: {}"), at + ".output.name: is missing\n" + at + ".output.state: want on, off or pulse"},
		{"output's name", acts("output: {name: Fan, state: true}"), at + ".output.name: invalid output: \"Fan\": want 1 to 64 of a-z 0-9 _ -\n" + at + `.output.state: "true": want on, off or pulse`},
		{"pulse without end", acts("output: {name: horn, state: pulse}"), at + ".output.for: is missing: want how long the pulse is, 100ms to 1h0m0s"},
		{"long pulse", acts("output: {name: horn, state: pulse, for: 2h}"), at + ".output.for: 2h0m0s: want 100ms to 1h0m0s"},
		{"on for", acts("output: {name: fan, state: on, for: 2s}"), at + ".output.for: belongs to state: pulse; with state: on want max"},
		{"off at most", acts("output: {name: fan, state: off, max: 2s}"), at + ".output.max: belongs to state: on"},
		{"max of zero", acts("output: {name: fan, state: on, max: 0s}"), at + ".output.max: 0s: want 1s to 168h0m0s"},
		{"twice", acts("output: {name: fan, state: on}", "output: {name: fan, state: off}"), "f:7: rules[0].actions[1]: output fan has an action in this rule already: want one"},
		{"interval", acts("interval: {for: 25h, sensor: 'a['}"), at + ".interval.for: 25h0m0s: want 0s to 24h0m0s\n" + at + ".interval.sensor: \"a[\" is not a glob of at most 64 characters\n" + at + ".interval.every: is missing: want 100ms to 24h0m0s"},
		{"negative", acts("interval: {every: -1s}"), at + ".interval.every: -1s: want 100ms to 24h0m0s"},
		{"webhook of nothing", acts("webhook: {}"), at + ".webhook.url: is missing: want one like http://192.168.1.20:8123/api/webhook/name"},
		{"schedule", "version: 1\nrules:\n  - name: a\n    schedule: {cron: \"0 6 * * *\"}\n    actions:\n      - interval: {every: 1s}\n      - webhook: {url: \"http://10.0.0.1\"}\n",
			at + ".interval.for: want how long, since nothing ends what a schedule begins: up to 24h0m0s\nf:7: rules[0].actions[1].webhook: belongs to a rule that raises alerts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse("f", []byte(tt.text)); err == nil || err.Error() != tt.want {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

// A URL is one of the local network, and whatever is wrong with it, the mistake does not show it.
func TestURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://127.0.0.1/s3cret":                      "",
		"http://[::1]:80/s3cret":                       "",
		"https://[fd00::1]/s3cret?k=s3cret":            "",
		"http://homeassistant.local/s3cret":            "",
		"http://169.254.1.2/s3cret":                    "",
		"http://93.184.216.34/s3cret":                  "not in a local network",
		"http://[2606:2800::1]/s3cret":                 "not in a local network",
		"http://0.0.0.0/s3cret":                        "not in a local network",
		"ftp://10.0.0.1/s3cret":                        "want http or https",
		"10.0.0.1/s3cret":                              "want http or https",
		"http:///s3cret":                               "names no host",
		"http://u:s3cret@10.0.0.1/":                    "name or password",
		"http://10.0.0.1/#s3cret":                      "behind #",
		"http://10.0.0.1/(set)":                        "written anew",
		"http://10.0.0.1/a,s3cret":                     "nothing but letters",
		"http://10.0.0.1/a s3cret":                     "nothing but letters",
		"http://10.0.0.1/a'b{s3cret}":                  "nothing but letters",
		"http://10.0.0.1/\u00fcs3cret":                 "nothing but letters",
		"http://10.0.0.1:port/s3cret":                  "is no URL",
		"http://10.0.0.1/a]s3cret":                     "nothing but letters",
		"http://10.0.0.1/" + strings.Repeat("x", 1010): "want at most 1024",
	} {
		set, err := Parse("f", []byte(acts(fmt.Sprintf("webhook: {url: %q}", url))))
		if want == "" {
			if err != nil || len(set.rules) != 1 {
				t.Errorf("%s: %v", url, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f:6: rules[0].actions[0].webhook.url: ") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	for _, written := range []string{`"http://10.0.0.1/\x61s3cret"`, "\"http://10.0.0.1/\\\n          s3cret\"", "[http://10.0.0.1/s3cret]"} {
		if _, err := Parse("f", []byte(acts("webhook:\n          url: "+written))); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", written, err)
		}
	}
	u := URL("http://10.0.0.1:8123/s3cret?k=s3cret")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "url", u, "action", Action{URL: u})
	shown := fmt.Sprint(u, Action{URL: u}, Order{Action: Action{URL: u}}) + fmt.Sprintf("%s %q %+v %#v", u, u, u, &Action{URL: u}) + log.String()
	if strings.Contains(shown, "s3cret") || !strings.Contains(shown, "http://10.0.0.1:8123") {
		t.Errorf("shows %s", shown)
	}
}

func TestMissingOutputs(t *testing.T) {
	t.Parallel()
	set, err := Parse("f", []byte(acts("output: {name: fan, state: on}", "interval: {every: 1s}", "output: {name: horn, state: off}")))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		has  []string
		want []string
	}{
		{[]string{"horn", "fan"}, nil},
		{[]string{"fan", "lamp"}, []string{"f:8: rules[0].actions[2]: rule a switches output horn: this device has fan, lamp"}},
		{nil, []string{"f:6: rules[0].actions[0]: rule a switches output fan: this device has no outputs", "f:8: rules[0].actions[2]: rule a switches output horn: this device has no outputs"}},
	} {
		var got []string
		for _, m := range set.Missing(tt.has) {
			got = append(got, m.Error())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("outputs %q: got\n%q, want\n%q", tt.has, got, tt.want)
		}
	}
}

// Another action makes a rule another one.
func TestActionsDefineARule(t *testing.T) {
	t.Parallel()
	parse := func(action string) *Set {
		set, err := Parse("f", []byte(acts(action)))
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	on, again, longer := parse("output: {name: fan, state: on}"), parse("output: {name: fan, state: on}"), parse("output: {name: fan, state: on, max: 1m}")
	if len(on.Unchanged(again)) != 1 || len(on.Unchanged(longer)) != 0 {
		t.Errorf("unchanged: %q, %q", on.Unchanged(again), on.Unchanged(longer))
	}
}
