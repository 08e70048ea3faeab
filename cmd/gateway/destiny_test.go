package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/control"
)

// What a rule withholds gets no number and is sent by nobody; the history has it, the page's charts show it, and it is
// counted by the rule's name. The aggregates know it.
func TestWithheldReadings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.rules = `version: 1
rules:
  - {name: calm, deadband: {sensor: "bme280-*", absolute: 1000}}
  - {name: minute, aggregate: {sensor: "bme280-*", window: 1m, functions: [count]}}
`
		b.receiver()
		stop := b.gateway(holdfast.AckReceipt)
		time.Sleep(late)
		g := b.running.Load()
		g.world.source.SetMeasuring(false)
		time.Sleep(31 * time.Second)
		calm, others := uint64(0), uint64(0)
		for _, s := range g.world.source.Sensors() {
			if len(s.Name) > 6 && s.Name[:6] == "bme280" {
				calm += s.Samples
			} else {
				others += s.Samples
			}
		}
		view := g.Status(context.Background())
		if n := view.Records.Withheld["calm"]; n != calm-1 || len(view.Records.Withheld) != 1 || n < 500 {
			t.Errorf("withheld %v of %d readings, want all but the first", view.Records.Withheld, calm)
		}
		answer := httptest.NewRecorder()
		g.metrics.handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		if line := fmt.Sprintf("gateway_readings_withheld_total{by=\"calm\"} %d\n", calm-1); !strings.Contains(answer.Body.String(), line) {
			t.Errorf("metrics lack %s", line)
		}
		found, aggregated := uint64(0), 0.0
		err := history{g}.History(time.Time{}, time.Now(), func(lane holdfast.Lane, data []byte) bool {
			record, err := holdfast.DecodeRecord(lane, data)
			if err != nil {
				t.Errorf("%s: %v", data, err)
			}
			switch r := record.(type) {
			case *holdfast.Reading:
				found++
			case *holdfast.Aggregate:
				aggregated += float64(r.Count)
			}
			return true
		})
		if err != nil || found != calm+others {
			t.Errorf("history has %d readings of %d, %v", found, calm+others, err)
		}
		if aggregated < float64(calm)-60 {
			t.Errorf("aggregates of %v readings, want of about %d", aggregated, calm)
		}
		result, err := g.measurements(t.Context(), control.Selection{Lane: holdfast.LaneLocal, Count: 10})
		if p, ok := result.(page); err != nil || !ok || p.Records != 10 || p.Runs[0].First != calm-10 {
			t.Errorf("a page of what was withheld: %+v, %v", result, err)
		}
		stop()
		if sent := b.telemetry(); sent.Data >= others+calm/2 || sent.Data != sent.Head || sent.Data <= others {
			t.Errorf("%d records came, want %d readings and the aggregates", sent.Data, others+1)
		}
	})
}
