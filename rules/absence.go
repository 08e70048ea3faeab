package rules

import (
	"time"

	"holdfast"
)

// An absence raises an alert once nothing has been heard of a sensor for as long as After says, and clears it with the next
// reading. With a quantity, only good values of that quantity count as heard: a reading that lacks it, grades it as bad or
// has no finite number for it does not; zero and negative values do. The alert's quantity is silence_seconds.
//
// While measuring is stopped nothing is missed ([Engine.Rest]): the wait begins anew afterwards, and a raised alert stays.
//
// A sensor named in full is waited for from the start of the engine, even if it has never been heard of; of a glob, those
// that have been. A reboot begins the wait anew, and a raised alert stays until the sensor is heard.
type absence struct {
	Sensor pattern       `json:"sensor"`
	Heard  string        `json:"heard,omitempty"` // the quantity
	After  time.Duration `json:"after"`
	alerting
}

func parseAbsence(f *fields) program {
	a := &absence{
		Sensor: f.sensor(),
		Heard:  f.textOr("quantity", "", holdfast.CheckQuantity),
		After:  f.duration("after", time.Second, 7*24*time.Hour),
	}
	if !f.has("after") {
		f.badKey("after", "is missing: want 1s to 168h")
	}
	a.alerting = f.alertingOf("silence_seconds")
	return a
}

func (a *absence) watches() pattern { return a.Sensor }
func (a *absence) begin() memory {
	return &silence{raiser: raiser{alerting: &a.alerting}, absence: a}
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
	raiser
	absence *absence
	Last    *mark `json:"last,omitempty"` // since when nothing has been heard; nil until the first tick of a boot
}

func (s *silence) apply(o origin, r *holdfast.Reading, at holdfast.Instant) []holdfast.Record {
	if _, ok := good(r, s.absence.Heard); s.absence.Heard != "" && !ok {
		return nil
	}
	if s.ID != "" && s.Last != nil {
		s.Peak = max(s.Peak, s.Last.until(at).Seconds())
	}
	if s.Last == nil {
		s.Last = new(mark)
	}
	*s.Last = *newMark(at)
	return s.see(s.alerting, o, r, at, s.judge(0))
}

// tick judges the silence. A raised alert is left to the next reading.
func (s *silence) tick(o origin, at holdfast.Instant) []holdfast.Record {
	if s.Last == nil || o.resting {
		s.Last = newMark(at)
	}
	if s.ID != "" && !s.Back {
		return nil
	}
	f := s.judge(s.Last.until(at).Seconds())
	f.since = s.Last
	return s.see(s.alerting, o, nil, at, f)
}

// judge says what so many seconds of silence are.
func (s *silence) judge(seconds float64) finding {
	after := s.absence.After.Seconds()
	return finding{value: seconds, limit: after, excess: seconds - after, beyond: seconds >= after, back: seconds < after}
}

func (s *silence) reboot(o origin, at holdfast.Instant) []holdfast.Record {
	s.Last = nil
	return s.raiser.reboot(o, at)
}
