package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/clock"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
	"holdfast/sensors/simulated"
)

// A desk is a gateway on a simulated Pi, a real broker between it and an operator, and the operator's commands.
type desk struct {
	t       *testing.T
	broker  *testenv.Server
	gateway *gateway
	end     func()
	turn    time.Duration // of a link on trial
}

// newDesk starts the gateway pi-7, with further variables.
func newDesk(t *testing.T, pairs ...string) *desk {
	t.Helper()
	d := &desk{t: t, broker: testenv.Mosquitto(t, "set_tcp_nodelay true", "max_queued_messages 0")}
	host, port, _ := strings.Cut(d.broker.Addr, ":")
	d.start(append([]string{"DATA_DIR", filepath.Join(t.TempDir(), "data"), "HTTP_LISTEN", "off", "DEVICE_ID", "pi-7",
		"MQTT_HOST", host, "MQTT_PORT", port, "SAMPLING_INTERVAL", "0.1"}, pairs...)...)
	return d
}

func (d *desk) start(pairs ...string) {
	d.t.Helper()
	cfg, err := loadConfig("", variables(pairs...))
	if err != nil {
		d.t.Fatal(err)
	}
	kept := new(recent)
	log, level := newLog(kept, "info")
	w := newWorld(log, clock.New(clock.AssertSynchronized()))
	w.recent, w.level, w.grow, w.turn = kept, level, false, d.turn
	w.source = samplerOf(&w, cfg, simulated.New(simulated.Options{}).Buses())
	ready := make(chan *gateway, 1)
	w.assembled = func(g *gateway) { ready <- g }
	ctx, cancel := context.WithCancel(context.WithoutCancel(d.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cfg, w) }()
	d.end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			d.t.Errorf("gateway: %v", err)
		}
	})
	d.t.Cleanup(d.end)
	d.gateway = <-ready
	testenv.Poll(d.t.Context(), d.t, time.Minute, "the first reading and the link", func() bool {
		return d.gateway.uplink.Status().Up && d.gateway.buffer.Status().Lanes["telemetry"].Head > 0
	})
}

// operate runs a subcommand of the operator against the broker.
func (d *desk) operate(args ...string) (string, error) {
	d.t.Helper()
	host, port, _ := strings.Cut(d.broker.Addr, ":")
	var out bytes.Buffer
	err := dispatch(d.t.Context(), append([]string{args[0], "--host", host, "--port", port}, args[1:]...), &out)
	return out.String(), err
}

// result runs a command that has to succeed and returns its result.
func (d *desk) result(into any, args ...string) {
	d.t.Helper()
	out, err := d.operate(append([]string{"command"}, args...)...)
	if err != nil {
		d.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	var r holdfast.Result
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.State != holdfast.Succeeded {
		d.t.Fatalf("%v: %s, %v", args, out, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(r.Result, into); err != nil {
		d.t.Fatalf("%v: %s: %v", args, r.Result, err)
	}
}

// Every command of the table from a desk: what can be done is done, and what cannot says so.
func TestCommandsFromADesk(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-but-longer"
	d := newDesk(t, "DASHBOARD_TOKEN", secret, "MQTT_USERNAME", "pi-7", "MQTT_PASSWORD", secret+"!")

	var status struct {
		Status   holdfast.Status
		Settings []holdfast.Setting
	}
	d.result(&status, "pi-7", "status")
	if status.Status.Stream != d.gateway.buffer.Stream() || !status.Status.Online || len(status.Settings) < 4 {
		t.Errorf("status %+v", status)
	}

	var config struct{ Configuration []ConfigValue }
	d.result(&config, "pi-7", "get_config")
	for _, want := range []ConfigValue{
		{"device.id", "pi-7", "variable DEVICE_ID"}, {"mqtt.password", concealed, "variable MQTT_PASSWORD"},
		{"mqtt.keepalive_seconds", "30", "default"}, {"sampling.interval", "0.1", "variable SAMPLING_INTERVAL"},
	} {
		if !slices.Contains(config.Configuration, want) {
			t.Errorf("get_config lacks %+v: %+v", want, config.Configuration)
		}
	}

	var revision struct{ Revision int64 }
	d.result(&revision, "pi-7", "set_config", `settings={"log.level":"warn","uplink.interval":0.5}`)
	if level, _ := d.gateway.control.Get(holdfast.SettingLogLevel); revision.Revision != 2 || string(level.Value) != `"warn"` || d.gateway.world.level.Level() != slog.LevelWarn {
		t.Errorf("revision %d, level %s", revision.Revision, level.Value)
	}
	if out, err := d.operate("command", "pi-7", "set_config", `settings={"log.level":"info","output.fan":true}`); err == nil || !strings.Contains(out, "output.fan") {
		t.Errorf("a setting that is none: %s, %v", out, err)
	}

	d.result(&revision, "pi-7", "set_config", `settings={"log.level":null,"uplink.interval":null}`)
	if level, _ := d.gateway.control.Get(holdfast.SettingLogLevel); revision.Revision != 4 || level.Origin != holdfast.OriginDefault || d.gateway.world.level.Level() != slog.LevelInfo {
		t.Errorf("taken back: revision %d, level %s by %s", revision.Revision, level.Value, level.Origin)
	}

	var sampled struct{ Readings int }
	d.result(&sampled, "pi-7", "sample_now")
	if sampled.Readings != 2 {
		t.Errorf("sample_now handed out %d readings, want 2", sampled.Readings)
	}
	if _, err := d.operate("command", "pi-7", "sample_now", "sensor=nobody"); err == nil {
		t.Error("a sensor that is not there was sampled")
	}
	d.result(nil, "pi-7", "set_interval", "sensor=bme280-1-76", "seconds=0.2")
	if out, err := d.operate("command", "pi-7", "set_interval", "sensor=bme280-1-67", "seconds=0.2"); err == nil || !strings.Contains(out, "want one of bme280-1-76") {
		t.Errorf("the interval of a sensor that is not there: %s, %v", out, err)
	}
	var found struct{ Found []finding }
	d.result(&found, "pi-7", "scan")
	if len(found.Found) != 2 || found.Found[0].Sensor == "" || found.Found[0].Address == "" {
		t.Errorf("scan: %+v", found)
	}
	var flushed struct{ Link bool }
	if d.result(&flushed, "pi-7", "flush"); !flushed.Link {
		t.Error("flush: the link is down")
	}

	d.result(nil, "pi-7", "set_rules", "version=7", `yaml="version: 7\nrules: [{name: cold, threshold: {sensor: '*', quantity: temperature_celsius, below: 100}}]"`)
	testenv.Poll(t.Context(), t, 30*time.Second, "the alert", func() bool { return len(d.gateway.alerts.list(time.Now())) > 0 })
	if alert := d.gateway.alerts.list(time.Now())[0]; alert.Rule != "cold" || alert.RuleVersion != 7 {
		t.Errorf("alert %+v of the rules that were set", alert)
	}
	if out, err := d.operate("command", "pi-7", "set_rules", "version=8", `yaml="version: 8\nrules: [{name: cold}]"`); err == nil || !strings.Contains(out, "invalid_argument") {
		t.Errorf("a rule that is none: %s, %v", out, err)
	}

	d.result(nil, "pi-7", "set_config", `settings={"rules":null}`)
	testenv.Poll(t.Context(), t, 30*time.Second, "the rules of the configuration, of which there are none, to close the alert", func() bool {
		return d.gateway.alerts.list(time.Now())[0].State == holdfast.Cleared
	})

	var diag json.RawMessage
	d.result(&diag, "pi-7", "diag")
	if !bytes.Contains(diag, []byte(`"configuration"`)) || !bytes.Contains(diag, []byte(`"log"`)) || len(diag) > 2*holdfast.MaxResultBytes {
		t.Errorf("diag: %.300s", diag)
	}
	if bytes.Contains(diag, []byte("hunter2")) {
		t.Error("diag shows a secret")
	}
	for _, name := range []string{"restart", "reboot", "set_output", "identify"} {
		if out, err := d.operate("command", "pi-7", name); err == nil || !strings.Contains(out, `"unsupported"`) {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
	if _, err := d.operate("command", "pi-8", "ping", "--wait", "300ms"); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("a device that is not there: %v", err)
	}
}

// A group and the whole fleet: a line for each device, and success only where all that answered succeeded.
func TestManyFromADesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "DEVICE_GROUPS", "roof")
	topics := holdfast.Topics{}
	var other *mqtt.Conn // pi-8, which can nothing
	other, err := mqtt.Connect(t.Context(), mqtt.Options{Broker: "tcp://" + d.broker.Addr, ClientID: "pi-8", CleanSession: true, Handler: func(m mqtt.Message) {
		var c holdfast.Command
		if err := json.Unmarshal(m.Payload, &c); err != nil {
			t.Error(err)
		}
		for _, state := range []string{"running", "failed"} {
			other.Send(mqtt.Message{Topic: topics.Device("pi-8", holdfast.TopicResponse),
				Payload: fmt.Appendf(nil, `{"v":1,"id":%q,"name":%q,"state":%q,"error":{"code":"unavailable","message":"tired"}}`, c.ID, c.Name, state)})
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if err := other.Subscribe(t.Context(), topics.Broadcast()); err != nil {
		t.Fatal(err)
	}
	ask := func(args ...string) (string, error) {
		return d.operate(append(append([]string{"command"}, args...), "--wait", "1s")...)
	}
	if out, err := ask("--group", "roof", "set_config", `settings={"log.level":"warn"}`); err != nil || out != "pi-7 succeeded {\"revision\":1}\n" {
		t.Errorf("a group: %q, %v", out, err)
	}
	if out, err := ask("--all", "start"); err == nil || !strings.Contains(err.Error(), "1 of 2") ||
		!strings.Contains(out, "pi-7 succeeded {\"revision\":0}\n") || !strings.Contains(out, "pi-8 failed unavailable: tired\n") {
		t.Errorf("all: %q, %v", out, err)
	}
	if out, err := ask("--group", "cellar", "ping"); err == nil || out != "" || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("a group of none: %q, %v", out, err)
	}
	for _, words := range [][]string{{"--all", "--group", "roof", "ping"}, {"--group", "a/b", "ping"}, {"--all"}, {"pi-7"}, {}} {
		if _, err := ask(words...); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v, want usage", words, err)
		}
	}
}

// A device with keys takes what the desk signs, and nothing else.
func TestSignedFromADesk(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ops.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, "COMMAND_KEYS", base64.StdEncoding.EncodeToString(public))
	if out, err := d.operate("command", "pi-7", "stop"); err == nil || !strings.Contains(out, `"unsigned"`) || !d.gateway.control.Measuring() {
		t.Errorf("unsigned: %s, %v", out, err)
	}
	d.result(nil, "pi-7", "set_config", `settings={"measuring":false}`, "--key", file)
	if d.gateway.control.Measuring() {
		t.Error("a signed command has no effect")
	}
	wrong, err := loadConfig("", variables("COMMAND_KEYS", "AAAA"))
	if err == nil || len(wrong.CommandKeys) != 1 {
		t.Errorf("a list with a mistake: %v, %d keys: want a door that nobody opens", err, len(wrong.CommandKeys))
	}
}

// What was measured comes by number, by time and by count, page by page, and nothing of the queue moves.
func TestSendMeasurements(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	began := time.Now().UTC().Format(time.RFC3339Nano)
	testenv.Poll(t.Context(), t, 30*time.Second, "forty readings", func() bool { return d.gateway.buffer.Status().Lanes["telemetry"].Head >= 40 })
	d.result(nil, "pi-7", "stop")
	d.result(nil, "pi-7", "flush")
	head := d.gateway.buffer.Status().Lanes["telemetry"].Head
	stream := d.gateway.buffer.Stream()

	collect := func(args ...string) (numbers []uint64) {
		t.Helper()
		for next := ""; ; {
			all := append([]string{"pi-7", "send_measurements"}, args...)
			if next != "" {
				all = append(all, "page="+next)
			}
			var p page
			d.result(&p, all...)
			for _, r := range p.Runs {
				for i := range r.Records {
					numbers = append(numbers, r.First+uint64(i))
				}
			}
			if next = p.Next; next == "" {
				return numbers
			}
		}
	}
	sequence := func(first, last uint64) (out []uint64) {
		for n := first; n <= last; n++ {
			out = append(out, n)
		}
		return out
	}
	if got := collect(fmt.Sprintf("stream=%q", stream), "first=3", "last=17"); !slices.Equal(got, sequence(3, 17)) {
		t.Errorf("3 to 17: %v", got)
	}
	if got := collect("count=10"); !slices.Equal(got, sequence(head-9, head)) {
		t.Errorf("the newest 10 of %d: %v", head, got)
	}
	if got := collect(fmt.Sprintf("from=%q", began), `to="2100-01-01T00:00:00Z"`); len(got) == 0 || !slices.Equal(got, sequence(got[0], head)) {
		t.Errorf("since %s: %v", began, got)
	}
	if got := collect("count=1000000"); !slices.Equal(got, sequence(1, head)) {
		t.Errorf("everything: %v", got)
	}
	if out, err := d.operate("command", "pi-7", "send_measurements", "count=1", "page=x"); err == nil || !strings.Contains(out, "invalid_argument") {
		t.Errorf("a page that is none: %s, %v", out, err)
	}
}

// From update to effect and from button to delta: the shadow over a real broker.
func TestShadowFromADesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var mu sync.Mutex
	last := map[string]holdfast.Shadow{}
	topics := holdfast.Topics{}
	conn, err := mqtt.Connect(t.Context(), mqtt.Options{Broker: "tcp://" + d.broker.Addr, ClientID: "watcher", CleanSession: true, Handler: func(m mqtt.Message) {
		mu.Lock()
		defer mu.Unlock()
		var doc holdfast.Shadow
		if err := json.Unmarshal(m.Payload, &doc); err != nil {
			t.Error(err)
		}
		last[m.Topic] = doc
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	document, delta := topics.Device("pi-7", holdfast.ShadowTopic("document")), topics.Device("pi-7", holdfast.ShadowTopic("delta"))
	if err := conn.Subscribe(t.Context(), document, delta); err != nil {
		t.Fatal(err)
	}

	if out, err := d.operate("shadow", "set", "pi-7", "measuring=false", `groups=["roof"]`); err != nil || !strings.Contains(out, `"version": 1`) {
		t.Fatalf("set: %s, %v", out, err)
	}
	if d.gateway.control.Measuring() {
		t.Error("what is desired has no effect")
	}
	testenv.Poll(t.Context(), t, 30*time.Second, "the document", func() bool {
		mu.Lock()
		defer mu.Unlock()
		doc := last[document]
		return doc.Version == 1 && string(doc.State.Reported["measuring"]) == "false" && doc.Metadata.Reported["measuring"].Origin == holdfast.OriginShadow
	})
	if _, err := d.gateway.control.Toggle(t.Context(), holdfast.OriginButton, "short press"); err != nil {
		t.Fatal(err)
	}
	testenv.Poll(t.Context(), t, 30*time.Second, "the delta", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return string(last[delta].Delta["measuring"]) == "false" && last[document].Metadata.Reported["measuring"].Origin == holdfast.OriginButton
	})
	if out, err := d.operate("shadow", "set", "pi-7", "measuring=7"); err == nil || !strings.Contains(out, `"code": 400`) {
		t.Errorf("a value that cannot be: %s, %v", out, err)
	}
	if out, err := d.operate("shadow", "get", "pi-7"); err != nil || !strings.Contains(out, `"origin": "button"`) {
		t.Errorf("get: %s, %v", out, err)
	}

	// The group of the shadow is listened to, and once it is left it is not.
	ask := func(id string) {
		t.Helper()
		payload := fmt.Appendf(nil, `{"v":1,"id":%q,"name":"stop"}`, id)
		if err := conn.Publish(t.Context(), mqtt.Message{Topic: topics.Group("roof"), Payload: payload}); err != nil {
			t.Fatal(err)
		}
	}
	ask("to the group")
	testenv.Poll(t.Context(), t, 30*time.Second, "the group's command", func() bool { return !d.gateway.control.Measuring() })
	if out, err := d.operate("shadow", "delete", "pi-7"); err != nil || !strings.Contains(out, `"version": 2`) || len(d.gateway.control.Shadow().State.Desired) != 0 {
		t.Errorf("delete: %s, %v", out, err)
	}
}
