package broker

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// healthInterval is how often the server is asked whether it still stores.
const healthInterval = 2 * time.Second

// sick is how many times in a row the server must say that it does not store.
const sick = 2

// watch starts the server again whenever it stores no more: NATS gives up a stream, or all of them, at the first write that
// fails, and does not try again. What it loses by that is sent again by the gateways. Where it cannot be started (the disk is
// still full), it is tried again; nobody can connect meanwhile.
func (b *Broker) watch(ctx context.Context) {
	tick := time.NewTicker(healthInterval)
	defer tick.Stop()
	for bad := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := b.health()
		if err == nil {
			bad = 0
			continue
		}
		if bad++; bad >= sick {
			b.restart(err)
		}
	}
}

var errDown = errors.New("it is not running")

// health says why the server does not store. Whether it answers it is not asked: on a busy machine it may be late.
func (b *Broker) health() error {
	b.mu.Lock()
	r := b.current
	b.mu.Unlock()
	if r == nil {
		return errDown
	}
	if h := r.server.Healthz(&server.HealthzOptions{}); h.StatusCode == http.StatusServiceUnavailable {
		return errors.New(h.Error)
	}
	return nil
}

func (b *Broker) restart(why error) {
	if r := b.swap(nil); r != nil {
		b.o.Log.Error("broker stores no more and is started again", "err", why)
		r.close()
	}
	r, err := b.start()
	if err != nil {
		b.o.Log.Warn("broker does not start yet", "err", err)
		return
	}
	b.swap(r)
	b.o.Log.Info("broker runs again", "address", b.Addr())
}

// swap puts r in the place of the current server, and returns that.
func (b *Broker) swap(r *life) *life {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.current
	b.current = r
	return before
}
