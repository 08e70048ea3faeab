package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

// Options of [New].
type Options struct {
	Store    *store.Store
	Link     mqtt.Options // broker and credentials; the desk itself sets client id, session and handler
	Topics   holdfast.Topics
	Instance string           // of the receiver
	Now      func() time.Time // nil for the system's clock
	Log      *slog.Logger     // nil for none
}

// A Desk keeps commands and wishes, and hands them over.
type Desk struct {
	Options
	wake     chan struct{}
	online   map[string]presence // devices that said so; it belongs to Run
	unwanted complaint
}

// presence is what the desk knows of a device that is online.
type presence struct {
	stream holdfast.Stream
	heard  time.Time // what was sent before is due again
	next   time.Time // not before it is anything sent

	learned bool      // its shadow, on this connection
	ask     time.Time // for the shadow, not before
}

const (
	calm     = 50 * time.Millisecond // between two transactions
	group    = 64                    // messages in one
	look     = 250 * time.Millisecond
	tidy     = 10 * time.Second
	askPause = time.Minute           // between two requests for a shadow
	handful  = 8                     // commands sent to a device at once
	pace     = 60 * time.Millisecond // a gateway takes one every 50 ms

	firstDelay = 500 * time.Millisecond
	lastDelay  = 30 * time.Second

	// maxOnline bounds the devices that are known to be online: a broker may let in more than are registered.
	maxOnline = 100_000
)

// New returns a desk that does nothing before [Desk.Run].
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{Options: o, wake: make(chan struct{}, 1), online: make(map[string]presence)}
}

// Wake makes the desk look at once for what has been put into the database; it would do so within a moment by itself.
func (d *Desk) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, through as many connections as that takes, and then returns nil.
func (d *Desk) Run(ctx context.Context) error {
	delay, told := firstDelay, ""
	for {
		began := time.Now()
		err := d.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > lastDelay {
			delay = firstDelay
		}
		if text := fmt.Sprint(err); text != told {
			log := d.Log.Info // ingest, on the same broker, says it louder
			if errors.Is(err, mqtt.ErrRefused) {
				log = d.Log.Warn
			}
			log("commands are not kept at the moment", "err", err, "rights that it needs", "receiver acl mosquitto")
			told = text
		}
		pause := time.NewTimer(mathrand.N(delay) + delay/10)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		if !mqtt.NobodyListens(err) {
			delay = min(2*delay, lastDelay)
		}
	}
}

// complaint logs about what recurs once a minute, with how often it was.
type complaint struct {
	last  time.Time
	count int
}

func (c *complaint) about(log *slog.Logger, now time.Time, device, why string) {
	c.count++
	if now.Sub(c.last) < time.Minute {
		return
	}
	log.Warn("command not kept", "device", device, "why", why, "not kept since the last such line", c.count)
	c.last, c.count = now, 0
}
