package main

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

// A press stops measuring, is an event, and holds across a restart; the next press starts measuring again.
func TestButtonStopsAndStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.receiver()
		stop, presses := b.gatewayWithButton("bubble", holdfast.AckReceipt)
		time.Sleep(10 * time.Second)
		presses <- holdfast.OriginButton
		time.Sleep(time.Minute)
		taken := stop()
		if stored := b.telemetry().Data; stored != taken || stored < 20 || stored > 24 {
			t.Errorf("stored %d of %d readings of two sensors in 10 s and a stopped minute, want 20 to 24", stored, taken)
		}

		stop, presses = b.gatewayWithButton("bubble", holdfast.AckReceipt)
		time.Sleep(time.Minute)
		if stored := b.telemetry().Data; stored != taken {
			t.Errorf("stored %d readings after a restart while stopped, want none", stored-taken)
		}
		presses <- holdfast.OriginButton
		time.Sleep(10 * time.Second)
		stop()
		if stored := b.telemetry().Data - taken; stored < 20 || stored > 24 {
			t.Errorf("stored %d readings 10 s after the second press, want 20 to 24", stored)
		}
		if got, want := b.measured(), []bool{false, true}; !slices.Equal(got, want) {
			t.Errorf("events of the setting measuring: %v, want %v", got, want)
		}
	})
}

// measured returns the values that the setting measuring took, from the database, oldest first, each after its press.
func (b *bubble) measured() (values []bool) {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), "bubble", "", time.Time{}, time.Now(), 100)
	if err != nil {
		b.t.Fatal(err)
	}
	presses := 0
	for _, e := range slices.Backward(events) {
		switch e.Event.Event {
		case holdfast.EventButton:
			presses++
		case holdfast.EventSetting:
			var s holdfast.Setting
			if err := json.Unmarshal(e.Data, &s); err != nil || s.Key != holdfast.SettingMeasuring || s.Origin != holdfast.OriginButton {
				b.t.Errorf("event %s: %v, want measuring by the button", e.Data, err)
			}
			values = append(values, string(s.Value) == "true")
			if presses != len(values) {
				b.t.Errorf("%d presses before change %d of the setting", presses, len(values))
			}
		}
	}
	return values
}
