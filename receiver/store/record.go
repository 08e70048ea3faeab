package store

import (
	"encoding/json"
	"fmt"
	"time"

	"holdfast"
)

// Kinds of stored records that are not readings.
const (
	kindAggregate = "aggregate"
	kindThinned   = "thinned"
	kindAlert     = "alert"
	kindEvent     = "event"
)

// AddAggregate stores what a rule made of a window. The same key again replaces what is there, unless that is newer.
func (t *Tx) AddAggregate(s Stream, seq uint64, part int, a *holdfast.Aggregate, text []byte) error {
	if err := t.addRecord(s, seq, part, holdfast.LaneTelemetry, kindAggregate, a.Time, a.Clock, text); err != nil {
		return err
	}
	values, err := json.Marshal(a.Values)
	if err != nil {
		return fmt.Errorf("store aggregate: %w", err)
	}
	err = t.exec(`INSERT INTO aggregate (device, rule, rule_version, grp, from_us, to_us, time_us, sensor, count, partial, json, stream, seq)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (device, rule, rule_version, grp, from_us) DO UPDATE SET to_us = excluded.to_us, time_us = excluded.time_us,
			sensor = excluded.sensor, count = excluded.count, partial = excluded.partial, json = excluded.json,
			stream = excluded.stream, seq = excluded.seq
		WHERE CASE WHEN excluded.stream = stream THEN excluded.seq > seq ELSE excluded.time_us >= time_us END`,
		s.Device, a.Rule, a.RuleVersion, a.Group, micros(a.From), micros(a.To), micros(a.Time), a.Sensor, int64(a.Count), a.Partial,
		string(values), s.N, int64(seq))
	if err != nil {
		return fmt.Errorf("store aggregate: %w", err)
	}
	return nil
}

// AddThinned stores a summary of a thinned range: the part-th of those whose first new number is seq.
func (t *Tx) AddThinned(s Stream, seq uint64, part int, r *holdfast.Thinned, text []byte) error {
	return t.addRecord(s, seq, part, holdfast.LaneTelemetry, kindThinned, r.From, nil, text)
}

// AddEvent stores an event.
func (t *Tx) AddEvent(s Stream, seq uint64, e *holdfast.Event, text []byte) error {
	return t.addRecord(s, seq, 0, holdfast.LaneEvent, kindEvent, e.Time, e.Clock, text)
}

// AddAlert stores a step of an alert, and makes it the latest one unless a later step is there already.
func (t *Tx) AddAlert(s Stream, seq uint64, a *holdfast.Alert, text []byte) error {
	if err := t.addRecord(s, seq, 0, holdfast.LaneAlert, kindAlert, a.Time, a.Clock, text); err != nil {
		return err
	}
	err := t.exec(`INSERT INTO alert (device, id, state, time_us, json, stream, seq) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (device, id) DO UPDATE SET state = excluded.state, time_us = excluded.time_us, json = excluded.json,
			stream = excluded.stream, seq = excluded.seq
		WHERE CASE WHEN excluded.stream = stream THEN excluded.seq > seq ELSE excluded.time_us >= time_us END`,
		s.Device, a.ID, string(a.State), micros(a.Time), string(text), s.N, int64(seq))
	if err != nil {
		return fmt.Errorf("store alert: %w", err)
	}
	return nil
}

func (t *Tx) addRecord(s Stream, seq uint64, part int, lane holdfast.Lane, kind string, at time.Time, clock *holdfast.Clock, text []byte) error {
	boot, mono := guessed(clock)
	err := t.exec("INSERT INTO record (stream, lane, seq, part, device, kind, time_us, json, boot, mono) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		s.N, string(lane), int64(seq), part, s.Device, kind, micros(at), string(text), boot, mono)
	if err != nil {
		return fmt.Errorf("store %s: %w", kind, err)
	}
	return nil
}
