package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

// An alert is acknowledged by command or page, once: the first counts. It stays so over a restart, which the page shows, and the
// database has each step once.
func TestAcknowledgeAlert(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		_, quit := b.startReceiver()
		b.rules = "version: 1\nrules:\n  - {name: never_clears, threshold: {sensor: \"bme280-*\", quantity: temperature_celsius, above: -100}}\n" +
			"  - {name: latched, threshold: {sensor: \"bme280-*\", quantity: temperature_celsius, equal: 1000, latch: true}}\n"
		stop := b.gateway(holdfast.AckReceipt)
		time.Sleep(time.Minute)
		shown := func() holdfast.Alert {
			t.Helper()
			list := b.running.Load().alerts.list(time.Now())
			if len(list) != 1 {
				t.Fatalf("%d alerts on the page, want 1: %+v", len(list), list)
			}
			return list[0]
		}
		raised := shown()
		args := func(alert, by string) string {
			text, _ := json.Marshal(map[string]string{"alert": alert, "by": by})
			return string(text)
		}
		if r := b.command("ack_alert", args("a1", "ann")); r.State != holdfast.Failed || r.Error.Code != holdfast.CodeInvalidArgument || r.Error.Message != `alert: "a1": no such alert is raised` {
			t.Errorf("an alert that is not raised: %+v", r)
		}
		if r := b.command("ack_alert", args(raised.ID, "ann")); r.State != holdfast.Succeeded || !strings.Contains(string(r.Result), `"state":"acknowledged","by":"ann"`) {
			t.Errorf("acknowledged: %+v", r)
		}
		page := settings{b.running.Load()}
		if err := page.Acknowledge(t.Context(), raised.ID, "bob"); err != nil {
			t.Errorf("acknowledged again: %v", err)
		}
		if err := page.Acknowledge(t.Context(), "a1", "bob"); !errors.Is(err, holdfast.ErrInvalid) || err.Error() != `invalid alert: "a1": no such alert is raised` {
			t.Errorf("an alert that is not raised: %v, want an error of the request", err)
		}
		time.Sleep(10 * time.Second)
		stop()
		stop = b.gateway(holdfast.AckReceipt)
		time.Sleep(20 * time.Second)
		if a := shown(); a.State != holdfast.Acknowledged || a.By != "ann" || a.ID != raised.ID || !a.Since.Equal(raised.Since) {
			t.Errorf("after a restart %+v, want %s acknowledged by ann since %v", a, raised.ID, raised.Since)
		}
		stop()
		quit()
		alerts, err := b.store.Alerts(t.Context(), "bubble", "", 10)
		if err != nil || len(alerts) != 1 || alerts[0].State != holdfast.Acknowledged || alerts[0].By != "ann" || len(alerts[0].Values) == 0 {
			t.Errorf("in the database: %+v, %v", alerts, err)
		}
		if n := b.completeness().Totals.Data; n == 0 {
			t.Error("nothing in the database")
		}
		for _, lane := range b.completeness().Streams[0].Lanes {
			if lane.Lane == holdfast.LaneAlert && lane.Head != 2 {
				t.Errorf("%d steps of the alert, want 2", lane.Head)
			}
		}
	})
}
