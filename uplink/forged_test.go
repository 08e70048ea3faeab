package uplink

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/wire"
)

// Somebody else on the broker writes receipts. A broker that knows its clients drops them, and nothing is freed; on an open
// one they free what they name, which is where the promise ends there.
func TestForgedReceipts(t *testing.T) {
	t.Parallel()
	const records = 100
	for _, test := range []struct {
		name   string
		config func(t *testing.T) []string
		freed  int
	}{
		{"broker with access rules", accessRules, 0},
		{"open broker", func(*testing.T) []string { return nil }, records},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := testenv.Mosquitto(t, test.config(t)...)
			q := newTable(stream)
			q.fill(holdfast.LaneTelemetry, records)
			g := start(t, nil, q, func(o *Options) {
				o.Broker, o.Pin = login(broker, device), store
			})
			testenv.Poll(t.Context(), t, 20*time.Second, "the link", func() bool { return g.Status().Up })
			receiver, thief := join(t, broker, "receiver"), join(t, broker, "pi-8")
			forge(t, thief, holdfast.Range{First: 1, Last: records})

			// The true receiver's word about an event comes behind the forged one's, on the same topic.
			q.fill(holdfast.LaneEvent, 1)
			testenv.Poll(t.Context(), t, 20*time.Second, "the true receipt to free the event", func() bool {
				say(t, receiver, &holdfast.Receipt{Lane: holdfast.LaneEvent, Ranges: holdfast.Ranges{{First: 1, Last: 1}}})
				return q.pending(holdfast.LaneEvent) == 0
			})
			if freed := records - q.pending(holdfast.LaneTelemetry); freed != test.freed {
				t.Errorf("forged receipts freed %d records, want %d", freed, test.freed)
			}
			proof.Record(t, proof.Trial{Part: "Named counterexamples", Fault: "receipts forged by another client, " + test.name,
				Holds: map[bool]string{true: "the broker drops them; nothing is freed", false: "documented limit: they free what they name (see the next line for what heals)"}[test.freed == 0],
				Tried: 1, Unit: "forgeries"})
		})
	}
}

func forge(t *testing.T, c *mqtt.Conn, r holdfast.Range) {
	t.Helper()
	say(t, c, &holdfast.Receipt{Lane: holdfast.LaneTelemetry, Ranges: holdfast.Ranges{r}})
}

// say publishes a receipt about the gateway's stream and waits for the broker's acknowledgement, which it gives in any case.
func say(t *testing.T, c *mqtt.Conn, r *holdfast.Receipt) {
	t.Helper()
	r.V, r.Store, r.Stream = holdfast.Version, store, stream
	payload, err := wire.EncodeReceipt(r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Publish(ctx, mqtt.Message{Topic: holdfast.Topics{}.Device(device, holdfast.TopicReceipt), Payload: payload}); err != nil {
		t.Fatal(err)
	}
}

// join connects a client that goes by its own name, which is its password too.
func join(t *testing.T, broker *testenv.Server, name string) *mqtt.Conn {
	t.Helper()
	o := login(broker, name)
	o.ClientID, o.CleanSession = name, true
	c, err := mqtt.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func login(broker *testenv.Server, name string) mqtt.Options {
	return mqtt.Options{Broker: "tcp://" + broker.Addr, Username: name, Password: name}
}

// accessRules configures a mosquitto in which a device has its own topics and the receiver all.
func accessRules(t *testing.T) []string {
	t.Helper()
	program := testenv.NeedProgram(t, "mosquitto_passwd")
	dir := t.TempDir()
	passwords, rules := filepath.Join(dir, "passwords"), filepath.Join(dir, "acl")
	if err := os.WriteFile(passwords, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{device, "pi-8", "receiver"} {
		if out, err := exec.CommandContext(t.Context(), program, "-b", passwords, name, name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	text := fmt.Sprintf("user receiver\ntopic readwrite #\n\npattern read devices/%%u/receipt\npattern read devices/%%u/command\n"+
		"pattern read devices/broadcast/command\npattern read receivers/+/state\n%s",
		"pattern write devices/%u/telemetry\npattern write devices/%u/event\npattern write devices/%u/alert\n"+
			"pattern write devices/%u/state\npattern write devices/%u/catalog\npattern write devices/%u/response\n")
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"allow_anonymous false", "password_file " + passwords, "acl_file " + rules}
}
