package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/dashboard"
)

// gateway rules explain asks the page of a gateway about a rule or an alert, and the configuration where no page answers.
func TestRulesExplain(t *testing.T) {
	t.Parallel()
	value, since := 27.5, time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	status := dashboard.View{
		Device:  "pi-7",
		Sensors: []dashboard.Sensor{{Name: "bme280-1-76", Values: []dashboard.Value{{Quantity: "temperature_celsius", Unit: "°C", Value: &value}}}},
		Alerts: []holdfast.Alert{
			{ID: "a1", Rule: "hot", RuleVersion: 3, State: holdfast.Raised, Severity: holdfast.Warning, Sensor: "bme280-1-76", Quantity: "temperature_celsius",
				Value: 27, Threshold: 26, Peak: 28, Since: since, Values: map[string]float64{"humidity_percent": 61}, Message: "the room is warm"},
			{ID: "a2", Rule: "gone", RuleVersion: 2, State: holdfast.Cleared, Severity: holdfast.Critical, Sensor: "x", Quantity: "y", Time: since, Since: since, DurationS: 90, By: "ann"},
		},
	}
	set := dashboard.RulesView{Version: 3, Origin: "file", Since: since, Rules: []dashboard.Rule{
		{Name: "hot", Kind: "threshold", What: "Raises an alert when it is above 26.", Clears: "An alert clears when it is at most 25.", Does: "It switches output fan on meanwhile.", Made: 5, Last: since, Raised: 1},
		{Name: "odd", Kind: "expression", What: "Makes x.", Failures: 3, Failure: "1/0"},
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]any{"/api/v1/status": status, "/api/v1/rules": set}
		json.NewEncoder(w).Encode(answers[r.URL.Path])
	}))
	defer server.Close()
	explain := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := dispatch(t.Context(), append([]string{"rules", "explain"}, args...), &out)
		return out.String(), err
	}
	for id, wants := range map[string][]string{
		"hot": {"hot, a rule of kind threshold in version 3 (file) on pi-7", "Raises an alert when it is above 26.\nAn alert clears when it is at most 25.\nIt switches output fan on", "made 5 records", "Alert a1 stands"},
		"odd": {"It failed 3 times; the first time: 1/0.", "no record since"},
		"a1": {"Alert a1 (warning, raised) of rule hot, version 3", "the room is warm", "was 27 °C when this was told; the threshold is 26 °C, the peak 28 °C", "Beside it: humidity_percent 61.", "Now it is 27.5 °C.",
			"Why: the rule raises an alert when it is above 26.", "An alert clears when it is at most 25."},
		"a2": {"Alert a2 (critical, cleared)", "ann has acknowledged it", "after 1m30s"},
	} {
		out, err := explain(id, "--url", server.URL)
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s lacks %q:\n%s", id, want, out)
			}
		}
	}
	if _, err := explain("nothing", "--url", server.URL); err == nil || !strings.Contains(err.Error(), "the rules are hot, odd") {
		t.Errorf("an unknown id: %v", err)
	}

	dir := t.TempDir()
	config := filepath.Join(dir, "gateway.yaml")
	text := "data: {dir: " + dir + "}\nrules:\n  text: |\n    version: 4\n    rules:\n      - name: cold\n        threshold: {quantity: temperature_celsius, below: 3}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := explain("cold", "--url", "http://127.0.0.1:1", "--config", config)
	if err != nil || !strings.Contains(out, "no gateway answers") || !strings.Contains(out, "in version 4 (variable)") || !strings.Contains(out, "is below 3") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := explain("hot", "--url", "http://127.0.0.1:1", "--config", config); err == nil {
		t.Error("a rule that nobody knows is explained")
	}
	set = dashboard.RulesView{}
	if _, err := explain("hot", "--url", server.URL); err == nil || !strings.HasSuffix(err.Error(), "; no rules are in force") {
		t.Errorf("where there are no rules: %v", err)
	}
	if err := os.WriteFile(config, []byte("data: {dir: "+dir+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = explain("hot", "--url", "http://127.0.0.1:1", "--config", config)
	if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), dir) || !strings.HasSuffix(err.Error(), "with --url or DATA_DIR") || out != "" {
		t.Errorf("where nothing is: %v: %s", err, out)
	}
}

// Of a gateway that does not run, rules explain reads which set was in force and which alerts stand, and changes nothing.
func TestRulesExplainWhatIsLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var alert string
	synctest.Test(t, func(t *testing.T) {
		b := newRulesBubble(t, rulesOf(1, ""))
		b.dir = dir
		b.begin()
		b.set(holdfast.OriginCommand, "version: 7\nrules:\n  - name: warm\n    threshold: {sensor: 'bme280-*', quantity: temperature_celsius, above: -100}\n", 7)
		alert = b.running.Load().alerts.list(time.Now())[0].ID
		b.stop()
	})
	config := filepath.Join(dir, "gateway.yaml")
	if err := os.WriteFile(config, []byte(fmt.Sprintf("data: {dir: %s}\n", filepath.Join(dir, "gateway"))), 0o600); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"warm": "Alert " + alert + " stands", alert: "of rule warm, version 7"} {
		var out bytes.Buffer
		if err := dispatch(t.Context(), []string{"rules", "explain", id, "--url", "http://127.0.0.1:1", "--config", config}, &out); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v: %s\nlacks %s", err, out.String(), want)
		}
	}
}
