package profile

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/uplink"
)

// Records are the durable records of a lane, in order, as far as they are still there: see buffer.Follow.
type Records interface {
	Follow(lane holdfast.Lane, after holdfast.Position, f func(at holdfast.Position, record json.RawMessage) bool) error
}

// A Format writes readings as messages.
type Format interface {
	// Messages returns at least one message for some readings, at most maxReadings of them.
	Messages(readings []*holdfast.Reading) ([]mqtt.Message, error)
}

// Options say what to publish, where and how. Records, Broker, Format, Enabled and Interval are needed.
type Options struct {
	Records Records
	Broker  mqtt.Options // client id, address, credentials
	Format  Format
	Flat    *Flat               // answers requests; nil: nobody is listened to
	Device  Device              // whom requests are for; needed with Flat
	Hello   func() mqtt.Message // published at the begin of each session; nil: nothing
	Bye     func() mqtt.Message // published when Run ends, in place of the last will; nil: nothing

	Enabled  func() bool          // whether readings are published now
	Interval func() time.Duration // how often

	Cursor holdfast.Position       // where to go on
	Moved  func(holdfast.Position) // keeps the cursor; called when what lies before it was acknowledged

	Rand func() float64 // jitter in [0,1); default math/rand
	Log  *slog.Logger
}

// Status is what there is to know of the link. Counters are of this start.
type Status struct {
	Up        bool
	Since     time.Time // of Up, or of its loss; zero before the first connection
	Error     string    // why the link is down
	Published uint64    // readings that the broker has acknowledged
}

// A Profile publishes one gateway's readings. Its methods may be called from any goroutine; Run once.
type Profile struct {
	o       Options
	rewound chan struct{} // the cursor was set: there may be something to publish

	mu     sync.Mutex
	cursor holdfast.Position
	lastID string // of the newest reading before the cursor; empty where it has to be looked up
	status Status
	broker mqtt.Options
	stands func() // told when a session with that broker stands; may be nil
	leave  func() // ends the session
}

// New returns a profile that does nothing until [Profile.Run].
func New(o Options) *Profile {
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Moved == nil {
		o.Moved = func(holdfast.Position) {}
	}
	return &Profile{o: o, cursor: o.Cursor, rewound: make(chan struct{}, 1), broker: o.Broker}
}

// Run publishes until ctx ends and returns nil. A nil Profile only waits.
func (p *Profile) Run(ctx context.Context) error {
	if p == nil {
		<-ctx.Done()
		return nil
	}
	pause := uplink.Backoff{Rand: p.o.Rand}
	for ctx.Err() == nil {
		here, leave := p.begin(ctx)
		p.attempt(here, &pause)
		if here.Err() != nil {
			pause.Reset()
		}
		leave()
	}
	return nil
}

// begin returns the context of sessions with the broker of now.
func (p *Profile) begin(ctx context.Context) (here context.Context, leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.o.Broker = p.broker
	here, p.leave = context.WithCancel(ctx)
	return here, p.leave
}

// attempt is one session and the pause after it.
func (p *Profile) attempt(here context.Context, pause *uplink.Backoff) {
	if p.o.Broker.Broker == "" && p.o.Broker.Dial == nil {
		<-here.Done()
		return
	}
	published := p.Status().Published
	err := p.session(here)
	if here.Err() != nil {
		return
	}
	p.down(err)
	if p.Status().Published > published {
		pause.Reset()
	}
	wait(here, pause.After(err))
}

// Retarget takes leave of the broker of now, and goes on with another at once, under the client id and with the last will of
// before. stands, which may be nil and must not block, is told when a session with it stands.
func (p *Profile) Retarget(broker mqtt.Options, stands func()) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	broker.ClientID, broker.Will = p.broker.ClientID, p.broker.Will
	p.broker, p.stands = broker, stands
	p.status = Status{Published: p.status.Published}
	if p.leave != nil {
		p.leave()
	}
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Status returns the state of the link. That of a nil Profile is zero.
func (p *Profile) Status() Status {
	if p == nil {
		return Status{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Cursor returns the position behind which the next reading to publish lies.
func (p *Profile) Cursor() holdfast.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cursor
}

// SetCursor makes the profile go on behind at.
func (p *Profile) SetCursor(at holdfast.Position) {
	p.mu.Lock()
	p.cursor, p.lastID = at, ""
	p.mu.Unlock()
	p.o.Moved(at)
	select {
	case p.rewound <- struct{}{}:
	default:
	}
}

// move moves the cursor, unless somebody has set it meanwhile.
func (p *Profile) move(from, to holdfast.Position, readings []*holdfast.Reading) {
	p.mu.Lock()
	p.status.Published += uint64(len(readings))
	moved := p.cursor == from
	if moved {
		p.cursor = to
	}
	if n := len(readings); moved && n > 0 {
		p.lastID = "(" + idOf(readings[n-1])
	}
	p.mu.Unlock()
	if moved {
		p.o.Moved(to)
	}
}

func (p *Profile) up() {
	p.mu.Lock()
	p.status.Up, p.status.Since, p.status.Error = true, time.Now().UTC(), ""
	stands := p.stands
	p.mu.Unlock()
	if stands != nil {
		stands()
	}
	p.o.Log.Info("profile's link up", "broker", p.o.Broker.Broker)
}

func (p *Profile) down(err error) {
	p.mu.Lock()
	changed := p.status.Up || p.status.Error == ""
	if changed {
		p.status.Since = time.Now().UTC()
	}
	p.status.Up, p.status.Error = false, err.Error()
	p.mu.Unlock()
	if changed {
		p.o.Log.Warn("profile's link down", "broker", p.o.Broker.Broker, "err", err)
	}
}
