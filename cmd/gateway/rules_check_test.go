package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast"
	"holdfast/dashboard"
	"holdfast/rules"
)

// gateway rules check says every mistake with file, line and key, or what the set holds.
func TestRulesCheck(t *testing.T) {
	t.Parallel()
	check := func(text string) (string, error) {
		file := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := dispatch(t.Context(), []string{"rules", "check", file, "--url", "http://127.0.0.1:1"}, &out)
		return out.String(), err
	}
	out, err := check(string(rules.Example))
	if err != nil || !strings.Contains(out, "version 1, ") || !strings.Contains(out, "1 threshold") || !strings.Contains(out, "memory: at most") || !strings.Contains(out, "not compared") {
		t.Errorf("%v: %s", err, out)
	}
	_, err = check("version: 0\nrules:\n  - name: hot\n    treshold: {quantity: temperature_celsius, above: 30}\n  - name: mean\n    aggregate: {window: 1x}\n")
	if !errors.Is(err, errUsage) {
		t.Fatalf("%v: want exit code 2", err)
	}
	for _, want := range []string{"rules.yaml:1: version", "rules.yaml:4: rules[0].treshold", "did you mean threshold", "rules.yaml:6: rules[1].aggregate.window"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	if _, err := check(strings.Repeat("# much\n", rules.MaxBytes)); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a file too large: %v", err)
	}
}

// What a gateway measures is compared with what rules look at.
func TestRulesAgainstAPage(t *testing.T) {
	t.Parallel()
	set, err := rules.Parse("r", []byte("version: 1\nrules:\n- name: hot\n  threshold: {sensor: 'bme280-*', quantity: temperature_celcius, above: 30}\n"))
	if err != nil {
		t.Fatal(err)
	}
	view := dashboard.View{Sensors: []dashboard.Sensor{{Name: "bme280-1-76", State: holdfast.SensorOK, Values: []dashboard.Value{{Quantity: "temperature_celsius"}}}}}
	if err := set.Against(measuredBy(view)); err == nil || !strings.Contains(err.Error(), "did you mean temperature_celsius") {
		t.Errorf("%v", err)
	}
}
