package dashboard

import (
	"context"
	"embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"holdfast"
	"holdfast/internal/ui"
)

//go:embed static
var static embed.FS

const (
	maxSubscribers = 16      // of the live stream, at a time
	maxScans       = 2       // of the history, at a time: a small Pi decodes some ten thousand records a second
	maxBody        = 1 << 20 // bytes of a request
)

// Status tells what the gateway is doing. It is called each second for every subscriber, concurrently, and must not wait
// for a disk or a network. The dashboard fills MayWrite and TokenSet itself.
type Status interface {
	Status(ctx context.Context) View
}

// History calls f with each record that the buffer holds between from and to, in order of time, until f returns false.
// It may read the disk. package buffer's Buffer is one.
type History interface {
	History(from, to time.Time, f func(lane holdfast.Lane, record []byte) bool) error
}

// Settings is the one arbiter of what can be set at run time. Set and Press return once the change is durable and has
// taken effect; an error that wraps holdfast.ErrInvalid means that the request was wrong, not the gateway.
type Settings interface {
	Get(key string) (holdfast.Setting, bool)
	Set(ctx context.Context, key string, value json.RawMessage, origin holdfast.Origin, reason string) (holdfast.Setting, error)
	// TakeBack has what the configuration says hold again.
	TakeBack(ctx context.Context, key string, origin holdfast.Origin, reason string) (holdfast.Setting, error)
	Press(ctx context.Context, press string) error // does what such a press of the hardware button does
}

// Alerts are those that the rules raised. Acknowledge returns once it is durable that somebody has seen the alert; an error that
// wraps holdfast.ErrInvalid means that there is no such alert, or that by is not 1 to 64 bytes.
type Alerts interface {
	Acknowledge(ctx context.Context, alert, by string) error
}

// Options are what New needs.
type Options struct {
	Status    Status
	History   History
	Settings  Settings
	Alerts    Alerts
	Rules     Rules
	Archive   Archive                            // not given: 404 for all records
	Simulated Simulated                          // not given where the Pi is real
	Scan      func(ctx context.Context) []string // what answers on the buses, a line each; not given: 404
	Health    func() error                       // nil while the gateway makes progress; must return at once. Not given: always well
	Metrics   http.Handler                       // answers GET /metrics; not given: 404
	Token     string                             // who sends it as bearer may write; empty: only the device itself may
	Log       *slog.Logger
}

// A Dashboard answers HTTP requests. It is for concurrent use.
type Dashboard struct {
	options     Options
	handler     http.Handler
	subscribers chan struct{}
	scans       chan struct{}
	taking      chan struct{} // of all records
	looking     chan struct{} // at the buses
}

// New returns a Dashboard. Status, History, Settings, Alerts, Rules and Log are required.
func New(o Options) *Dashboard {
	d := &Dashboard{
		options:     o,
		subscribers: make(chan struct{}, maxSubscribers),
		scans:       make(chan struct{}, maxScans),
		taking:      make(chan struct{}, 1),
		looking:     make(chan struct{}, 1),
	}
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ui.Problem(w, http.StatusForbidden, "another site sent this request; only this page and programs may")
	}))
	d.handler = ui.Secure(own.Handler(http.MaxBytesHandler(d.routes(), maxBody)))
	return d
}

// ServeHTTP implements http.Handler.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.handler.ServeHTTP(w, r) }

func (d *Dashboard) routes() http.Handler {
	page := ui.NewFiles(ui.Sub(static, "static"))
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page.File("index.html"))
	mux.Handle("GET /favicon.ico", ui.Shared().File("icon.svg"))
	mux.Handle("GET /static/", http.StripPrefix("/static/", page))
	mux.Handle("GET /static/ui/", http.StripPrefix("/static/ui/", ui.Shared()))
	mux.HandleFunc("GET /api/v1/status", d.status)
	mux.HandleFunc("GET /api/v1/live", d.live)
	mux.HandleFunc("GET /api/v1/history", d.history)
	mux.HandleFunc("GET /api/v1/events", d.events)
	mux.Handle("POST /api/v1/button", d.writer(d.button))
	mux.Handle("POST /api/v1/alerts/{id}/acknowledge", d.writer(d.acknowledge))
	mux.HandleFunc("GET /api/v1/settings/{key}", d.setting)
	mux.Handle("PUT /api/v1/settings/{key}", d.writer(d.set))
	mux.Handle("DELETE /api/v1/settings/{key}", d.writer(d.takeBack))
	mux.HandleFunc("GET /api/v1/rules", d.rules)
	mux.Handle("POST /api/v1/rules/check", d.writer(d.checkRules))
	if d.options.Archive != nil {
		mux.HandleFunc("GET /api/v1/records", d.records)
	}
	if d.options.Scan != nil {
		mux.Handle("POST /api/v1/scan", d.writer(d.onBuses))
	}
	if d.options.Simulated != nil {
		mux.HandleFunc("GET /api/v1/simulated", d.chips)
		mux.Handle("POST /api/v1/simulated", d.writer(d.fault))
	}
	mux.HandleFunc("GET /healthz", d.health)
	if d.options.Metrics != nil {
		mux.Handle("GET /metrics", d.options.Metrics)
	}
	return ui.Routed(mux, "")
}

func (d *Dashboard) health(w http.ResponseWriter, _ *http.Request) {
	if d.options.Health != nil {
		if err := d.options.Health(); err != nil {
			ui.Problem(w, http.StatusServiceUnavailable, err.Error())
			return
		}
	}
	reply(w, map[string]string{"status": "ok"})
}
