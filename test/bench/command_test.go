package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

// commandSpacing is the time between two commands: a gateway takes 20 a second.
const commandSpacing = 52 * time.Millisecond

// TestCommandToResponse times a command that is made durable with its receipt, from the operator to his answer, through the
// broker inside the receiver.
func TestCommandToResponse(t *testing.T) {
	benchmark(t)
	commandLatency(t, "through the receiver's own broker", layout{})
}

// TestCommandToResponseThroughMosquitto is the same with mosquitto, and without the kernel's wait for more to send.
func TestCommandToResponseThroughMosquitto(t *testing.T) {
	benchmark(t)
	commandLatency(t, "through mosquitto with set_tcp_nodelay", layout{mosquitto: true, puback: true, nodelay: true})
}

func commandLatency(t *testing.T, through string, l layout) {
	t.Helper()
	n := proof.Count(t, "HOLDFAST_COMMANDS", 1000)
	bin := testenv.Programs(t)
	var p50, p99 []float64
	for range proof.Count(t, "HOLDFAST_RUNS", 2) {
		t.Run("", func(t *testing.T) {
			p := newPlant(t, bin, l)
			login := mqtt.Options{Broker: "tcp://" + p.mqtt, ClientID: "ops-bench"}
			if p.broker != nil {
				launch(t, p.broker, p.gateway)
			} else {
				login.Username, login.Password = "ops", operator(t, p)
				launch(t, p.receiver, p.gateway)
			}
			took := commands(t, login, n)
			p50, p99 = append(p50, percentile(took, 50)), append(p99, percentile(took, 99))
		})
	}
	if t.Failed() {
		t.FailNow()
	}
	note := fmt.Sprintf("%d commands a run, each in a commit of its own", n)
	measure(t, proof.Figure{Part: latencyPart, Name: "command to response " + through + ", p50", Unit: "ms", Note: note}, p50...)
	atMost(t, 50, proof.Figure{Part: latencyPart, Name: "command to response " + through + ", p99", Unit: "ms", Note: note}, p99...)
}

// operator lets one in at the receiver's broker and returns the password.
func operator(t *testing.T, p *plant) string {
	t.Helper()
	c := exec.Command(p.receiver.Binary, "operator", "add", "ops")
	c.Env, c.Stderr = append(os.Environ(), p.receiver.Env...), os.Stderr
	out, err := c.Output()
	_, password, ok := strings.Cut(string(out), "MQTT_PASSWORD=")
	if err != nil || !ok {
		t.Fatalf("receiver operator add: %v", err)
	}
	password, _, _ = strings.Cut(password, "\n")
	return password
}

// commands sends n commands, one after the other, and returns how long each took to its answer.
func commands(t *testing.T, login mqtt.Options, n int) (took []time.Duration) {
	t.Helper()
	answers := make(chan holdfast.Result, 16)
	login.CleanSession = true
	login.Handler = func(m mqtt.Message) {
		var r holdfast.Result
		if json.Unmarshal(m.Payload, &r) == nil {
			answers <- r
		}
	}
	conn, err := mqtt.Connect(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.Subscribe(t.Context(), holdfast.Topics{}.Device(deviceID, holdfast.TopicResponse)); err != nil {
		t.Fatal(err)
	}
	ask := func(id string, patience time.Duration) bool {
		conn.Send(mqtt.Message{
			Topic:   holdfast.Topics{}.Device(deviceID, holdfast.TopicCommand),
			Payload: fmt.Appendf(nil, `{"v":1,"id":%q,"name":"ping"}`, id),
		})
		for limit := time.After(patience); ; {
			select {
			case r := <-answers:
				if r.ID == id && r.State == holdfast.Succeeded {
					return true
				}
			case <-limit:
				return false
			}
		}
	}
	until(t, 100*time.Millisecond, "the gateway to answer", func() bool { return ask("up", time.Second) })
	for i := range n {
		begin := time.Now()
		if !ask(fmt.Sprint("p", i), 10*time.Second) {
			t.Fatalf("no answer to command %d", i)
		}
		took = append(took, time.Since(begin))
		testenv.Pause(t.Context(), commandSpacing-time.Since(begin))
	}
	return took
}
