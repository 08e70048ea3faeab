package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"
	"unicode/utf8"

	"holdfast"
	"holdfast/receiver/store"
)

// Alert is the latest step of an alert.
type Alert struct {
	Device      string              `json:"device"`
	Time        time.Time           `json:"time"`
	ID          string              `json:"id"`
	Rule        string              `json:"rule"`
	RuleVersion int                 `json:"rule_version"`
	State       holdfast.AlertState `json:"state" enum:"raised,acknowledged,cleared"`
	Severity    holdfast.Severity   `json:"severity" enum:"info,warning,critical"`
	Sensor      string              `json:"sensor"`
	Quantity    string              `json:"quantity"`
	Value       float64             `json:"value" doc:"what caused this step"`
	Threshold   float64             `json:"threshold"`
	Since       time.Time           `json:"since" doc:"when the condition first held"`
	DurationS   float64             `json:"duration_s" doc:"how long the condition has held, by the device's monotonic time"`
	Peak        float64             `json:"peak" doc:"the value farthest beyond the threshold"`
	Values      map[string]float64  `json:"values,omitempty" doc:"what the reading of this step says, by quantity"`
	Message     string              `json:"message,omitempty"`
	By          string              `json:"by,omitempty" doc:"who acknowledged"`
}

func newAlert(device string, a *holdfast.Alert) Alert {
	return Alert{device, a.Time, a.ID, a.Rule, a.RuleVersion, a.State, a.Severity, a.Sensor, a.Quantity,
		a.Value, a.Threshold, a.Since, a.DurationS, a.Peak, a.Values, a.Message, a.By}
}

type alertsIn struct {
	Device string              `query:"device" maxLength:"64"`
	State  holdfast.AlertState `query:"state" enum:"raised,acknowledged,cleared"`
	Limit  int                 `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type alertsOut struct {
	Body struct {
		Alerts []Alert `json:"alerts" doc:"newest first"`
	}
}

func (s *server) alerts(ctx context.Context, in *alertsIn) (*alertsOut, error) {
	all, err := s.store.Alerts(ctx, in.Device, in.State, in.Limit)
	if err != nil {
		return nil, err
	}
	out := new(alertsOut)
	out.Body.Alerts = []Alert{}
	for _, a := range all {
		out.Body.Alerts = append(out.Body.Alerts, newAlert(a.Device, &a.Alert))
	}
	return out, nil
}

// Event is something that happened on a device.
type Event struct {
	Time   time.Time       `json:"time"`
	Event  string          `json:"event"`
	Data   json.RawMessage `json:"data,omitempty"`
	Stream string          `json:"stream"`
	Seq    uint64          `json:"seq" doc:"number within the event lane of the stream"`
}

type eventsIn struct {
	OfDevice
	Window
	Event string `query:"event" maxLength:"64" doc:"name of the event"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type eventsOut struct {
	Body struct {
		Events []Event `json:"events" doc:"newest first"`
	}
}

// eventsWindow is how far events go back where nobody says.
const eventsWindow = 24 * time.Hour

func (s *server) events(ctx context.Context, in *eventsIn) (*eventsOut, error) {
	from, to, err := in.bounds(s.Now(), eventsWindow)
	if err != nil {
		return nil, err
	}
	if _, err := s.known(ctx, in.ID); err != nil {
		return nil, err
	}
	all, err := s.store.Events(ctx, in.ID, in.Event, from, to, in.Limit)
	if err != nil {
		return nil, err
	}
	out := new(eventsOut)
	out.Body.Events = []Event{}
	for _, e := range all {
		out.Body.Events = append(out.Body.Events, Event{e.Time, e.Event.Event, e.Data, e.Stream.String(), e.Seq})
	}
	return out, nil
}

// DeadLetter is something that could not be accepted.
type DeadLetter struct {
	ID        int64     `json:"id"`
	Received  time.Time `json:"received_at" doc:"the first time"`
	Last      time.Time `json:"last_at"`
	Count     int       `json:"count" doc:"how often it came"`
	Device    string    `json:"device,omitempty"`
	Topic     string    `json:"topic"`
	Code      string    `json:"code"`
	Text      string    `json:"text"`
	Stream    string    `json:"stream,omitempty"`
	Lane      string    `json:"lane,omitempty"`
	First     uint64    `json:"first,omitempty"`
	Through   uint64    `json:"last,omitempty"`
	Payload   string    `json:"payload"`
	Encoding  string    `json:"encoding" enum:"text,base64" doc:"of payload"`
	Truncated bool      `json:"truncated,omitempty" doc:"payload is only its beginning"`
	Replayed  time.Time `json:"replayed_at,omitzero" doc:"when its records went into the database after all"`
}

type deadLettersIn struct {
	Device string `query:"device" maxLength:"64"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type deadLettersOut struct {
	Body struct {
		DeadLetters []DeadLetter `json:"dead_letters" doc:"newest first"`
	}
}

func (s *server) deadLetters(ctx context.Context, in *deadLettersIn) (*deadLettersOut, error) {
	all, err := s.store.Letters(ctx, in.Device, in.Limit)
	if err != nil {
		return nil, err
	}
	out := new(deadLettersOut)
	out.Body.DeadLetters = []DeadLetter{}
	for _, l := range all {
		out.Body.DeadLetters = append(out.Body.DeadLetters, newDeadLetter(l))
	}
	return out, nil
}

func newDeadLetter(l store.Letter) DeadLetter {
	d := DeadLetter{
		ID: l.ID, Received: l.Received, Last: l.Last, Count: l.Count, Device: l.Device, Topic: l.Topic, Code: l.Code, Text: l.Text,
		Lane: string(l.Lane), First: l.First, Through: l.Through,
		Payload: string(l.Payload), Encoding: "text", Truncated: l.Size > len(l.Payload), Replayed: l.Replayed,
	}
	if !l.Stream.IsZero() {
		d.Stream = l.Stream.String()
	}
	if !utf8.Valid(l.Payload) {
		d.Payload, d.Encoding = base64.StdEncoding.EncodeToString(l.Payload), "base64"
	}
	return d
}
