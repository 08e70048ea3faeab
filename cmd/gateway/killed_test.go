package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

// A real gateway is killed while it carries out a command, at a moment drawn anew each time: the command has at most one
// effect, and always a final state, the same whenever it is asked for. Then it is told to restart, and does.
func TestKilledDuringCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process ten times")
	}
	d := &desk{t: t, broker: testenv.Mosquitto(t, "set_tcp_nodelay true")}
	host, port, _ := strings.Cut(d.broker.Addr, ":")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &testenv.Process{
		Name: "gateway", Binary: self, Args: []string{"run", "--simulate"}, Log: testenv.LogFile(t, t.TempDir(), "gateway"),
		Env: []string{"DATA_DIR=" + filepath.Join(t.TempDir(), "data"), "HTTP_LISTEN=off", "DEVICE_ID=pi-7", "MQTT_HOST=" + host,
			"MQTT_PORT=" + port, "SAMPLING_INTERVAL=0.1", "GATEWAY_RESTART=supervised"},
	}
	p.Start(t)
	t.Cleanup(func() { p.Kill() })
	a := d.answers()
	random := rand.New(rand.NewPCG(4, uint64(time.Now().UnixNano())))

	// ask sends the command until it has a final state, as an operator does who lost sight of the device.
	ask := func(id, text string) (final holdfast.Result) {
		t.Helper()
		testenv.Poll(t.Context(), t, time.Minute, "a final state of "+text, func() bool {
			a.conn.Send(mqtt.Message{Topic: holdfast.Topics{}.Device("pi-7", holdfast.TopicCommand), Payload: []byte(text)})
			for limit := time.After(500 * time.Millisecond); ; {
				select {
				case r := <-a.last:
					if r.ID == id && r.State != holdfast.Running {
						final = r
						return true
					}
				case <-limit:
					return false
				}
			}
		})
		return final
	}
	ask("up", `{"v":1,"id":"up","name":"ping"}`)

	changes, states := int64(0), map[holdfast.CommandState]int{}
	names := []string{"set_config", "sample_now", "flush", "diag", "set_config", "scan", "send_measurements", "set_config"}
	for i, name := range names {
		args := map[string]string{"set_config": fmt.Sprintf(`{"settings":{"sampling.interval.none":%d}}`, i+1), "send_measurements": `{"count":1000}`}[name]
		if args == "" {
			args = "{}"
		}
		id := fmt.Sprint("k", i)
		text := fmt.Sprintf(`{"v":1,"id":%q,"name":%q,"args":%s}`, id, name, args)
		if err := a.conn.Publish(t.Context(), mqtt.Message{Topic: holdfast.Topics{}.Device("pi-7", holdfast.TopicCommand), Payload: []byte(text)}); err != nil {
			t.Fatal(err)
		}
		testenv.Pause(t.Context(), time.Duration(random.Int64N(int64(20*time.Millisecond))))
		p.Kill()
		p.Start(t)
		first := ask(id, text)
		states[first.State]++
		if again := ask(id, text); again.State != first.State {
			t.Errorf("%s: %s, and %s when asked again", text, first.State, again.State)
		}
		if name == "set_config" {
			if first.State != holdfast.Succeeded {
				t.Errorf("%s: %+v, want succeeded: it is one commit", text, first)
			}
			changes++
		}
	}
	var last struct{ Revision int64 }
	r := ask("last", fmt.Sprintf(`{"v":1,"id":"last","name":"set_config","args":{"settings":{"sampling.interval.none":%d}}}`, len(names)))
	if err := json.Unmarshal(r.Result, &last); err != nil || last.Revision != changes {
		t.Errorf("revision %d after %d changes, %v", last.Revision, changes, err)
	}
	t.Logf("%d kills: %v", len(names), states)

	a.conn.Send(mqtt.Message{Topic: holdfast.Topics{}.Device("pi-7", holdfast.TopicCommand), Payload: []byte(`{"v":1,"id":"restart","name":"restart"}`)})
	testenv.Poll(t.Context(), t, 30*time.Second, "the end of the gateway", p.Ended)
	p.Start(t)
	if r := ask("restart", `{"v":1,"id":"restart","name":"restart"}`); r.State != holdfast.Succeeded {
		t.Errorf("restart: %+v", r)
	}
}
