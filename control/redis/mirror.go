// Package redis mirrors the gateway into a Redis on the device, for programs that read the older system's keys:
//
//   - measurement:values is a stream, trimmed, with one entry for each reading: a field for each quantity, the value as a
//     string, and _sensor. The entry's id is the reading's time in milliseconds and a serial.
//   - measurement:enabled and mqtt_sender:enabled are "1" or "0", measurement:interval and mqtt_sender:interval are seconds,
//     mqtt_sender:last_id is the id behind which sending goes on. Who writes one changes the gateway's setting, as a command
//     does; what the gateway refuses, or somebody deletes, is written again. At the start the gateway's values win.
//
// It is a mirror and never the store. The gateway runs unchanged while Redis is absent, slow or restarted: calls into a
// [Mirror] never wait, a bounded queue holds what Redis has not taken, and what it has no room for is dropped, oldest
// first, and counted. Nothing here is durable.
package redis

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"holdfast"
)

// Keys of the older system.
const (
	KeyValues          = "measurement:values"
	KeyEnabled         = "measurement:enabled"
	KeyInterval        = "measurement:interval"
	KeySendingEnabled  = "mqtt_sender:enabled"
	KeySendingInterval = "mqtt_sender:interval"
	KeyLastID          = "mqtt_sender:last_id"
)

// Options say which Redis and what to do with it.
type Options struct {
	Address  string // host:port, or the path of a unix socket
	Password string
	DB       int
	MaxLen   int64         // about how many entries the stream keeps; default 10000
	Queue    int           // how many readings wait for Redis; default 1000
	Poll     time.Duration // how often keys are looked at; default 1s

	Keys []string                                           // that are mirrored; Get and Set are needed with them
	Get  func(key string) (string, error)                   // the gateway's value
	Set  func(ctx context.Context, key, value string) error // changes it; after an error the gateway's own is written again
	Log  *slog.Logger                                       // nil: none
}

// A Mirror writes to Redis what it is told, and tells what others wrote. Its methods may be called from any goroutine. A nil
// Mirror mirrors nothing.
type Mirror struct {
	o       Options
	queue   chan entry
	changed chan struct{} // a value of the gateway changed

	written, dropped atomic.Uint64
	connected        atomic.Bool

	// What only Run's goroutine uses.
	pending *entry // Redis may or may not have taken it
	ids     ids
	known   map[string]string // what the keys held when they were last read or written
	warned  bool              // that Redis is not there, at least once
}

// Status tells how the mirror does.
type Status struct {
	Connected bool   `json:"connected"`
	Written   uint64 `json:"written"` // readings that Redis has taken
	Dropped   uint64 `json:"dropped"` // readings that it did not take in time
}

// New returns a mirror, which [Mirror.Run] brings to life.
func New(o Options) *Mirror {
	if o.MaxLen <= 0 {
		o.MaxLen = 10000
	}
	if o.Queue <= 0 {
		o.Queue = 1000
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Mirror{o: o, queue: make(chan entry, o.Queue), changed: make(chan struct{}, 1), known: map[string]string{}}
}

// Value mirrors a reading. It never waits.
func (m *Mirror) Value(r *holdfast.Reading) {
	if m == nil {
		return
	}
	e, ok := newEntry(r)
	if !ok {
		return
	}
	for {
		select {
		case m.queue <- e:
			return
		default:
		}
		select {
		case <-m.queue:
			m.dropped.Add(1)
		default:
		}
	}
}

// Changed says that the value of a key may have changed. It never waits.
func (m *Mirror) Changed() {
	if m == nil {
		return
	}
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Status returns how the mirror does.
func (m *Mirror) Status() Status {
	if m == nil {
		return Status{}
	}
	return Status{m.connected.Load(), m.written.Load(), m.dropped.Load()}
}

const (
	opTimeout  = time.Second
	maxBackOff = 30 * time.Second
	minBackOff = 250 * time.Millisecond
)

// Run mirrors until ctx ends. It returns nil then.
func (m *Mirror) Run(ctx context.Context) error {
	if m == nil {
		<-ctx.Done()
		return nil
	}
	client := goredis.NewClient(&goredis.Options{
		Addr: m.o.Address, Password: m.o.Password, DB: m.o.DB,
		// Retrying is done here, where it is known what may have been taken already.
		MaxRetries: -1, DialerRetries: 1,
		DialTimeout: opTimeout, ReadTimeout: opTimeout, WriteTimeout: opTimeout, ContextTimeoutEnabled: true,
		PoolSize: 1, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	defer client.Close()
	backOff := minBackOff
	for ctx.Err() == nil {
		start := time.Now()
		err := m.session(ctx, client)
		if ctx.Err() != nil {
			break
		}
		m.lost(err)
		if time.Since(start) > maxBackOff {
			backOff = minBackOff
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(backOff)):
		}
		backOff = min(2*backOff, maxBackOff)
	}
	return nil
}

// session mirrors until Redis fails or ctx ends.
func (m *Mirror) session(ctx context.Context, client *goredis.Client) error {
	poll := time.NewTicker(m.o.Poll)
	defer poll.Stop()
	if err := m.reconcile(ctx, client); err != nil {
		return err
	}
	for {
		if err := m.write(ctx, client); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case e := <-m.queue:
			e.id = m.ids.next(e.time, e.given)
			m.pending = &e
		case <-m.changed:
			if err := m.reconcile(ctx, client); err != nil {
				return err
			}
		case <-poll.C:
			if err := m.reconcile(ctx, client); err != nil {
				return err
			}
			m.found()
		}
	}
}

func (m *Mirror) found() {
	if !m.connected.Swap(true) {
		m.o.Log.Info("redis mirror runs", "address", m.o.Address)
	}
}

// lost warns once for each time that the connection is lost, and at the first start without one.
func (m *Mirror) lost(err error) {
	if m.connected.Swap(false) || !m.warned {
		m.warned = true
		m.o.Log.Warn("redis mirror is interrupted", "address", m.o.Address, "err", err)
	}
}
