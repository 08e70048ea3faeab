package receiver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

// Options of [New].
type Options struct {
	Store    *store.Store
	Link     mqtt.Options // broker and credentials; the receiver itself sets client id, session, last will and handler
	Topics   holdfast.Topics
	Instance string           // names this receiver among those of one broker: [A-Za-z0-9_-]{1,64}
	Version  string           // of the program, for the presence
	New      NewDevices       // what becomes of a device that nobody registered; default [TakeNew]
	Now      func() time.Time // nil for the system's clock
	Log      *slog.Logger     // nil for none
}

// A Receiver takes batches from a broker into the database.
type Receiver struct {
	Options
	Metrics *Metrics
	start   string // minted anew for each process: gateways send again when they see another
	feed    feed

	told newcomers

	mu   sync.Mutex
	down error // why there is no connection; nil while there is one
}

// Back-off between two connections.
const (
	firstDelay = 500 * time.Millisecond
	lastDelay  = 30 * time.Second
)

// steady is how long a connection must have lived for the back-off to begin anew.
const steady = 10 * time.Second

// New returns a receiver that does nothing before [Receiver.Run].
func New(o Options) (*Receiver, error) {
	if err := holdfast.CheckDevice(o.Instance); err != nil {
		return nil, fmt.Errorf("receiver instance %q: want 1 to 64 of A-Z a-z 0-9 _ -, and not broadcast", o.Instance)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.New == "" {
		o.New = TakeNew
	}
	if err := o.New.Validate(); err != nil {
		return nil, err
	}
	return &Receiver{
		Options: o,
		Metrics: newMetrics(),
		start:   rand.Text(),
		feed:    feed{subscribers: make(map[*subscriber]bool)},
		down:    errors.New("not connected yet"),
	}, nil
}

// Run receives until ctx ends, through as many connections as that takes, and then returns nil, with the presence offline.
func (r *Receiver) Run(ctx context.Context) error {
	var keeping sync.WaitGroup
	defer keeping.Wait()
	keeping.Go(func() { r.keep(ctx) })
	delay := firstDelay
	for {
		began := time.Now()
		err := r.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		r.setDown(err)
		if time.Since(began) >= steady {
			delay = firstDelay
		}
		pause := time.NewTimer(mathrand.N(delay) + delay/10)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		if !mqtt.NobodyListens(err) { // a broker that is started again is there again soon, and asking costs it nothing
			delay = min(2*delay, lastDelay)
		}
	}
}

// Connected returns nil while there is a connection to the broker, and why there is none otherwise.
func (r *Receiver) Connected() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down
}

// setDown notes why there is no connection, nil where there is one, and logs what changed.
func (r *Receiver) setDown(err error) {
	r.mu.Lock()
	before := r.down
	r.down = err
	r.mu.Unlock()
	r.Metrics.setConnected(err == nil)
	switch {
	case err == nil:
		r.Log.Info("receiving", "instance", r.Instance, "store", r.Store.ID())
	case before == nil || before.Error() != err.Error():
		r.Log.Warn("not receiving", "err", err)
	}
}
