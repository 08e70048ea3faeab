package redis

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"holdfast"
	"holdfast/internal/testenv"
)

// go-redis ends by itself a goroutine of its own that looks once a second whether a server is back.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// gateway stands for the one whose keys are mirrored. It knows 1, and 0, which may be written as false.
type gateway struct {
	mirror *Mirror
	asked  chan string
	refuse error

	mu     sync.Mutex
	values map[string]string
}

func (g *gateway) get(key string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.values[key], nil
}

func (g *gateway) set(_ context.Context, key, value string) error {
	g.asked <- key + "=" + value
	if value == "false" {
		value = "0"
	}
	if g.refuse != nil || value != "0" && value != "1" {
		return fmt.Errorf("refused: %w", g.refuse)
	}
	g.change(key, value)
	return nil
}

func (g *gateway) change(key, value string) {
	g.mu.Lock()
	g.values[key] = value
	g.mu.Unlock()
	g.mirror.Changed()
}

// start runs a mirror of server until the test ends.
func start(t *testing.T, address string, o Options) *gateway {
	t.Helper()
	g := &gateway{asked: make(chan string, 100), values: map[string]string{KeyEnabled: "1", KeySendingEnabled: "0"}}
	o.Address, o.Get, o.Set, o.Poll, o.Keys = address, g.get, g.set, 10*time.Millisecond, []string{KeyEnabled, KeySendingEnabled}
	g.mirror = New(o)
	run(t, g.mirror)
	return g
}

// run runs m and returns what ends it; the test's end does too.
func run(t *testing.T, m *Mirror) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return stop
}

func connect(t *testing.T, server *testenv.Server) *goredis.Client {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Network: server.Network, Addr: server.Addr, MaxRetries: 20})
	t.Cleanup(func() { client.Close() })
	return client
}

// eventually waits until condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("not within 15 s: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func holds(t *testing.T, client *goredis.Client, key, want string) {
	t.Helper()
	eventually(t, key+" is "+want, func() bool {
		got, err := client.Get(t.Context(), key).Result()
		return err == nil && got == want
	})
}

func reading(at time.Time, celsius float64) *holdfast.Reading {
	return &holdfast.Reading{Time: at, Sensor: "bme280-1-76", Values: map[string]float64{"temperature_celsius": celsius, "humidity_percent": 0, "pressure_pascals": 1},
		Quality: map[string]holdfast.Quality{"pressure_pascals": holdfast.Bad}}
}

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestValues(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	client := connect(t, server)
	g := start(t, server.Addr, Options{})
	ms := noon.UnixMilli()

	g.mirror.Value(reading(noon, -0.5))
	g.mirror.Value(reading(noon, 1013250))
	g.mirror.Value(reading(noon.Add(-time.Hour), 0)) // the clock went back
	g.mirror.Value(reading(noon.Add(time.Second), 20.3))
	named := reading(noon.Add(2*time.Second), 1)
	named.ID = fmt.Sprint(ms+2000, "-9")
	g.mirror.Value(named)
	g.mirror.Value(&holdfast.Reading{Time: noon, Sensor: "s", Values: map[string]float64{"q": 1}, Quality: map[string]holdfast.Quality{"q": holdfast.Bad}})
	eventually(t, "5 readings are written", func() bool { return g.mirror.Status().Written == 5 })

	entries, err := client.XRange(t.Context(), KeyValues, "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprint(e.ID, e.Values))
	}
	want := []string{
		fmt.Sprint(ms, "-0map[_sensor:bme280-1-76 humidity_percent:0 temperature_celsius:-0.5]"),
		fmt.Sprint(ms, "-1map[_sensor:bme280-1-76 humidity_percent:0 temperature_celsius:1013250]"),
		fmt.Sprint(ms, "-2map[_sensor:bme280-1-76 humidity_percent:0 temperature_celsius:0]"),
		fmt.Sprint(ms+1000, "-0map[_sensor:bme280-1-76 humidity_percent:0 temperature_celsius:20.3]"),
		fmt.Sprint(ms+2000, "-9map[_sensor:bme280-1-76 humidity_percent:0 temperature_celsius:1]"),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Where the stream has later ids than the readings' own, Redis names the entries, and none is lost.
func TestValuesBehindOthers(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	client := connect(t, server)
	future := fmt.Sprint(noon.Add(1000*time.Hour).UnixMilli(), "-7")
	if err := client.XAdd(t.Context(), &goredis.XAddArgs{Stream: KeyValues, ID: future, Values: []string{"q", "1"}}).Err(); err != nil {
		t.Fatal(err)
	}
	g := start(t, server.Addr, Options{})
	for i := range 3 {
		g.mirror.Value(reading(noon.Add(time.Duration(i)*time.Second), float64(i)))
	}
	eventually(t, "3 readings are written", func() bool { return g.mirror.Status().Written == 3 })
	if n := client.XLen(t.Context(), KeyValues).Val(); n != 4 {
		t.Errorf("%d entries, want 4", n)
	}
}

func TestValuesAreTrimmed(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	client := connect(t, server)
	g := start(t, server.Addr, Options{MaxLen: 10})
	for i := range 500 {
		g.mirror.Value(reading(noon.Add(time.Duration(i)*time.Second), float64(i)))
	}
	eventually(t, "500 readings are written", func() bool { return g.mirror.Status().Written == 500 })
	if n := client.XLen(t.Context(), KeyValues).Val(); n < 10 || n > 200 {
		t.Errorf("%d entries, want about 10", n)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	client := connect(t, server)
	if err := client.Set(t.Context(), KeyEnabled, "0", 0).Err(); err != nil {
		t.Fatal(err)
	}
	g := start(t, server.Addr, Options{})
	holds(t, client, KeyEnabled, "1") // the gateway wins at the start
	holds(t, client, KeySendingEnabled, "0")

	g.change(KeyEnabled, "0")
	holds(t, client, KeyEnabled, "0")
	for _, write := range []struct{ key, value, then string }{
		{KeyEnabled, "1", "1"}, {KeyEnabled, "0", "0"}, {KeySendingEnabled, "1", "1"}, {KeyEnabled, "1", "1"}, {KeyEnabled, "false", "0"},
		{KeyEnabled, "perhaps", "0"}, // what the gateway refuses is undone
	} {
		if err := client.Set(t.Context(), write.key, write.value, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got := <-g.asked; got != write.key+"="+write.value {
			t.Errorf("%s=%s asked for %s", write.key, write.value, got)
		}
		holds(t, client, write.key, write.then)
	}
	client.Del(t.Context(), KeyEnabled)
	holds(t, client, KeyEnabled, "0")
	if len(g.asked) != 0 {
		t.Errorf("asked for %v by what is no value", <-g.asked)
	}
}

// Redis is killed and comes back empty: the mirror goes on by itself, with what waited meanwhile.
func TestRedisRestarts(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	client := connect(t, server)
	g := start(t, server.Addr, Options{Queue: 5})
	g.mirror.Value(reading(noon, 1))
	eventually(t, "it is written", func() bool { s := g.mirror.Status(); return s.Written == 1 && s.Connected })

	server.Kill()
	eventually(t, "it is noticed", func() bool { return !g.mirror.Status().Connected })
	g.change(KeyEnabled, "0")
	for i := range 10 {
		g.mirror.Value(reading(noon.Add(time.Duration(i+1)*time.Second), float64(i)))
	}
	server.Start()
	holds(t, client, KeyEnabled, "0")
	eventually(t, "every reading is written or counted", func() bool { s := g.mirror.Status(); return s.Written+s.Dropped == 11 })
	s := g.mirror.Status()
	if s.Dropped < 4 || s.Dropped > 5 { // the queue's five, and perhaps one under way
		t.Errorf("%d dropped, want 4 or 5", s.Dropped)
	}
	if n := client.XLen(t.Context(), KeyValues).Val(); uint64(n) != s.Written-1 {
		t.Errorf("%d entries after the restart, want %d", n, s.Written-1)
	}
}

// No Redis at all, and one that takes connections and never answers: nothing waits, and Run ends when it is told.
func TestNoRedis(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, address := range map[string]string{"absent": filepath.Join(t.TempDir(), "none.sock"), "silent": silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := New(Options{Address: address, Queue: 10, Keys: []string{KeyEnabled}, Get: func(string) (string, error) { return "1", nil }})
			stop := run(t, m)
			start := time.Now()
			for i := range 1000 {
				m.Value(reading(noon, float64(i)))
				m.Changed()
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("1000 readings took %v", took)
			}
			if s := m.Status(); s.Dropped != 990 || s.Written != 0 || s.Connected {
				t.Errorf("status %+v, want 990 dropped", s)
			}
			start = time.Now()
			stop()
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("Run ended after %v", took)
			}
		})
	}
}

func TestNilMirror(t *testing.T) {
	t.Parallel()
	var m *Mirror
	m.Value(reading(noon, 1))
	m.Changed()
	if m.Status() != (Status{}) {
		t.Error("a nil mirror has a status")
	}
	run(t, m)
}

// A reading that Redis may have taken before the connection broke is not written twice.
func TestNotTwice(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	client := connect(t, server)
	m := New(Options{Address: server.Addr})
	e, _ := newEntry(reading(noon, 1))
	e.id, e.tried = m.ids.next(noon, ""), true
	if err := client.XAdd(t.Context(), &goredis.XAddArgs{Stream: KeyValues, ID: e.id, Values: e.fields}).Err(); err != nil {
		t.Fatal(err)
	}
	m.pending = &e
	if err := m.write(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if n := client.XLen(t.Context(), KeyValues).Val(); n != 1 || m.pending != nil {
		t.Errorf("%d entries, pending %v, want 1 and none", n, m.pending)
	}
}
