package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each kind says what it does, when an alert ends, and what it switches.
func TestExplain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"threshold: {sensor: 'scd4x-*', quantity: co2_ppm, above: 1000, clear: 800, for: 1m, latch: true, cooldown: 1h30m}": "Raises an alert (warning) when co2_ppm of any sensor scd4x-* is above 1000, for 1m without a break; " +
			"after an alert has ended, the next one comes 1h30m later at the earliest. An alert clears when the value is at most 800 and somebody has acknowledged it.",
		"threshold: {quantity: t_celsius, at_most: -18, severity: critical}":            "Raises an alert (critical) when t_celsius of any sensor is at most -18. An alert clears when the value is above -18.",
		"threshold: {quantity: t_celsius, outside: [2, 8], clear: [3, 7]}":              "when t_celsius of any sensor is below 2 or above 8. An alert clears when the value is from 3 to 7.",
		"threshold: {quantity: t_celsius, between: [2, 8]}":                             "when t_celsius of any sensor is from 2 to 8. An alert clears when the value is below 2 or above 8.",
		"threshold: {quantity: t_celsius, equal: 0}":                                    "is 0. An alert clears when the value is not 0.",
		"threshold: {quantity: t_celsius, not_equal: 0}":                                "is not 0. An alert clears when the value is 0.",
		"rate: {quantity: t_celsius, below: -2, over: 5m}":                              "when the change of t_celsius of any sensor in 1m, against the value of 5m ago, is below -2. An alert clears when the value is at least -2.",
		"absence: {sensor: bme280-1-76, after: 10m}":                                    "when nothing has been heard of sensor bme280-1-76 for 10m while measuring is on. An alert clears when the sensor is heard again.",
		"anomaly: {quantity: t_celsius}":                                                "more than 4 standard deviations from the median of the last 61 values. It judges once it has seen 61 values. An alert clears when a value lies within 4 of them.",
		"trend: {quantity: t_celsius, window: 10m, below: 0, within: 1h}":               "when the straight line through the last 10m of t_celsius of any sensor falls to 0 within 1h. An alert clears when the line does so later than in 1h, or never.",
		"trend: {quantity: t_celsius, window: 10m, rise: 5, per: 1h}":                   "rises by more than 5 in 1h. An alert clears when the line does so by no more than 5.",
		"aggregate: {window: 1m, functions: [mean, max]}":                               "Sends mean, max of every quantity of any sensor over each 1m.",
		"aggregate: {sliding: 1h, every: 1m, functions: [mean], quantities: [p_watts]}": "Sends mean of p_watts of any sensor over the last 1h behind a reading, every 1m at most.",
		"deadband: {absolute: 0.2, heartbeat: 15m}":                                     "Withholds readings of any sensor until a value has moved by more than 0.2 since the last one that was sent, or 15m are over.",
		"expression: {filter: pm25 > 10}":                                               "Withholds readings of any sensor unless pm25 > 10.",
		"schedule: {cron: '0 22 * * *', zone: Europe/Berlin, missed: skip}":             `Fires at the minutes "0 22 * * *" of Europe/Berlin; what it misses does not fire later.`,
		"threshold: {quantity: a_v, above: 1}\n    actions: [output: {name: fan, state: on, max: 30m}, webhook: {url: 'http://10.0.0.2:81/secret'}]": "It switches output fan on meanwhile, for 30m at most; posts its alerts to http://10.0.0.2:81.",
	} {
		set, err := Parse("test", []byte("version: 1\nrules:\n  - name: r\n    "+text+"\n"))
		if err != nil {
			t.Error(err)
			continue
		}
		x, ok := set.Explain("r")
		got := strings.TrimSpace(strings.Join([]string{x.What, x.Clears, x.Does}, " "))
		if !ok || !strings.Contains(got, want) {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	if _, ok := new(Set).Explain("r"); ok {
		t.Error("a rule that is not there is explained")
	}
}

// Every kind has words: those that the pages show do.
func TestEveryKindHasWords(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, k := range kinds {
		if _, ok := k.blank().(speaker); !ok {
			t.Errorf("%s has no words", k.name)
		}
		text, err := os.ReadFile(filepath.Join("..", "docs", "rules", k.name+".md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range block.FindAllSubmatch(text, -1) {
			set, err := Parse(k.name, b[1])
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range set.Names() {
				x, _ := set.Explain(name)
				t.Log(name, "·", x.What, x.Clears, x.Does)
			}
		}
	}
}
