package broker

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"holdfast/mqtt"
)

// A broker whose store is full drops the oldest messages and goes on taking new ones, and is well again when its readers have caught up.
func TestFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func(bytes int64) *Broker {
		o := options(dir, slog.New(slog.NewTextHandler(t.Output(), nil)))
		o.MaxBytes = bytes
		b, err := Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		return b
	}
	start(512 << 10).Close() // the bound of an earlier start is changed, and what is kept stays
	b := start(1 << 20)
	if _, err := os.Stat(dir + ".damaged"); err == nil {
		t.Error("the folder was put aside")
	}
	o := mqtt.Options{ClientID: "receiver-one", ManualAck: true}
	receiver, _ := client(t, b.Link(), o)
	subscribe(t, receiver, "devices/+/telemetry")
	receiver.Close(t.Context())

	gateway, _ := client(t, b.Link(), mqtt.Options{ClientID: "pi-7-one", CleanSession: true})
	const sent = 60
	for range sent {
		publish(t, gateway, "devices/pi-7/telemetry", strings.Repeat("x", 64<<10), false)
	}
	receiver, in := client(t, b.Link(), o)
	kept := 0
	for waiting := true; waiting; {
		select {
		case m := <-in:
			m.Ack()
			kept++
		case <-time.After(2 * time.Second):
			waiting = false
		}
	}
	if kept == 0 || kept >= sent {
		t.Errorf("%d of %d kept, want what fits into 1 MiB", kept, sent)
	}
	publish(t, gateway, "devices/pi-7/telemetry", "afterwards", false)
	want(t, in, "afterwards").Ack()
	if err := receiver.Err(); err != nil {
		t.Error(err)
	}
}
