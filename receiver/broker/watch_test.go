package broker

import (
	"testing"
	"time"

	"holdfast/mqtt"
)

// NATS shuts its store down at the first write to a full disk, for good. The broker takes messages again soon.
func TestStoreIsStartedAgain(t *testing.T) {
	t.Parallel()
	b := serve(t, t.TempDir())
	b.mu.Lock()
	before := b.current
	b.mu.Unlock()
	if err := before.server.ShutdownJetStream(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if err := pass(t, b); err == nil {
			return
		}
		select {
		case <-t.Context().Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Errorf("the broker takes no message: %v", b.health())
}

// pass publishes a message.
func pass(t *testing.T, b *Broker) error {
	t.Helper()
	conn, err := mqtt.Connect(t.Context(), as(b.Link(), mqtt.Options{ClientID: "pi-7-one", CleanSession: true}))
	if err != nil {
		return err
	}
	defer conn.Close(t.Context())
	return conn.Publish(t.Context(), mqtt.Message{Topic: "devices/pi-7/telemetry", Payload: []byte("x")})
}
