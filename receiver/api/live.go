package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"holdfast"
	"holdfast/receiver"
)

const (
	heartbeat   = 15 * time.Second // a comment, so that nobody between takes the connection for dead
	writeWithin = 10 * time.Second
	stale       = 5 * time.Minute // a sample older than this is history that catches up, and not live
)

// live streams what is committed as server-sent events, until the client goes away or the server stops.
func (s *server) live(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	live, cancel := s.Subscribe(r.URL.Query().Get("device"))
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	text := ": live\n\n"
	for {
		if out.SetWriteDeadline(time.Now().Add(writeWithin)) != nil {
			return
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return
		}
		if len(live) == 0 && out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			text = ":\n\n"
		case l := <-live:
			text = s.tell(l)
		}
	}
}

// tell returns the event for l, or "" where it is not worth one.
func (s *server) tell(l receiver.Live) string {
	var data any
	switch l.Kind {
	case receiver.LiveSample:
		if s.Now().Sub(l.Reading.Time) > stale {
			return ""
		}
		data = liveSample{l.Device, l.Reading.Time, l.Reading.Sensor, l.Reading.Values, l.Reading.Quality, l.Seq}
	case receiver.LiveAlert:
		data = newAlert(l.Device, l.Alert)
	case receiver.LiveEvent:
		data = liveEvent{l.Device, Event{l.Event.Time, l.Event.Event, l.Event.Data, l.Stream.String(), l.Seq}}
	case receiver.LiveDevice:
		data = liveDevice{l.Device, l.Online}
	case receiver.LiveResponse:
		data = liveResponse{l.Device, l.Result}
	case receiver.LiveLagged:
		data = liveLagged{l.Dropped}
	}
	line, err := json.Marshal(data)
	if err != nil {
		return "" // numbers and texts that were JSON when they came
	}
	return fmt.Sprintf("event: %s\ndata: %s\n\n", l.Kind, line)
}

type liveSample struct {
	Device  string                      `json:"device"`
	Time    time.Time                   `json:"time"`
	Sensor  string                      `json:"sensor"`
	Values  map[string]float64          `json:"values"`
	Quality map[string]holdfast.Quality `json:"quality,omitempty"`
	Seq     uint64                      `json:"seq"`
}

type liveEvent struct {
	Device string `json:"device"`
	Event
}

type liveDevice struct {
	Device string `json:"device"`
	Online bool   `json:"online"`
}

type liveResponse struct {
	Device string `json:"device"`
	*holdfast.Result
}

type liveLagged struct {
	Dropped int `json:"dropped"`
}
