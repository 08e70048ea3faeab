package rehearse

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/rules"
)

// Actions are counted with how long they lasted, and what is sampled in a burst goes up.
func TestActions(t *testing.T) {
	t.Parallel()
	var orders []string
	r := New(parse(t, `
version: 1
rules:
  - name: warm
    threshold: {quantity: temperature_celsius, above: 5}
    actions:
      - output: {name: fan, state: on, max: 30s}
      - interval: {every: 1s, for: 10s}
      - webhook: {url: "http://192.168.1.20/secret"}
      - output: {name: horn, state: pulse, for: 2s}
  - name: still
    threshold: {quantity: temperature_celsius, above: 50}
    actions:
      - output: {name: lamp, state: on}
  - {name: quiet, deadband: {absolute: 100}}
`), Options{Order: func(o rules.Order) { orders = append(orders, Order(&o)) }})
	for i := range 131 {
		v := 0.0
		if i >= 10 && i < 70 {
			v = 6
		}
		if i >= 120 {
			v = 60
		}
		r.Read(&holdfast.Reading{Time: noon.Add(time.Duration(i) * time.Second), Sensor: "s", Values: map[string]float64{"temperature_celsius": v}})
	}
	report := r.Report()
	got := fmt.Sprint(report.Rules[0].Actions, report.Rules[1].Actions)
	// warm: 60 s, and from 120 s on for 10 s that have passed; still: these too.
	if want := "[{output fan on 2 40} {interval 1s 2 80} {webhook 3 0} {output horn pulse 2 4}] [{output lamp on 1 10}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// The first; 10 to 79, while the alert stands and ten seconds behind it; 120 to 130.
	if got := report.Traffic.Readings; got != 1+70+11 {
		t.Errorf("%d readings go up", got)
	}
	if text := strings.Join(orders, "\n"); len(orders) != 12 || strings.Contains(text, "secret") || !strings.Contains(text, "12:01:10 end          warm output fan on\n") || !strings.Contains(text, "12:00:10 do           warm output horn pulse, at most 2s\n") {
		t.Errorf("%d orders: %s", len(orders), text)
	}
}
