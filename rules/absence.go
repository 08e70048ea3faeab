package rules

import (
	"time"

	"holdfast"
)

// An absence raises an alert once nothing has been heard of a sensor for as long as After says, and clears it with the next
// reading. With a quantity, only good values of that quantity count as heard: a reading that lacks it, grades it as bad or
// has no finite number for it does not; zero and negative values do. The alert's quantity is silence_seconds.
//
// A sensor named in full is waited for from the start of the engine, even if it has never been heard of; of a glob, those
// that have been. A reboot begins the wait anew, and a raised alert stays until the sensor is heard.
type absence struct {
	Sensor   pattern       `json:"sensor"`
	Quantity string        `json:"quantity,omitempty"`
	After    time.Duration `json:"after"`
	alarm
}

func parseAbsence(f *fields) program {
	a := &absence{
		Sensor:   f.sensor(),
		Quantity: f.textOr("quantity", "", holdfast.CheckQuantity),
		After:    f.duration("after", time.Second, 7*24*time.Hour),
	}
	if !f.has("after") {
		f.badKey("after", "is missing: want 1s to 168h")
	}
	a.alarm = f.alarm()
	a.Limit, a.Clear, a.Inclusive = a.After.Seconds(), a.After.Seconds(), true
	return a
}

func (a *absence) watches() pattern { return a.Sensor }
func (a *absence) begin() memory {
	return &silence{absence: a, watch: watch{alarm: &a.alarm, quantity: "silence_seconds"}}
}

// expects returns the sensor to wait for before it is heard of: "" for none.
func (a *absence) expects() string {
	if a.Sensor.glob() {
		return ""
	}
	return string(a.Sensor)
}

// A silence is what an absence remembers of one sensor.
type silence struct {
	absence *absence
	watch
	Last *mark `json:"last,omitempty"` // since when nothing has been heard; nil until the first tick of a boot
}

func (s *silence) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	if _, ok := good(r, s.absence.Quantity); s.absence.Quantity != "" && !ok {
		return nil
	}
	if s.ID != "" && s.Last != nil {
		s.Peak = max(s.Peak, s.seconds(at))
	}
	if s.Last == nil {
		s.Last = new(mark)
	}
	*s.Last = *newMark(at)
	return s.judge(o, 0, at)
}

// tick judges the silence. A raised alert is left to the next reading.
func (s *silence) tick(o origin, at holdfast.Instant) []holdfast.Record {
	if s.Last == nil {
		s.Last = newMark(at)
	}
	if s.ID != "" && !s.Back {
		return nil
	}
	silent := s.seconds(at)
	if s.Since == nil && s.alarm.beyond(silent) {
		since := *s.Last
		s.Since = &since
	}
	return s.judge(o, silent, at)
}

// seconds is how long nothing has been heard.
func (s *silence) seconds(at holdfast.Instant) float64 { return float64(at.Mono-s.Last.Mono) / 1e6 }

func (s *silence) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	s.Last = nil
	return s.watch.reboot(o, at)
}
