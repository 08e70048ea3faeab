package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/clock"
	"holdfast/internal/testenv"
	"holdfast/test/chaos/proxy"
)

// A setup says what a bench is made of. The zero value has the receiver's own broker and folders of the test's.
type setup struct {
	mosquitto bool
	rows      int      // of the replay
	speed     float64  // of the replay; 0 for 1
	gateway   string   // folder of the gateway's data; empty for one of the test's
	receiver  string   // the same of the receiver's
	env       []string // further variables of the gateway
}

// A bench is one gateway, one receiver and, where it is not the receiver's own, one broker. The gateway reaches the broker
// through one proxy, the receiver, where the broker is not its own, through another.
type bench struct {
	gateway, receiver, broker *testenv.Process
	near, far                 *proxy.Proxy // before the broker: the gateway's, the receiver's
	replay, truth             string       // files
	access                    string       // file of mosquitto's access rules
	data, buffer              string       // folders of the receiver and the gateway

	now    func() int64              // µs since boot
	probe  *probe                    // whether the machine stands still
	events []happening               // what was done to it
	deaths []int64                   // when the gateway was killed
	full   []span                    // when the gateway could make nothing durable
	down   map[*testenv.Process]bool // killed, and not to be started yet
	again  []string                  // processes that ended by themselves and were started again
}

// A happening is what was done at an instant, µs since boot.
type happening struct {
	at   int64
	what string
}

// A span is a time, in µs since boot.
type span struct{ from, to int64 }

// newBench starts a system of the programs in the folder bin.
func newBench(t *testing.T, bin string, s setup) *bench {
	t.Helper()
	dir := t.TempDir()
	mqttPort, apiPort, pagePort := testenv.FreePort(t), testenv.FreePort(t), testenv.FreePort(t)
	watch := clock.New()
	b := &bench{
		replay: writeReplay(t, dir, s.rows),
		truth:  filepath.Join(dir, "truth.log"),
		down:   map[*testenv.Process]bool{},
		data:   s.receiver,
		buffer: s.gateway,
		now:    func() int64 { return watch.Now().Mono },
		near:   proxy.New(t, "127.0.0.1:"+mqttPort),
	}
	if b.data == "" {
		b.data = filepath.Join(dir, "receiver")
	}
	if b.buffer == "" {
		b.buffer = filepath.Join(dir, "gateway")
	}
	if s.speed == 0 {
		s.speed = 1
	}
	b.probe = newProbe(t, dir, b.now)
	b.gateway = &testenv.Process{
		Name: "gateway", Binary: filepath.Join(bin, "gateway"), Log: testenv.LogFile(t, dir, "gateway"), Address: "127.0.0.1:" + pagePort,
		Args: []string{"run", "--replay", b.replay, "--replay-log", b.truth, "--replay-speed", strconv.FormatFloat(s.speed, 'g', -1, 64)},
		Env: append([]string{"DATA_DIR=" + b.buffer, "HTTP_LISTEN=127.0.0.1:" + pagePort, "DEVICE_ID=chaos-test",
			"MQTT_HOST=127.0.0.1", "MQTT_PORT=" + b.near.Port(), "MQTT_ACK=receipt", "MQTT_KEEPALIVE_SECONDS=5"}, s.env...),
	}
	b.receiver = &testenv.Process{
		Name: "receiver", Binary: filepath.Join(bin, "receiver"), Log: testenv.LogFile(t, dir, "receiver"), Address: "127.0.0.1:" + apiPort,
		Args: []string{"serve"},
		Env:  []string{"RECEIVER_DATA=" + b.data, "RECEIVER_LISTEN=127.0.0.1:" + apiPort, "RECEIVER_INSTANCE=chaos-test"},
	}
	if s.mosquitto {
		b.far = proxy.New(t, "127.0.0.1:"+mqttPort)
		b.access = filepath.Join(dir, "access")
		b.broker = mosquittoProcess(t, dir, mqttPort, b.access)
		b.receiver.Env = append(b.receiver.Env, "MQTT_HOST=127.0.0.1", "MQTT_PORT="+b.far.Port(), "RECEIVER_NEW_DEVICES=active")
	} else {
		b.receiver.Env = append(b.receiver.Env, "RECEIVER_MQTT_LISTEN=127.0.0.1:"+mqttPort)
		b.gateway.Env = append(b.gateway.Env, testenv.Join(t, b.receiver.Binary, "chaos-test", b.receiver.Env...))
	}
	b.start(t)
	return b
}

func (b *bench) start(t *testing.T) {
	t.Helper()
	if b.broker != nil {
		b.broker.Start(t)
		b.broker.WaitServing(t.Context(), t)
	}
	b.receiver.Start(t)
	b.gateway.Start(t)
	t.Cleanup(func() {
		for _, p := range b.processes() {
			p.Kill()
		}
	})
	b.receiver.WaitServing(t.Context(), t)
}

func (b *bench) processes() []*testenv.Process {
	if b.broker == nil {
		return []*testenv.Process{b.gateway, b.receiver}
	}
	return []*testenv.Process{b.gateway, b.receiver, b.broker}
}

// kill kills a process, and notes when where it is the gateway.
func (b *bench) kill(p *testenv.Process) {
	b.down[p] = true
	p.Kill()
	if p == b.gateway {
		b.deaths = append(b.deaths, b.now())
	}
}

// revive starts a process that was killed.
func (b *bench) revive(t *testing.T, p *testenv.Process) {
	t.Helper()
	delete(b.down, p)
	p.Start(t)
}

// supervise starts again, as whoever runs a container does, what ended by itself.
func (b *bench) supervise(t *testing.T) {
	t.Helper()
	for _, p := range b.processes() {
		if !b.down[p] && p.Ended() {
			b.again = append(b.again, p.Name)
			p.Start(t)
		}
	}
}

// restarts says which processes ended by themselves.
func (b *bench) restarts() string {
	if len(b.again) == 0 {
		return ""
	}
	return fmt.Sprintf("; ended by itself and was started again: %v", b.again)
}

// handedOut is how many rows the replay has handed out so far.
func (b *bench) handedOut(t *testing.T) int {
	t.Helper()
	f, err := os.Open(b.truth)
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return lastRow(t, f)
}

// waitStored waits until the newest row in the database is the n-th or a later one, and returns how long that took. What
// waits is sent in order: nothing that was held before it waits any more then.
func (b *bench) waitStored(t *testing.T, n int, limit time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	testenv.Poll(t.Context(), t, limit, "row "+strconv.Itoa(n)+" in the database", func() bool {
		b.supervise(t)
		return newestRow(b.data) >= n
	})
	return time.Since(start)
}

// waitReceipted waits until receipts come again: rows may be stored, and the gateway never hear of it.
func (b *bench) waitReceipted(t *testing.T, limit time.Duration) {
	t.Helper()
	var before *status
	testenv.Poll(t.Context(), t, limit, "a receipt for new rows", func() bool {
		b.supervise(t)
		s, err := b.status(t.Context())
		if err != nil || s.Stream.IsZero() {
			return false
		}
		if before == nil || s.Stream != before.Stream {
			before = &s
		}
		return s.Records.Delivered > before.Records.Delivered
	})
}

// finish lets everything arrive that was handed out, ends the system and returns what became of every row.
func (b *bench) finish(t *testing.T) verdict {
	t.Helper()
	for _, p := range b.processes() {
		p.WaitServing(t.Context(), t)
	}
	b.gateway.Stop(t)
	truth := readTruth(t, b.truth)
	cutReplay(t, b.replay, len(truth))
	b.gateway.Start(t)
	b.waitDrained(t)
	b.gateway.Stop(t)
	b.receiver.Stop(t)
	return judge(t, b.data, truth, b.losses())
}

// waitDrained waits until nothing of the gateway's waits for a receipt any more.
func (b *bench) waitDrained(t *testing.T) {
	t.Helper()
	testenv.Poll(t.Context(), t, 3*time.Minute, "the gateway to drain", func() bool {
		b.supervise(t)
		s, err := b.status(t.Context())
		return err == nil && !s.Stream.IsZero() && s.Records.Waiting == 0 // the page comes before the buffer is open
	})
}

// A status is what the gateway's page says, as far as a test wants to know it.
type status struct {
	Records struct{ Waiting, Dropped, Delivered int }
	Stream  holdfast.Stream // zero until the buffer is open
	Version string
}

func (b *bench) status(ctx context.Context) (s status, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.gateway.Address+"/api/v1/status", nil)
	if err != nil {
		return s, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	return s, json.NewDecoder(answer.Body).Decode(&s)
}
