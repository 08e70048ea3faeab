package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"holdfast/rules"
	"holdfast/sensors"
)

// The page of sensors in docs/ holds what `gateway sensors` prints, and that has every chip and every quantity.
func TestSensorsReference(t *testing.T) {
	const file, mark = "../../docs/sensors.md", "<!-- gateway sensors -->\n"
	var page bytes.Buffer
	if err := sensorsCommand(t.Context(), nil, &page); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s has no line %q", file, mark)
	}
	want := before + mark + page.String()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(text) != want && !*update {
		t.Errorf("%s does not hold what `gateway sensors` prints; go test ./cmd/gateway -run Reference -update mends it", file)
	}
	for _, d := range sensors.Drivers() {
		if !strings.Contains(page.String(), "\n## "+d.Chip+"\n") || !strings.Contains(page.String(), d.Part) {
			t.Errorf("nothing is said of %s", d.Chip)
		}
		if len(d.Quantities) > 0 && d.Wiring == "" {
			t.Errorf("%s: nothing is said of its wiring", d.Chip)
		}
		for _, q := range d.Quantities {
			if !strings.Contains(page.String(), "| `"+q.Name+"` | "+q.Unit+" |") {
				t.Errorf("%s: nothing is said of %s", d.Chip, q.Name)
			}
		}
	}
}

// The rule that the page shows is one.
func TestSensorsPageShowsARule(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/sensors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rule, _ := strings.Cut(string(text), "```yaml\n")
	rule, _, _ = strings.Cut(rule, "```")
	if _, err := rules.Parse("sensors.md", []byte(rule)); err != nil || rule == "" {
		t.Errorf("%q: %v", rule, err)
	}
}

func TestAddressList(t *testing.T) {
	t.Parallel()
	for want, list := range map[string][]uint16{
		"0x10": {0x10}, "0x23, 0x5c": {0x23, 0x5c}, "0x48–0x4b": {0x48, 0x49, 0x4a, 0x4b}, "0x40–0x41, 0x76": {0x40, 0x41, 0x76},
	} {
		if got := addressList(list); got != want {
			t.Errorf("%x: %q, want %q", list, got, want)
		}
	}
}
