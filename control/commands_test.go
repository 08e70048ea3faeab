package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// able returns options of a device that can do everything, and counts what it is made to do.
func able(s *store) (Options, map[string]int) {
	o, did := options(s), make(map[string]int)
	work := func(name string) func(context.Context) (any, error) {
		return func(context.Context) (any, error) { did[name]++; return map[string]int{"n": did[name]}, nil }
	}
	ending := func(name string) func(context.Context) error {
		return func(context.Context) error { did[name]++; return nil }
	}
	o.Abilities = Abilities{
		Sample: func(_ context.Context, sensor string) (any, error) {
			did["sample_now"]++
			return map[string]string{"sensor": sensor}, nil
		},
		Scan: work("scan"), Flush: work("flush"), Diagnose: work("diag"),
		Measurements: func(_ context.Context, s Selection) (any, error) { did["send_measurements"]++; return s, nil },
		Status:       func() any { return map[string]bool{"online": true} },
		Config:       func() any { return []string{"mqtt.host"} },
		Mistakes:     func() []string { return []string{"MQTT_PORT is wrong"} },
		Acknowledge: func(_ context.Context, alert, by string) (any, error) {
			did["ack_alert"]++
			return []string{alert, by}, nil
		},
		Identify: func(time.Duration) { did["identify"]++ },
		MayHold: func(_ string, d time.Duration) error {
			if d > time.Minute {
				return fmt.Errorf("%v: too long", d)
			}
			return nil
		},
		Hold:    func(string, time.Duration) { did["set_output"]++ },
		Restart: ending("restart"), Shutdown: ending("shutdown"), Reboot: ending("reboot"),
	}
	return o, did
}

func TestCommandsOfAnAbleDevice(t *testing.T) {
	t.Parallel()
	const settings = `"settings":[{"key":"measuring","value":true,"revision":0,"origin":"default"},{"key":"sampling.interval","value":10,"revision":0,"origin":"config"}]`
	tests := []struct{ name, args, want string }{
		{"status", "", `"state":"succeeded","result":{"status":{"online":true},` + settings + `}`},
		{"get_config", "", `"state":"succeeded","result":{"mistakes":["MQTT_PORT is wrong"],"configuration":["mqtt.host"],` + settings + `}`},
		{"set_config", `{"settings":{"measuring":false,"sampling.interval":5}}`, `"state":"succeeded","result":{"revision":2}`},
		{"set_config", `{"settings":{"measuring":false,"sampling.interval":0,"colour":1}}`,
			`"state":"failed","error":{"code":"invalid_argument","message":"key: \"colour\": no such setting: want one of measuring, sampling.interval, sampling.interval.{sensor}, calibration.{sensor}.{quantity}, output.{name}, uplink.enabled, uplink.interval, uplink.broker, groups, rules, log.level; sampling.interval: 0 is below 0.1"}`},
		{"set_config", "", `"state":"failed","error":{"code":"invalid_argument","message":"settings: is missing: want at least one key and its value"}`},
		{"set_rules", `{"version":2,"yaml":"rules: []"}`, `"state":"succeeded","result":{"revision":1}`},
		{"set_rules", `{"version":0,"yaml":""}`, `"state":"failed","error":{"code":"invalid_argument","message":"version: 0: want 1 or more"}`},
		{"set_rules", `{"yaml":"version: 2\nrules: []"}`, `"state":"failed","error":{"code":"invalid_argument","message":"version: is missing: want 1 or more, as in the text"}`},
		{"set_rules", `{"version":2}`, `"state":"failed","error":{"code":"invalid_argument","message":"yaml: is missing: want the text of a rules file"}`},
		{"set_rules", "null", `"state":"failed","error":{"code":"invalid_argument","message":"version: is missing: want 1 or more, as in the text"}`},
		{"set_rules", "", `"state":"failed","error":{"code":"invalid_argument","message":"version: is missing: want 1 or more, as in the text"}`},
		{"set_config", `{"settings":{"rules":{"yaml":""}}}`, `"state":"failed","error":{"code":"invalid_argument","message":"version: is missing: want 1 or more, as in the text"}`},
		{"sample_now", `{"sensor":"room"}`, `"state":"succeeded","result":{"sensor":"room"}`},
		{"sample_now", `{"sensor":"A"}`, `"state":"failed","error":{"code":"invalid_argument","message":"sensor: \"A\": want 1 to 64 of a-z 0-9 _ . -"}`},
		{"scan", "", `"state":"succeeded","result":{"n":1}`},
		{"flush", "", `"state":"succeeded","result":{"n":1}`},
		{"diag", "", `"state":"succeeded","result":{"n":1}`},
		{"ack_alert", `{"alert":"a1"}`, `"state":"succeeded","result":["a1","command"]`},
		{"ack_alert", `{"alert":"a1","by":"ann"}`, `"state":"succeeded","result":["a1","ann"]`},
		{"ack_alert", "", `"state":"failed","error":{"code":"invalid_argument","message":"alert: \"\": want the id of an alert, 1 to 64 characters"}`},
		{"identify", "", `"state":"succeeded"`},
		{"set_output", `{"name":"fan","on":true,"seconds":2.5}`, `"state":"succeeded","result":{"revision":1}`},
		{"set_output", `{"name":"fan","on":true,"seconds":61}`, `"state":"failed","error":{"code":"invalid_argument","message":"seconds: 1m1s: too long"}`},
		{"set_output", `{"name":"fan","on":false,"seconds":1}`, `"state":"failed","error":{"code":"invalid_argument","message":"seconds: 1: want 0.1 to 86400, and on: true"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &store{}
			o, did := able(s)
			c := open(t, o)
			command := fmt.Sprintf(`{"v":1,"id":"1","name":%q}`, tt.name)
			if tt.args != "" {
				command = fmt.Sprintf(`{"v":1,"id":"1","name":%q,"args":%s}`, tt.name, tt.args)
			}
			want := fmt.Sprintf(`{"v":1,"id":"1","name":%q,%s}`, tt.name, tt.want)
			got := execute(c, command, false)
			if last := got[len(got)-1]; last != want {
				t.Errorf("got  %s\nwant %s", last, want)
			}
			if done := did[tt.name]; strings.Contains(want, `"failed"`) && done > 0 {
				t.Error("it was carried out")
			}
			before := did[tt.name]
			expect(t, "delivered again", execute(open(t, o), command, false), want)
			if did[tt.name] != before {
				t.Error("it was carried out again")
			}
			if changed := strings.Contains(tt.want, `"revision":`) && strings.Contains(tt.name, "set_"); changed != (c.Revision() > 0) {
				t.Errorf("revision %d after %s", c.Revision(), tt.want)
			}
		})
	}
}

// A device that lacks what a command needs says so, and the id stays free for the day when it does not.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	c := open(t, options(&store{}))
	for _, name := range []string{"sample_now", "scan", "flush", "diag", "restart", "shutdown", "reboot", "ack_alert", "identify", "set_output"} {
		got := execute(c, fmt.Sprintf(`{"v":1,"id":"1","name":%q}`, name), false)
		if !strings.Contains(strings.Join(got, ""), `"state":"refused","error":{"code":"unsupported"`) {
			t.Errorf("%s: %s, want unsupported", name, got)
		}
		if names := strings.Contains(strings.Join(got, ""), "set GATEWAY_RESTART=supervised"); names != (name == "restart") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := execute(c, `{"v":1,"id":"1","name":"send_measurements","args":{"count":1}}`, false); !strings.Contains(got[0], `"unsupported"`) {
		t.Errorf("send_measurements: %s", got)
	}
}

func TestSampleNowWhileStopped(t *testing.T) {
	t.Parallel()
	s := &store{}
	o, did := able(s)
	c := open(t, o)
	execute(c, `{"v":1,"id":"1","name":"stop"}`, false)
	expect(t, "result", execute(c, `{"v":1,"id":"2","name":"sample_now"}`, false),
		`{"v":1,"id":"2","name":"sample_now","state":"failed","error":{"code":"unavailable","message":"measuring is stopped: start it first"}}`)
	if did["sample_now"] != 0 {
		t.Error("it was carried out")
	}
}

func TestSelections(t *testing.T) {
	t.Parallel()
	const stream = "00112233445566778899aabbccddeeff"
	tests := []struct{ args, want string }{
		{`{"stream":"` + stream + `","first":1,"last":9}`, `"First":1,"Last":9`},
		{`{"from":"2026-05-01T11:00:00Z","to":"2026-05-01T12:00:00Z","lane":"event"}`, `"Lane":"event"`},
		{`{"count":100,"page":"abc"}`, `"Count":100,"Page":"abc"`},
		{`{}`, "want one of"},
		{`{"count":100,"from":"2026-05-01T11:00:00Z"}`, "want one of"},
		{`{"count":0}`, "want 1 to 1000000"},
		{`{"from":"2026-05-01T11:00:00Z"}`, "want from and to"},
		{`{"from":"2026-05-01T11:00:00Z","to":"2026-05-01T10:00:00Z"}`, "from ≤ to"},
		{`{"stream":"` + stream + `","first":0,"last":9}`, "1 ≤ first ≤ last"},
		{`{"stream":"` + stream + `","first":2,"last":1}`, "1 ≤ first ≤ last"},
		{`{"stream":"xyz","first":1,"last":1}`, "32 hex digits"},
		{`{"count":1,"lane":"best"}`, "want telemetry, event, alert or local"},
		{`{"count":1,"page":"` + strings.Repeat("x", 101) + `"}`, "101 characters"},
	}
	for i, tt := range tests {
		o, _ := able(&store{})
		got := execute(open(t, o), fmt.Sprintf(`{"v":1,"id":"%d","name":"send_measurements","args":%s}`, i, tt.args), false)
		if last := got[len(got)-1]; !strings.Contains(last, tt.want) {
			t.Errorf("%s: %s, want %s", tt.args, last, tt.want)
		}
	}
}

// Of a long result the receipt keeps the length alone: it told something, and changed nothing.
func TestLongResult(t *testing.T) {
	t.Parallel()
	s := &store{}
	o, _ := able(s)
	long := strings.Repeat("x", 3000)
	o.Diagnose = func(context.Context) (any, error) { return long, nil }
	c := open(t, o)
	first := execute(c, `{"v":1,"id":"1","name":"diag"}`, false)
	if !strings.Contains(first[1], long) {
		t.Errorf("got %.200s", first)
	}
	expect(t, "again", execute(c, `{"v":1,"id":"1","name":"diag"}`, false),
		`{"v":1,"id":"1","name":"diag","state":"succeeded","result":{"kept":false,"bytes":3002}}`)
	o.Diagnose = func(context.Context) (any, error) { return strings.Repeat("x", holdfast.MaxResultBytes), nil }
	if got := execute(open(t, o), `{"v":1,"id":"2","name":"diag"}`, false); !strings.Contains(got[1], "at most 98304") {
		t.Errorf("too long: %.200s", got)
	}
}

func TestWorkFails(t *testing.T) {
	t.Parallel()
	s := &store{}
	o, _ := able(s)
	o.Scan = func(context.Context) (any, error) { return nil, errors.New("no bus") }
	expect(t, "results", execute(open(t, o), `{"v":1,"id":"1","name":"scan"}`, false), `{"v":1,"id":"1","name":"scan","state":"running"}`,
		`{"v":1,"id":"1","name":"scan","state":"failed","error":{"code":"unavailable","message":"no bus"}}`)
}

// At most four commands an hour end the daemon, however often it starts; then there is room again.
func TestEndingsAreBounded(t *testing.T) {
	t.Parallel()
	s := &store{}
	o, did := able(s)
	now := noon
	o.Now = func() holdfast.Instant {
		return holdfast.Instant{Time: now, Boot: "boot-1", Mono: 5e6, Synchronized: true}
	}
	for i, name := range []string{"reboot", "restart", "shutdown", "reboot", "reboot", "restart"} {
		got := execute(open(t, o), fmt.Sprintf(`{"v":1,"id":"%d","name":%q}`, i, name), false)
		if refused := strings.Contains(got[0], `"state":"refused","error":{"code":"rate_limited"`); refused != (i >= 4) {
			t.Errorf("%s, the %d: %s", name, i+1, got)
		}
		now = now.Add(time.Minute)
	}
	now = noon.Add(time.Hour)
	if got := execute(open(t, o), `{"v":1,"id":"5","name":"restart"}`, false); !strings.Contains(got[0], "running") {
		t.Errorf("an hour later, under the id that was refused: %s", got)
	}
	if did["reboot"] != 2 || did["restart"] != 2 || did["shutdown"] != 1 {
		t.Errorf("done: %v", did)
	}
}

// A restart has succeeded when another start finds it, though the boot is the same.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := &store{}
	o, did := able(s)
	expect(t, "intent", execute(open(t, o), `{"v":1,"id":"r","name":"restart"}`, false), `{"v":1,"id":"r","name":"restart","state":"running"}`)
	c := open(t, o)
	var results []string
	if err := c.Resume(t.Context(), collect(&results)); err != nil {
		t.Fatal(err)
	}
	expect(t, "next start", results, `{"v":1,"id":"r","name":"restart","state":"succeeded","result":{"boot":"boot-1"}}`)
	if did["restart"] != 1 {
		t.Errorf("%d restarts, want 1", did["restart"])
	}
}

// A thousand commands at once: as many are taken as the rate allows, and the others cost one commit together.
func TestRate(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	o.Rate, o.Burst = 0, 0
	mono := int64(0)
	o.Now = func() holdfast.Instant {
		return holdfast.Instant{Time: noon, Boot: "boot-1", Mono: mono, Synchronized: true}
	}
	c := open(t, o)
	taken, refused := 0, 0
	flood := func(from, n int, step int64) {
		for i := range n {
			mono += step
			got := execute(c, fmt.Sprintf(`{"v":1,"id":"%d","name":"ping"}`, from+i), false)
			switch {
			case strings.Contains(got[0], "succeeded"):
				taken++
			case strings.Contains(got[0], `"state":"refused","error":{"code":"rate_limited"`):
				refused++
			}
		}
	}
	flood(0, 1000, 1000) // a second
	if taken < 69 || taken > 71 || taken+refused != 1000 {
		t.Errorf("%d taken, %d refused of 1000 in a second, want 70", taken, refused)
	}
	if len(s.lands) != taken+1 {
		t.Errorf("%d commits for %d commands taken and %d refused, want one more than taken", len(s.lands), taken, refused)
	}
	s.take()
	mono += 60e6
	flood(1000, 1, 0)
	var told holdfast.CommandChange
	if events := s.take(); len(events) != 2 || json.Unmarshal([]byte(strings.TrimPrefix(events[0], "command ")), &told) != nil ||
		told.Error == nil || told.Error.Message != fmt.Sprintf("%d commands refused: more than 20 a second", refused-1) {
		t.Errorf("events %q, want one that tells of %d refusals", events, refused-1)
	}
	var answer []string
	c.Refuse([]byte(`{"v":1,"id":"x","name":"ping"}`), collect(&answer))
	expect(t, "one that cannot wait", answer, `{"v":1,"id":"x","name":"ping","state":"refused","error":{"code":"rate_limited","message":"more than 20 commands a second: try again later"}}`)
}

// An interval is for a sensor that is known: found, configured, or set before.
func TestIntervalOfUnknownSensor(t *testing.T) {
	t.Parallel()
	o := options(&store{})
	o.Sensors = func() []string { return []string{"bme280-1-76", "tmp102-1-72"} }
	c := open(t, o)
	ask := func(id, sensor string) string {
		return execute(c, fmt.Sprintf(`{"v":1,"id":%q,"name":"set_interval","args":{"sensor":%q,"seconds":5}}`, id, sensor), false)[0]
	}
	if got := ask("1", "bme280-1-76"); !strings.Contains(got, `"succeeded"`) {
		t.Errorf("one that is there: %s", got)
	}
	const want = `"error":{"code":"invalid_argument","message":"sensor: \"bme280-1-67\": none is known by that name: want one of bme280-1-76, tmp102-1-72; set_config takes sampling.interval.bme280-1-67 for one that has yet to come"}`
	if got := ask("2", "bme280-1-67"); !strings.Contains(got, want) {
		t.Errorf("a slip of the pen: %s", got)
	}
	if got := execute(c, `{"v":1,"id":"3","name":"set_config","args":{"settings":{"sampling.interval.bme280-1-67":7}}}`, false)[0]; !strings.Contains(got, `"succeeded"`) {
		t.Errorf("one that has yet to come: %s", got)
	}
	if got := ask("4", "bme280-1-67"); !strings.Contains(got, `"succeeded"`) || c.Interval("bme280-1-67") != 5*time.Second {
		t.Errorf("one that has an interval: %s", got)
	}
	o.Sensors = func() []string { return nil }
	if got := execute(open(t, o), `{"v":1,"id":"5","name":"set_interval","args":{"seconds":5}}`, false)[0]; !strings.Contains(got, `"succeeded"`) {
		t.Errorf("all of none: %s", got)
	}
}
