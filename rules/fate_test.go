package rules

import (
	"strings"
	"testing"
)

// A deadband judges derived readings like others, without touching the fate of the one they come from.
func TestDeadbandOfDerived(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - {name: double, expression: {sensor: s, derive: double, value: temperature_celsius * 2}}
  - {name: news, deadband: {quantities: [double], absolute: 1}}`)
	var got []string
	for i, v := range []float64{1, 1.2, 3} {
		made := e.Apply(reading(instant(i), "s", v), instant(i))
		got = append(got, strings.Repeat("d", len(made))+e.Fate().Withheld)
	}
	if want := "d,,d"; strings.Join(got, ",") != want {
		t.Errorf("got %q, want %q", strings.Join(got, ","), want)
	}
}
