package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"holdfast"
	"holdfast/internal/ui"
)

// A Series is the answer of the history: one quantity of one sensor over time.
type Series struct {
	Sensor   string    `json:"sensor"`
	Quantity string    `json:"quantity"`
	From     time.Time `json:"from"` // inclusive
	To       time.Time `json:"to"`   // exclusive
	Buckets  []Bucket  `json:"buckets"`
}

func (d *Dashboard) history(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	s := Series{Sensor: query.Get("sensor"), Quantity: query.Get("quantity")}
	if err := holdfast.CheckSensor(s.Sensor); err != nil {
		ui.Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := holdfast.CheckQuantity(s.Quantity); err != nil {
		ui.Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	var err error
	if s.From, s.To, err = span(query, time.Hour); err != nil {
		ui.Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	down := newDownsampler(s.From, s.To, maxPoints)
	wanted := sample(s.Sensor, s.Quantity)
	if !d.scan(w, r, s.From, s.To, func(lane holdfast.Lane, record []byte) {
		if lane == holdfast.LaneTelemetry {
			down.add(wanted(record))
		}
	}) {
		return
	}
	s.Buckets = down.points()
	reply(w, s)
}

// sample returns a function that takes from a record of the telemetry lane what it says of one quantity of one sensor; a
// bucket with Count 0 where it says nothing. Most records are of others: those are passed over without decoding, which a
// small Pi notices.
func sample(sensor, quantity string) func(record []byte) Bucket {
	sensorText, quantityText := []byte(strconv.Quote(sensor)), []byte(strconv.Quote(quantity))
	return func(data []byte) Bucket {
		if !bytes.Contains(data, sensorText) || !bytes.Contains(data, quantityText) {
			return Bucket{}
		}
		record, err := holdfast.DecodeRecord(holdfast.LaneTelemetry, data)
		if err != nil {
			return Bucket{}
		}
		switch record := record.(type) {
		case *holdfast.Reading:
			if v, ok := record.Values[quantity]; ok && record.Sensor == sensor && record.Quality[quantity] != holdfast.Bad {
				return Bucket{record.Time, v, v, v, 1}
			}
		case *holdfast.Aggregate:
			if v, ok := record.Values[quantity]; ok && record.Sensor == sensor {
				return Bucket{record.From, v, v, v, 1}
			}
		case *holdfast.Thinned:
			if s, ok := record.Values[quantity]; ok && record.Sensor == sensor {
				return Bucket{record.From, s.Min, s.Max, s.Mean, s.Count}
			}
		}
		return Bucket{}
	}
}

// events answers with the newest events of the span, by default of the last day.
func (d *Dashboard) events(w http.ResponseWriter, r *http.Request) {
	from, to, err := span(r.URL.Query(), 24*time.Hour)
	if err != nil {
		ui.Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	const most = 100
	var events []holdfast.Record
	if !d.scan(w, r, from, to, func(lane holdfast.Lane, data []byte) {
		if lane != holdfast.LaneEvent {
			return
		}
		if event, err := holdfast.DecodeRecord(lane, data); err == nil {
			events = append(events, event)
		}
		if len(events) >= 2*most {
			events = append(events[:0], events[most:]...)
		}
	}) {
		return
	}
	newest := make([]holdfast.Record, 0, most)
	for i := len(events) - 1; i >= 0 && len(newest) < most; i-- {
		newest = append(newest, events[i])
	}
	reply(w, map[string]any{"events": newest})
}

// scan calls f with each record between from and to. Where it cannot, it answers the request and returns false.
func (d *Dashboard) scan(w http.ResponseWriter, r *http.Request, from, to time.Time, f func(holdfast.Lane, []byte)) bool {
	ctx := r.Context()
	select {
	case d.scans <- struct{}{}:
		defer func() { <-d.scans }()
	case <-ctx.Done():
		return false
	}
	err := d.options.History.History(from, to, func(lane holdfast.Lane, record []byte) bool {
		f(lane, record)
		return ctx.Err() == nil
	})
	if err != nil {
		d.fail(w, "read history", err)
		return false
	}
	return ctx.Err() == nil
}

// span reads from and to of a query; without them it is the last length up to now.
func span(query url.Values, length time.Duration) (from, to time.Time, err error) {
	to = time.Now()
	if text := query.Get("to"); text != "" {
		if to, err = time.Parse(time.RFC3339, text); err != nil {
			return from, to, fmt.Errorf("to: %q: want RFC 3339", text)
		}
	}
	from = to.Add(-length)
	if text := query.Get("from"); text != "" {
		if from, err = time.Parse(time.RFC3339, text); err != nil {
			return from, to, fmt.Errorf("from: %q: want RFC 3339", text)
		}
	}
	if !from.Before(to) {
		return from, to, fmt.Errorf("to: %s is not behind from %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return from.UTC(), to.UTC(), nil
}
