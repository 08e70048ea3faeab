package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/receiver"
	"holdfast/receiver/store"
	"holdfast/sensors/simulated"
)

const late = 10 * time.Minute

// The receiver comes ten minutes after a gateway that was told to wait for it: nothing is missing.
func TestReceiverStartsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		stop := b.gateway(holdfast.AckReceipt)
		time.Sleep(late)
		b.receiver()
		time.Sleep(time.Minute)
		taken := stop()
		b.check(taken)
	})
}

// The receiver comes ten minutes after a gateway that knew of none and had handed everything to the broker, and is bound
// then: all is sent again under its old numbers, and nothing is missing.
func TestReceiverBoundLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		stop := b.gateway(holdfast.AckPuback)
		time.Sleep(late)
		taken := stop()
		b.receiver()
		stop = b.gateway(holdfast.AckReceipt)
		time.Sleep(time.Minute)
		b.check(taken + stop())
	})
}

// A bubble is a whole system in which time is the test's: the gateway on a simulated Pi with a real buffer file, a broker
// in memory, the receiver with a real database.
type bubble struct {
	t      *testing.T
	dir    string
	broker *testenv.Broker
	store  *store.Store
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
	cfg, err := loadConfig("", variables("DATA_DIR", filepath.Join(b.dir, "gateway"), "HTTP_LISTEN", "off",
		"DEVICE_ID", "late", "MQTT_HOST", "memory", "MQTT_ACK", string(mode)))
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
		dial:          b.broker.Dial,
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
	}
}

// receiver starts the receiver, which ends with the test.
func (b *bubble) receiver() {
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
	b.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("receiver: %v", err)
		}
	})
}

// check expects every reading that was taken in the database once, and no number unaccounted for.
func (b *bubble) check(taken uint64) {
	b.t.Helper()
	c, err := receiver.Complete(b.t.Context(), b.store, "late")
	if err != nil {
		b.t.Fatal(err)
	}
	var telemetry receiver.Totals
	for _, stream := range c.Streams {
		for _, lane := range stream.Lanes {
			if lane.Lane == holdfast.LaneTelemetry {
				telemetry.Data += lane.Data
				telemetry.Head += lane.Head
			}
		}
	}
	b.t.Logf("%d readings taken, %d stored; all lanes: %+v", taken, telemetry.Data, c.Totals)
	if want := uint64(2 * late / time.Second); taken < want {
		b.t.Errorf("took %d readings of two sensors in %v, want at least %d", taken, late, want)
	}
	if telemetry.Data != taken || telemetry.Head != taken || c.Totals.Missing != 0 || c.Totals.Dropped != 0 || c.Totals.Rejected != 0 {
		b.t.Errorf("stored %d of %d readings taken; of %d numbers are missing %d, dropped %d, rejected %d",
			telemetry.Data, taken, c.Totals.Head, c.Totals.Missing, c.Totals.Dropped, c.Totals.Rejected)
	}
}
