package main

import (
	"encoding/json"
	"slices"
	"strings"
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
		presses <- pressOf(holdfast.PressShort)
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
		presses <- pressOf(holdfast.PressShort)
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

// pressOf is a press of the button.
func pressOf(press string) holdfast.Press {
	return holdfast.Press{Origin: string(holdfast.OriginButton), Press: press}
}

// A long press stops, whether the short one that it began as started or stopped, and from then on the power may be pulled:
// nothing is in memory, also where a sample was on its way. A short press goes on. A double press changes nothing for good.
func TestLongAndDoublePress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.receiver()
		stop, presses := b.gatewayWithButton("bubble", holdfast.AckReceipt)
		press := func(kinds ...string) {
			for _, kind := range kinds {
				presses <- pressOf(kind)
				time.Sleep(200 * time.Millisecond)
			}
		}
		time.Sleep(10*time.Second + 500*time.Microsecond)
		g := b.running.Load()
		for i, test := range []struct {
			presses         []string
			measuring, safe bool
		}{
			{[]string{"short", "double"}, true, false},
			{[]string{"short", "long"}, false, true},
			{[]string{"short"}, true, false},
			{[]string{"short"}, false, false},
			{[]string{"short", "double"}, false, false},
			{[]string{"short", "long"}, false, true},
			{[]string{"short"}, true, false},
		} {
			press(test.presses...)
			if on, safe := g.control.Measuring(), g.mayUnplug(); on != test.measuring || safe != test.safe {
				t.Errorf("step %d, %q: measuring %v, may unplug %v; want %v, %v", i, test.presses, on, safe, test.measuring, test.safe)
			}
			if queued := g.buffer.Status().Queued; test.safe && queued > 0 {
				t.Errorf("step %d: %d records are in memory only", i, queued)
			}
			time.Sleep(10 * time.Second)
		}
		if taken := stop(); b.telemetry().Data != taken {
			t.Errorf("stored %d of %d readings", b.telemetry().Data, taken)
		}
		var kinds []string
		events, err := b.store.Events(t.Context(), "bubble", holdfast.EventButton, time.Time{}, time.Now(), 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range slices.Backward(events) {
			var p holdfast.Press
			if err := json.Unmarshal(e.Data, &p); err != nil {
				t.Error(err)
			}
			kinds = append(kinds, p.Press)
		}
		if want := strings.Fields("short double short long short short short double short long short"); !slices.Equal(kinds, want) {
			t.Errorf("presses in the database: %q, want %q", kinds, want)
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

// A short press right behind another is a double press, and done when that is; a long one is not.
func TestShortPressThatIsDouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{pressed: newPresses()}
		for _, test := range []struct {
			press, carriedOut string
			done              bool
		}{
			{holdfast.PressShort, holdfast.PressShort, true},
			{holdfast.PressShort, holdfast.PressDouble, true},
			{holdfast.PressDouble, holdfast.PressShort, false},
			{holdfast.PressShort, holdfast.PressLong, false},
		} {
			before := g.pressed.count(test.press)
			time.AfterFunc(time.Second, func() { g.pressed.carriedOut(test.carriedOut) })
			if err := g.afterPress(t.Context(), test.press, before); (err == nil) != test.done {
				t.Errorf("%s pressed, %s carried out: %v", test.press, test.carriedOut, err)
			}
		}
	})
}
