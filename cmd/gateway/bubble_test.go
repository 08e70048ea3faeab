package main

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/receiver"
	"holdfast/receiver/store"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// A bubble is a whole system in which time is the test's: the gateway on a simulated Pi with a real buffer file, a broker
// in memory, the receiver with a real database.
type bubble struct {
	t      *testing.T
	dir    string
	broker *testenv.Broker
	store  *store.Store
	clock  *steppedClock // nil for one that is right
	rules  string        // a set's text; "" for none

	lines     *lines                                                    // nil for a Pi whose lines nobody drives
	config    string                                                    // YAML
	commands  int                                                       // sent
	running   atomic.Pointer[gateway]                                   // the newest one, once it is put together
	dialHost  func(host string) func(context.Context) (net.Conn, error) // nil where there is one broker
	assembled func(*gateway)
}

// lines are what a bubble's gateway drives, by consumer.
type lines struct {
	mu  sync.Mutex
	all map[string]*simulated.Line
}

func (l *lines) add(consumer string, on bool) *simulated.Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[string]*simulated.Line)
	}
	l.all[consumer] = simulated.NewLine(on)
	return l.all[consumer]
}

func (l *lines) get() map[string]*simulated.Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.all)
}

func newBubble(t *testing.T) *bubble {
	b := &bubble{t: t, dir: t.TempDir(), broker: testenv.MemoryBroker(t)}
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(b.dir, "receiver.db")})
	if err != nil {
		t.Fatal(err)
	}
	b.store = s
	t.Cleanup(func() { s.Close() })
	return b
}

// gateway starts a gateway; stop ends it and returns how many readings it took.
func (b *bubble) gateway(mode holdfast.AckMode) (stop func() uint64) {
	b.t.Helper()
	return b.gatewayOf("bubble", mode)
}

// gatewayOf is gateway under another device id.
func (b *bubble) gatewayOf(device string, mode holdfast.AckMode) (stop func() uint64) {
	b.t.Helper()
	stop, _ = b.gatewayWithButton(device, mode)
	return stop
}

// gatewayWithButton is gateway, and what is sent to presses is a press of its button.
func (b *bubble) gatewayWithButton(device string, mode holdfast.AckMode) (stop func() uint64, presses chan<- holdfast.Press) {
	b.t.Helper()
	cfg, err := loadConfig("", variables("DATA_DIR", filepath.Join(b.dir, "gateway"), "HTTP_LISTEN", "off",
		"GATEWAY_CONFIG", b.config, "DEVICE_ID", device, "MQTT_HOST", "memory", "MQTT_ACK", string(mode)))
	if err != nil {
		b.t.Fatal(err)
	}
	start := time.Now()
	w := world{
		log: slog.New(slog.DiscardHandler),
		now: func() holdfast.Instant {
			return holdfast.Instant{Time: holdfast.Micro(time.Now()), Boot: "bubble", Mono: time.Since(start).Microseconds(), Synchronized: true}
		},
		sensorChanges: make(chan holdfast.SensorChange, changes),
		presses:       make(chan holdfast.Press),
		dial:          b.broker.Dial, dialHost: b.dialHost,
		assembled: func(g *gateway) {
			b.running.Store(g)
			if b.assembled != nil {
				b.assembled(g)
			}
		},
	}
	if b.lines != nil {
		w.openLine = func(o sensors.OutputOptions, on bool) (line, error) {
			return b.lines.add(o.Consumer, on), nil
		}
	}
	if b.clock != nil {
		w.now, w.clock = b.clock.Now, b.clock
	}
	if b.rules != "" {
		if cfg.Rules, err = readRuleSet(originFile, "rules.yaml", b.rules); err != nil {
			b.t.Fatal(err)
		}
	}
	w.source = samplerOf(&w, cfg, simulated.New(simulated.Options{Start: start}).Buses())
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cfg, w) }()
	return func() (taken uint64) {
		w.source.SetMeasuring(false)
		time.Sleep(5 * time.Second) // the last window commits, and its receipt comes
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("gateway: %v", err)
		}
		for _, s := range w.source.Sensors() {
			taken += s.Samples
		}
		return taken
	}, w.presses
}

// receiver starts the receiver, which ends with the test.
func (b *bubble) receiver() *receiver.Receiver {
	b.t.Helper()
	r, quit := b.startReceiver()
	b.t.Cleanup(quit)
	return r
}

// receiverUntil starts a receiver that ends when quit is called.
func (b *bubble) receiverUntil() (quit func()) {
	b.t.Helper()
	_, quit = b.startReceiver()
	return quit
}

func (b *bubble) startReceiver() (r *receiver.Receiver, quit func()) {
	b.t.Helper()
	r, err := receiver.New(receiver.Options{
		Store: b.store, Link: mqtt.Options{Dial: b.broker.Dial}, Instance: "cloud", Version: "test",
	})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	return r, func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("receiver: %v", err)
		}
	}
}

// telemetry counts the numbers of all telemetry lanes.
func (b *bubble) telemetry() (sum receiver.Totals) {
	b.t.Helper()
	for _, stream := range b.completeness().Streams {
		for _, lane := range stream.Lanes {
			if lane.Lane == holdfast.LaneTelemetry {
				sum.Data += lane.Data
				sum.Head += lane.Head
			}
		}
	}
	return sum
}

func (b *bubble) completeness() *receiver.Completeness {
	b.t.Helper()
	c, err := receiver.Complete(b.t.Context(), b.store, "bubble")
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// allStored expects every reading that was taken in the database once, and no number unaccounted for.
func (b *bubble) allStored(taken uint64) {
	b.t.Helper()
	all, telemetry := b.completeness().Totals, b.telemetry()
	b.t.Logf("%d readings taken, %d stored; all lanes: %+v", taken, telemetry.Data, all)
	if want := uint64(2 * late / time.Second); taken < want {
		b.t.Errorf("took %d readings of two sensors in %v, want at least %d", taken, late, want)
	}
	if telemetry.Data != taken || telemetry.Head != taken || all.Data != all.Head {
		b.t.Errorf("stored %d of %d readings taken; all lanes: %+v", telemetry.Data, taken, all)
	}
}
