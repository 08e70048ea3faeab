package rules

import (
	"fmt"
	"strings"
	"testing"

	"holdfast"
)

// Rules that can never all be in memory are refused when they are read, with the line of the first that is too many; those that are
// too many for the sensors of a device are told where they are compared with it.
func TestMemoryIsCheckedBefore(t *testing.T) {
	t.Parallel()
	set := func(n int, functions string) string {
		var text strings.Builder
		text.WriteString("version: 1\nrules:\n")
		for i := range n {
			fmt.Fprintf(&text, "  - {name: r%d, aggregate: {quantities: [temperature_celsius, humidity_percent], sliding: 24h, functions: [%s]}}\n", i, functions)
		}
		return text.String()
	}
	s, err := Parse("many.yaml", []byte(set(600, "p50, p99")))
	if err == nil || !strings.HasPrefix(err.Error(), "many.yaml:") || !strings.Contains(err.Error(), "is one too many: ") || !strings.Contains(err.Error(), "128 MB") {
		t.Fatalf("600 rules with percentiles of two quantities over a day: %.300v", err)
	}
	kept := len(s.rules)
	if want := fmt.Sprintf("many.yaml:%d: rules[%d]: rule r%d ", kept+3, kept, kept); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%.100v, want %s", err, want)
	}
	catalog := &holdfast.Catalog{}
	for i := range 4 {
		catalog.Sensors = append(catalog.Sensors, holdfast.CatalogSensor{Name: fmt.Sprintf("s%d", i), Quantities: []holdfast.Quantity{{Name: "temperature_celsius"}, {Name: "humidity_percent"}}})
	}
	s, err = Parse("few.yaml", []byte(set(300, "p50")))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Against(catalog); err == nil || !strings.Contains(err.Error(), "at most 128") {
		t.Errorf("300 of them for four sensors: %v", err)
	}
	catalog.Sensors = catalog.Sensors[:1]
	if err := s.Against(catalog); err != nil {
		t.Errorf("for one sensor: %v", err)
	}
	e := New(s, Options{})
	for _, sensor := range catalog.Sensors {
		e.Apply(reading(instant(0), sensor.Name, 1), instant(0))
	}
	if got, want := s.Memory(catalog), e.bytes(); got != want {
		t.Errorf("%d bytes are foretold, %d counted", got, want)
	}
}
