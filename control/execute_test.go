package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

// execute runs a command and returns the JSON of its results.
func execute(c *Control, payload string, retained bool) []string {
	var results []string
	c.Execute(context.Background(), []byte(payload), retained, collect(&results))
	return results
}

func collect(results *[]string) func(holdfast.Result) {
	return func(r holdfast.Result) {
		if err := r.Validate(); err != nil {
			*results = append(*results, err.Error())
		}
		data, _ := json.Marshal(r)
		*results = append(*results, string(data))
	}
}

func TestExecute(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, payload, want, commit string }{
		{"ping", `{"v":1,"id":"1","name":"ping"}`,
			`{"v":1,"id":"1","name":"ping","state":"succeeded","result":{"time":"2026-05-01T12:00:00Z","boot":"boot-1"}}`, "command/1 +command"},
		{"stop", `{"v":1,"id":"1","name":"stop","args":{}}`,
			`{"v":1,"id":"1","name":"stop","state":"succeeded","result":{"revision":1}}`, "command/1 settings +setting +command"},
		{"start, though it measures", `{"v":1,"id":"1","name":"start","args":null}`,
			`{"v":1,"id":"1","name":"start","state":"succeeded","result":{"revision":0}}`, "command/1 +command"},
		{"set_interval", `{"v":1,"id":"1","name":"set_interval","args":{"sensor":"bme280-1-76","seconds":5}}`,
			`{"v":1,"id":"1","name":"set_interval","state":"succeeded","result":{"revision":1}}`, "command/1 settings +setting +command"},
		{"set_interval of all", `{"v":1,"id":"1","name":"set_interval","args":{"seconds":0.1}}`,
			`{"v":1,"id":"1","name":"set_interval","state":"succeeded","result":{"revision":1}}`, "command/1 settings +setting +command"},
		{"too fast", `{"v":1,"id":"1","name":"set_interval","args":{"seconds":0.01}}`,
			`{"v":1,"id":"1","name":"set_interval","state":"failed","error":{"code":"invalid_argument","message":"seconds: 0.01 is below 0.1"}}`, "command/1 +command"},
		{"too slow", `{"v":1,"id":"1","name":"set_interval","args":{"seconds":1e9}}`,
			`{"v":1,"id":"1","name":"set_interval","state":"failed","error":{"code":"invalid_argument","message":"seconds: 1e+09 is above 86400"}}`, "command/1 +command"},
		{"no seconds", `{"v":1,"id":"1","name":"set_interval"}`,
			`{"v":1,"id":"1","name":"set_interval","state":"failed","error":{"code":"invalid_argument","message":"seconds: is missing: want 0.1 to 86400"}}`, "command/1 +command"},
		{"no such sensor name", `{"v":1,"id":"1","name":"set_interval","args":{"sensor":"A","seconds":1}}`,
			`{"v":1,"id":"1","name":"set_interval","state":"failed","error":{"code":"invalid_argument","message":"sensor: \"A\": want 1 to 64 of a-z 0-9 _ . -"}}`, "command/1 +command"},
		{"unknown argument", `{"v":1,"id":"1","name":"set_interval","args":{"second":1}}`,
			`{"v":1,"id":"1","name":"set_interval","state":"failed","error":{"code":"invalid_argument","message":"args: \"second\": there is no such key; want seconds, and sensor or none for all"}}`, "command/1 +command"},
		{"argument of none", `{"v":1,"id":"1","name":"ping","args":{"loud":true}}`,
			`{"v":1,"id":"1","name":"ping","state":"failed","error":{"code":"invalid_argument","message":"args: \"loud\": there is no such key; want none"}}`, "command/1 +command"},
		{"reboot without a supervisor", `{"v":1,"id":"1","name":"reboot"}`,
			`{"v":1,"id":"1","name":"reboot","state":"refused","error":{"code":"unsupported","message":"this device has nothing that could reboot it"}}`, " +command"},
		{"unknown command", `{"v":1,"id":"1","name":"format"}`,
			`{"v":1,"id":"1","name":"format","state":"refused","error":{"code":"unknown_command","message":"\"format\": want one of ` + strings.Join(Commands(), ", ") + `"}}`, " +command"},
		{"expired", `{"v":1,"id":"1","name":"stop","expires":"2026-05-01T11:59:59Z"}`,
			`{"v":1,"id":"1","name":"stop","state":"refused","error":{"code":"expired","message":"expired at 2026-05-01T11:59:59Z"}}`, " +command"},
		{"not yet expired", `{"v":1,"id":"1","name":"stop","expires":"2026-05-01T14:00:00+02:00"}`,
			`{"v":1,"id":"1","name":"stop","state":"succeeded","result":{"revision":1}}`, "command/1 settings +setting +command"},
		{"no JSON", `reboot`,
			`{"v":1,"id":"","name":"","state":"refused","error":{"code":"malformed","message":"command: is no JSON from byte 1 on, \"reboot\""}}`, " +command"},
		{"a number for a name", `{"v":1,"id":"1","name":7}`,
			`{"v":1,"id":"1","name":"","state":"refused","error":{"code":"malformed","message":"command: name: is a number: want a string"}}`, " +command"},
		{"no time", `{"v":1,"id":"1","name":"stop","expires":"soon"}`,
			`{"v":1,"id":"1","name":"stop","state":"refused","error":{"code":"malformed","message":"command: expires: \"soon\": want a time such as 2026-05-01T12:00:00Z"}}`, " +command"},
		{"text for a number", `{"v":1,"id":"1","name":"set_interval","args":{"seconds":"5"}}`,
			`{"v":1,"id":"1","name":"set_interval","state":"failed","error":{"code":"invalid_argument","message":"args: seconds: is a string: want a number; want seconds, and sensor or none for all"}}`, "command/1 +command"},
		{"no version", `{"id":"1","name":"ping"}`,
			`{"v":1,"id":"1","name":"ping","state":"refused","error":{"code":"malformed","message":"invalid v: 0: want 1"}}`, " +command"},
		{"no id", `{"v":1,"name":"ping"}`,
			`{"v":1,"id":"","name":"ping","state":"refused","error":{"code":"malformed","message":"invalid id: \"\": want 1 to 64 characters"}}`, " +command"},
		{"too large", `{"v":1,"id":"1","name":"ping","from":"` + strings.Repeat("x", holdfast.MaxCommandBytes) + `"}`,
			`{"v":1,"id":"","name":"","state":"refused","error":{"code":"malformed","message":"65576 bytes: at most 65536"}}`, " +command"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &store{}
			c := open(t, options(s))
			expect(t, "result", execute(c, tt.payload, false), tt.want)
			expect(t, "one commit", s.lands, tt.commit)

			// The same again: the same answer, and nothing more on the disk, whether it was taken or refused.
			expect(t, "again", execute(c, tt.payload, false), tt.want)
			expect(t, "still one commit", s.lands, tt.commit)
		})
	}
}

// The golden command gives the golden result.
func TestExecuteGolden(t *testing.T) {
	t.Parallel()
	command, err := os.ReadFile("../testdata/command.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../testdata/result_succeeded.json")
	if err != nil {
		t.Fatal(err)
	}
	s := &store{state: map[string][]byte{"settings": []byte(`{"v":1,"revision":41,"settings":[]}`)}}
	c := open(t, options(s))
	expect(t, "result", execute(c, string(command), false), string(bytes.TrimSpace(want)))
	expect(t, "events", s.take(), `setting {"key":"sampling.interval.bme280-1-76","value":5,"revision":42,"origin":"command","reason":"set_interval by ops@example.org","time":"2026-05-01T12:00:00Z"}`,
		`command {"id":"01JABCDEF","name":"set_interval","state":"succeeded","from":"ops@example.org"}`)
}

// A known id is answered from its receipt, in this process and the next, and changes nothing.
func TestExecuteOnce(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := open(t, options(s))
	stop := `{"v":1,"id":"a","name":"stop"}`
	first := execute(c, stop, false)
	execute(c, `{"v":1,"id":"b","name":"start"}`, false)
	s.take()

	expect(t, "replay", execute(c, stop, false), first...)
	expect(t, "replay, retained", execute(c, stop, true), first...)
	later := open(t, options(s))
	expect(t, "replay after a restart", execute(later, stop, false), first...)
	expect(t, "events", s.take())
	if !c.Measuring() || !later.Measuring() {
		t.Error("a replay had an effect")
	}
}

func TestExecuteRetained(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := open(t, options(s))
	stop := `{"v":1,"id":"a","name":"stop"}`
	refused := `{"v":1,"id":"a","name":"stop","state":"refused","error":{"code":"retained","message":"a retained command would come again with every connection: publish it without"}}`
	expect(t, "first", execute(c, stop, true), refused)
	expect(t, "with the next connection", execute(c, stop, true), refused)
	if events := s.take(); len(events) != 1 || !strings.Contains(events[0], `"state":"refused"`) {
		t.Errorf("events %q, want one", events)
	}
	if !c.Measuring() {
		t.Error("a retained command had an effect")
	}
	expect(t, "properly published", execute(c, stop, false), `{"v":1,"id":"a","name":"stop","state":"succeeded","result":{"revision":1}}`)
}

// Without a clock nobody can say what has expired.
func TestExecuteExpiryWithoutClock(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	o.Now = func() holdfast.Instant { return holdfast.Instant{Time: noon, Boot: "boot-1", Mono: 1} }
	expect(t, "result", execute(open(t, o), `{"v":1,"id":"1","name":"stop","expires":"2020-01-01T00:00:00Z"}`, false),
		`{"v":1,"id":"1","name":"stop","state":"succeeded","result":{"revision":1}}`)
}

// What the disk does not take has not happened, and may be tried again under the same id.
func TestExecuteWithoutDisk(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	rebooted := 0
	o.Reboot = func(context.Context) error { rebooted++; return nil }
	c := open(t, o)
	s.fail = errors.New("disk is gone")
	for _, name := range []string{"stop", "reboot"} {
		expect(t, name, execute(c, `{"v":1,"id":"`+name+`","name":"`+name+`"}`, false),
			`{"v":1,"id":"`+name+`","name":"`+name+`","state":"failed","error":{"code":"internal","message":"make it durable: disk is gone"}}`)
	}
	if !c.Measuring() || rebooted != 0 {
		t.Errorf("measuring %v, %d reboots without a durable intent", c.Measuring(), rebooted)
	}
	s.fail = nil
	expect(t, "again", execute(c, `{"v":1,"id":"stop","name":"stop"}`, false), `{"v":1,"id":"stop","name":"stop","state":"succeeded","result":{"revision":1}}`)
}

func TestReboot(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	var durable []string
	o.Reboot = func(context.Context) error {
		durable = append(durable, string(s.state["command/r"]))
		return nil
	}
	c := open(t, o)
	command := `{"v":1,"id":"r","name":"reboot"}`
	running := `{"v":1,"id":"r","name":"reboot","state":"running"}`
	expect(t, "reboot", execute(c, command, false), running)
	expect(t, "intent before effect", durable, `{"n":1,"boot":"boot-1","result":`+running+`}`)
	expect(t, "replay", execute(c, command, false), running)

	// The machine is up again, and the broker delivers the command once more.
	o.Now = func() holdfast.Instant {
		return holdfast.Instant{Time: noon, Boot: "boot-2", Mono: 5e6, Synchronized: true}
	}
	s.take()
	c = open(t, o)
	var results []string
	if err := c.Resume(t.Context(), collect(&results)); err != nil {
		t.Fatal(err)
	}
	done := `{"v":1,"id":"r","name":"reboot","state":"succeeded","result":{"boot":"boot-2"}}`
	expect(t, "after the boot", results, done)
	expect(t, "event", s.take(), `command {"id":"r","name":"reboot","state":"succeeded"}`)
	expect(t, "delivered again", execute(c, command, false), done)
	if len(durable) != 1 {
		t.Errorf("%d reboots, want 1", len(durable))
	}
	if err := open(t, o).Resume(t.Context(), collect(&results)); err != nil || len(results) != 1 {
		t.Errorf("second Resume: %v, %q", err, results)
	}
}

func TestRebootInterrupted(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	o.Reboot = func(context.Context) error { return nil }
	execute(open(t, o), `{"v":1,"id":"r","name":"reboot"}`, false)
	var results []string
	if err := open(t, o).Resume(t.Context(), collect(&results)); err != nil {
		t.Fatal(err)
	}
	expect(t, "same boot", results, `{"v":1,"id":"r","name":"reboot","state":"failed","error":{"code":"interrupted","message":"the daemon ended before the command did; it is not tried again"}}`)
}

func TestRebootFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  error
		want string
	}{
		{errors.New("supervisor: 423 Locked"), `{"v":1,"id":"r","name":"reboot","state":"failed","error":{"code":"unavailable","message":"supervisor: 423 Locked"}}`},
		{&holdfast.Fault{Code: "internal", Message: "odd"}, `{"v":1,"id":"r","name":"reboot","state":"failed","error":{"code":"internal","message":"odd"}}`},
	}
	for _, tt := range tests {
		s := &store{}
		o := options(s)
		o.Reboot = func(context.Context) error { return tt.err }
		c := open(t, o)
		expect(t, "results", execute(c, `{"v":1,"id":"r","name":"reboot"}`, false), `{"v":1,"id":"r","name":"reboot","state":"running"}`, tt.want)
		expect(t, "replay", execute(open(t, o), `{"v":1,"id":"r","name":"reboot"}`, false), tt.want)
	}
}

// A supervisor that does not answer holds up its own command and no other, and not for ever. A daemon that ends
// meanwhile, perhaps of the reboot, leaves the outcome open.
func TestRebootHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		o := options(s)
		o.Reboot = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		c := open(t, o)
		var hung []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			hung = execute(c, `{"v":1,"id":"r","name":"reboot"}`, false)
		}()
		synctest.Wait()
		if _, err := c.Toggle(t.Context(), holdfast.OriginButton, ""); err != nil {
			t.Error(err)
		}
		start := time.Now()
		<-done
		if took := time.Since(start); took != effectTimeout {
			t.Errorf("gave up after %v, want %v", took, effectTimeout)
		}
		expect(t, "results", hung, `{"v":1,"id":"r","name":"reboot","state":"running"}`,
			`{"v":1,"id":"r","name":"reboot","state":"timed_out","error":{"code":"unavailable","message":"context deadline exceeded"}}`)

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		var ended []string
		c.Execute(ctx, []byte(`{"v":1,"id":"r2","name":"reboot"}`), false, collect(&ended))
		expect(t, "daemon ends", ended, `{"v":1,"id":"r2","name":"reboot","state":"running"}`)
	})
}

func TestReceiptsAreBounded(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := open(t, options(s))
	for i := range maxReceipts + 3 {
		if i >= maxReceipts {
			c = open(t, options(s)) // their order survives
		}
		execute(c, fmt.Sprintf(`{"v":1,"id":"id-%d","name":"ping"}`, i), false)
	}
	if kept := len(s.StateKeys("command/")); kept != maxReceipts || len(c.receipts.byID) != maxReceipts || len(c.receipts.order) != maxReceipts {
		t.Errorf("%d receipts stored, %d in memory, want %d", kept, len(c.receipts.byID), maxReceipts)
	}
	if s.state["command/id-2"] != nil || s.state["command/id-3"] == nil {
		t.Error("it is not the oldest that were dropped")
	}
}

// A receipt that cannot be read still keeps its command from running again.
func TestDamagedReceipt(t *testing.T) {
	t.Parallel()
	s := &store{state: map[string][]byte{"command/a": []byte("x")}}
	c := open(t, options(s))
	expect(t, "result", execute(c, `{"v":1,"id":"a","name":"stop"}`, false), `{"v":1,"id":"a","name":"","state":"failed","error":{"code":"internal","message":"the stored result is damaged"}}`)
	if !c.Measuring() {
		t.Error("it ran again")
	}
}

// Whatever arrives, there is exactly one answer or a running one before it, and nothing is done unasked.
func FuzzExecute(f *testing.F) {
	for _, seed := range []string{`{"v":1,"id":"1","name":"set_interval","args":{"sensor":"a","seconds":1e-9}}`, `{"v":1,"id":"\u0000","name":"ping","args":[]}`, `[]`, `{"v":1,"id":1}`,
		`{"v":1,"id":"1","name":"reboot"}`, `{"v":1,"id":"1","name":"set_config","args":{"settings":{"measuring":false,"groups":["a"]}}}`,
		`{"v":1,"id":"1","name":"send_measurements","args":{"count":3,"page":"x"}}`, `{"v":1,"id":"1","name":"scan"}`} {
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, payload []byte, retained bool) {
		s := &store{}
		o, did := able(s)
		c := open(t, o)
		answers := 0
		var last holdfast.Result
		c.Execute(t.Context(), payload, retained, func(r holdfast.Result) {
			answers++
			if err := r.Validate(); err != nil {
				t.Error(err)
			}
			if (r.Error != nil) == (r.State == holdfast.Succeeded || r.State == holdfast.Running) {
				t.Errorf("state %s with error %v", r.State, r.Error)
			}
			last = r
		})
		if answers != len(s.lands) || answers < 1 || answers > 2 {
			t.Errorf("%d answers, %d commits", answers, len(s.lands))
		}
		if done := len(did) > 0 || c.Revision() > 0; done && (last.State == holdfast.Refused || last.State == holdfast.Failed || retained) {
			t.Errorf("%v and revision %d of a command that was %s", did, c.Revision(), last.State)
		}
	})
}
