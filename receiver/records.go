package receiver

import (
	"errors"
	"fmt"

	"holdfast"
	"holdfast/receiver/store"
)

// putRecords stores those records of a batch whose numbers are new, and makes dead letters of those that are not valid.
func (w *writer) putRecords(s store.Stream, d *delivery, added holdfast.Ranges) error {
	if len(added) == 0 {
		return nil
	}
	b := d.batch
	for i, record := range d.records {
		seq, last, part := b.First+uint64(i), b.First+uint64(i), 0
		if b.What == holdfast.Thin {
			seq, last, part = b.First, b.Last, i
		} else if !added.Contains(seq) {
			continue
		}
		if d.faults[i] != nil {
			_, err := w.letter(store.Letter{Device: s.Device, Topic: d.Topic, Code: codeInvalidRecord, Text: d.faults[i].Error(),
				Payload: b.Records[i], Stream: s.ID, Lane: b.Lane, First: seq, Through: last})
			if err != nil {
				return err
			}
			continue
		}
		if b.What == holdfast.Thin {
			seq = added[0].First // where nothing stands yet: a summary of some of these numbers may be here already
		}
		if err := w.putRecord(s, seq, part, record, b.Records[i]); err != nil {
			return fmt.Errorf("record %d of lane %s: %w", seq, b.Lane, err)
		}
	}
	return nil
}

func (w *writer) putRecord(s store.Stream, seq uint64, part int, record holdfast.Record, text []byte) error {
	switch r := record.(type) {
	case *holdfast.Reading:
		w.live = append(w.live, Live{Kind: LiveSample, Device: s.Device, Seq: seq, Reading: r})
		return w.AddReading(s, seq, r)
	case *holdfast.Aggregate:
		return w.AddAggregate(s, seq, part, r, text)
	case *holdfast.Thinned:
		return w.AddThinned(s, seq, part, r, text)
	case *holdfast.Alert:
		w.live = append(w.live, Live{Kind: LiveAlert, Device: s.Device, Seq: seq, Alert: r})
		return w.AddAlert(s, seq, r, text)
	case *holdfast.Event:
		w.live = append(w.live, Live{Kind: LiveEvent, Device: s.Device, Stream: s.ID, Seq: seq, Event: r})
		return errors.Join(w.AddEvent(s, seq, r, text), w.putEvent(s, r))
	}
	return fmt.Errorf("%w: no place for a %T", store.ErrConflict, record)
}
