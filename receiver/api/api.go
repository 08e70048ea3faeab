// Package api is the receiver's HTTP API: devices, readings, completeness, alerts, events, dead letters, what is happening
// right now, health and metrics. What it changes is what only a person can say: that a dead letter is to be taken in after
// all, that a device was another one before, whether a device's data is taken, and what a device is to do.
//
// Shapes and bounds of everything stand in /openapi.json, which is made from the types of this package. Times are RFC 3339 in
// UTC; values carry the unit that their quantity's name ends in. Errors are problem+json and say what would be right.
//
// Every query is bounded: by a limit with a maximum, and by [patience], after which the answer is 503 and the advice to ask
// for less. There is no log-in yet, so whoever serves this keeps it on loopback or behind something that has one; pages of
// other sites cannot change anything through a browser that has both open.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"holdfast"
	"holdfast/internal/ui"
	"holdfast/receiver"
	"holdfast/receiver/store"
)

// patience is how long one query may take.
const patience = 15 * time.Second

// maxDevices bounds lists of devices, maxSeries those of a device's series.
const (
	maxDevices = 1000
	maxSeries  = 1000
)

// server answers requests.
type server struct {
	*receiver.Receiver
	store *store.Store
	wake  func() // tells the desk that something waits
}

// New returns the handler of /api/v1/, /healthz, /metrics and /openapi.json.
// wake is called after something was put into the database for a device; it must not block.
func New(r *receiver.Receiver, wake func()) http.Handler {
	s := &server{r, r.Store, wake}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Holdfast receiver", r.Version)
	config.Info.Description = "What the database holds of every reading, and what became of those that it does not hold."
	config.DocsPath = "" // its page loads scripts from elsewhere
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema in answers
	config.RejectUnknownQueryParameters = true
	a := humago.New(mux, config)

	get(a, "list-devices", "/api/v1/devices", "Devices", s.devices)
	get(a, "get-device", "/api/v1/devices/{id}", "A device, what it measures, and its latest values", s.device)
	get(a, "list-readings", "/api/v1/devices/{id}/readings", "Samples of a device, or a summary for a chart", s.readings)
	get(a, "get-device-completeness", "/api/v1/devices/{id}/completeness", "What became of every number of a device", s.deviceCompleteness)
	get(a, "list-completeness", "/api/v1/completeness", "What became of every number", s.completeness)
	get(a, "list-alerts", "/api/v1/alerts", "The latest step of each alert", s.alerts)
	get(a, "list-events", "/api/v1/devices/{id}/events", "Events of a device", s.events)
	get(a, "list-dead-letters", "/api/v1/dead-letters", "What could not be accepted, and why", s.deadLetters)
	get(a, "get-health", "/healthz", "Whether the receiver can receive", s.health)
	change(a, "replay-dead-letter", http.MethodPost, "/api/v1/dead-letters/{id}/replay", "Take in after all what a dead letter holds", s.replay)
	change(a, "set-predecessor", http.MethodPut, "/api/v1/devices/{id}/predecessors/{former}", "Let a device bring the streams of its former id", s.adopt)
	change(a, "set-device-status", http.MethodPut, "/api/v1/devices/{id}/status", "Approve, suspend or retire a device", s.setStatus)
	get(a, "list-commands", "/api/v1/devices/{id}/commands", "Commands of a device, and what it answered", s.commands)
	get(a, "get-command", "/api/v1/devices/{id}/commands/{command}", "A command, and what the device answered", s.command)
	change(a, "send-command", http.MethodPost, "/api/v1/devices/{id}/commands", "Send a command, at once or when the device comes online", s.sendCommand)
	change(a, "withdraw-command", http.MethodDelete, "/api/v1/devices/{id}/commands/{command}", "Send a command no more", s.withdrawCommand)
	get(a, "get-shadow", "/api/v1/devices/{id}/shadow", "The last shadow of a device, and what it has not heard yet", s.shadow)
	change(a, "wish-too", http.MethodPost, "/api/v1/devices/{id}/shadow", "The same as PATCH, for clients that have none", s.wish)
	change(a, "wish", http.MethodPatch, "/api/v1/devices/{id}/shadow", "Wish for settings, which the device hears at once or when it comes online", s.wish)
	change(a, "take-back-wishes", http.MethodDelete, "/api/v1/devices/{id}/shadow", "Take back all that is desired", s.takeBack)
	mux.HandleFunc("GET /api/v1/live", s.live)
	mux.Handle("GET /metrics", r.Metrics.Handler())
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ui.Problem(w, http.StatusForbidden, "another site sent this request; only the receiver's pages and programs may")
	}))
	return own.Handler(ui.Routed(mux, "/openapi.json"))
}

// get registers one operation. Its time is bounded, and its errors become answers.
func get[I, O any](a huma.API, id, path, summary string, f func(context.Context, *I) (*O, error)) {
	change(a, id, http.MethodGet, path, summary, f)
}

// change is get for an operation with another method.
func change[I, O any](a huma.API, id, method, path, summary string, f func(context.Context, *I) (*O, error)) {
	huma.Register(a, huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary},
		func(ctx context.Context, in *I) (*O, error) {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			out, err := f(ctx, in)
			if ctx.Err() != nil {
				return nil, huma.Error503ServiceUnavailable("the query took too long: ask for a shorter time, fewer series or fewer points")
			}
			return out, err
		})
}

// OfDevice is the part of a path that names a device.
type OfDevice struct {
	ID string `path:"id" maxLength:"64" doc:"device id"`
}

// known returns the device, or the error that there is none.
func (s *server) known(ctx context.Context, id string) (store.Device, error) {
	found, err := s.store.Devices(ctx, id, 1)
	if err != nil {
		return store.Device{}, err
	}
	if id == "" || len(found) == 0 {
		return store.Device{}, huma.Error404NotFound("no device " + id + ": see /api/v1/devices for those there are")
	}
	return found[0], nil
}

// Window are the bounds of time of a query.
type Window struct {
	From time.Time `query:"from" doc:"first instant, RFC 3339"`
	To   time.Time `query:"to" doc:"first instant behind, RFC 3339; default now"`
}

// bounds returns the window, of the given length up to now where it is not said.
func (w Window) bounds(now time.Time, length time.Duration) (from, to time.Time, err error) {
	from, to = w.From, w.To
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-length)
	}
	if !from.Before(to) {
		return from, to, huma.Error422UnprocessableEntity("from is not before to",
			&huma.ErrorDetail{Message: "want a time before " + to.Format(time.RFC3339), Location: "query.from", Value: from.Format(time.RFC3339)})
	}
	return holdfast.Micro(from), holdfast.Micro(to), nil
}

// healthOut is the answer to "are you well?".
type healthOut struct {
	Status int
	Body   struct {
		Status   string `json:"status" enum:"ok,failing"`
		Database string `json:"database" doc:"ok, or why it takes no writes"`
		Broker   string `json:"broker" doc:"ok, or why there is no connection"`
		Store    string `json:"store" doc:"names the database in receipts"`
		Version  string `json:"version"`
	}
}

func (s *server) health(ctx context.Context, _ *struct{}) (*healthOut, error) {
	out := &healthOut{Status: http.StatusOK}
	b := &out.Body
	b.Status, b.Database, b.Broker = "ok", "ok", "ok"
	b.Store, b.Version = s.store.ID().String(), s.Version
	soon, cancel := context.WithTimeout(ctx, patience/3)
	defer cancel()
	for _, check := range []struct {
		text *string
		err  error
	}{{&b.Database, s.store.Writable(soon)}, {&b.Broker, s.Connected()}} {
		if check.err != nil {
			*check.text, b.Status, out.Status = check.err.Error(), "failing", http.StatusServiceUnavailable
		}
	}
	return out, nil
}
