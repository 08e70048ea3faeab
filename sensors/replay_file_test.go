package sensors

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseReplay(t *testing.T) {
	t.Parallel()
	_, err := parseReplay("f.csv", strings.NewReader(`time,sensor,temperature_celsius,humidity_percent
# numbers that are easily lost
0,room,0,-1.5

0.25,cellar,,40
0.25, cellar ,4,
1e1,room,20.125,
`))
	want := "f.csv:6:6: "
	if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Count(err.Error(), "\n") != 0 {
		t.Errorf("a name with blanks: %v, want one mistake at %s", err, want)
	}
	rows, err := parseReplay("f.csv", strings.NewReader("\ufefftime,sensor,temperature_celsius,humidity_percent\n0,room,0,-1.5\n0.25,cellar, ,40\n0.25,cellar,4,\n1e1,room,20.125,\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	expected := []row{
		{0, "room", map[string]float64{"temperature_celsius": 0, "humidity_percent": -1.5}},
		{250 * time.Millisecond, "cellar", map[string]float64{"humidity_percent": 40}},
		{250 * time.Millisecond, "cellar", map[string]float64{"temperature_celsius": 4}},
		{10 * time.Second, "room", map[string]float64{"temperature_celsius": 20.125}},
	}
	if !reflect.DeepEqual(rows, expected) {
		t.Errorf("got %v, want %v", rows, expected)
	}
}

func TestParseReplayMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		want []string // the beginning of each line of the error
	}{
		{"empty", "", []string{"f.csv: no rows"}},
		{"a header alone", "time,sensor,a_volts\n", []string{"f.csv: no rows"}},
		{"header", "when,who,Volts,a_volts,a_volts\n", []string{
			`f.csv:1:1: "when": want time`, `f.csv:1:6: "who": want sensor`, `f.csv:1:10: invalid quantity: "Volts"`, `f.csv:1:24: "a_volts": a column for it stands before`,
		}},
		{"no quantities", "time,sensor\n", []string{"f.csv:1:1: 0 quantities"}},
		{"all at once", "time,sensor,a_volts,b_volts\nx,s,1,2\n1,s,1\n1,S,1,NaN\n0,s,Inf,1e999\n2,s,,\n-1,s,1,2\n", []string{
			`f.csv:2:1: time "x"`, `f.csv:3:5: 3 cells: want 4`, `f.csv:4:3: invalid sensor: "S"`, `f.csv:4:7: b_volts "NaN"`,
			`f.csv:5:1: time 0 lies before`, `f.csv:5:5: a_volts "Inf"`, `f.csv:5:9: b_volts "1e999"`,
			`f.csv:6:3: the row of "s" has no value`, `f.csv:7:1: time "-1"`,
		}},
		{"quotes", "time,sensor,a_volts\n0,s,1\n0,\"s,1\n", []string{`f.csv: parse error on line 3`}},
	}
	for _, test := range tests {
		_, err := parseReplay("f.csv", strings.NewReader(test.text))
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(test.want) {
			t.Errorf("%s: %d mistakes, want %d:\n%v", test.name, len(lines), len(test.want), err)
			continue
		}
		for i, want := range test.want {
			if !strings.HasPrefix(lines[i], want) {
				t.Errorf("%s: %q, want %q", test.name, lines[i], want)
			}
		}
	}
}

func TestParseReplayBoundsItsComplaints(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("time,sensor,a_volts\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "%d,s,many\n", i)
	}
	_, err := parseReplay("f.csv", strings.NewReader(text.String()))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxReplayMistakes+1 || lines[maxReplayMistakes] != "f.csv: 980 more mistakes" {
		t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
}

func TestGuessQuantity(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{
		"temperature_celsius": "°C", "humidity_percent": "%", "pressure_pascals": "Pa", "illuminance_lux": "lx", "lux": "lx",
		"supply_volts": "V", "load_amperes": "A", "load_watts": "W", "count": "", "flux": "", "kilowatts": "",
	} {
		if got := guessQuantity(name); got.Unit != unit || got.Name != name {
			t.Errorf("%s: %+v, want unit %q", name, got, unit)
		}
	}
}
