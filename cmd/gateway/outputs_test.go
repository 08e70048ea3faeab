package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

const someOutputs = `
led: {pin: 27}
outputs:
  - {name: fan, pin: 22, max_on: 60}
  - {name: lamp, pin: GPIO23, default: last}
  - {name: siren, pin: 24}
  - {name: valve, pin: 25, default: on, release: off}
`

// outputsOf starts a gateway with outputs in a bubble.
func outputsOf(b *bubble) (stop func() uint64) {
	b.lines, b.config = new(lines), someOutputs
	stop = b.gateway(holdfast.AckReceipt)
	time.Sleep(10 * time.Second)
	return stop
}

// on returns which outputs are on, of those whose line was not given back.
func (b *bubble) on() string {
	var names []string
	for name, l := range b.lines.get() {
		if on, _ := l.State(); on && name != "led" {
			names = append(names, strings.TrimPrefix(name, "output "))
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// command carries out a command and returns its last result.
func (b *bubble) command(name, args string) (last holdfast.Result) {
	b.commands++
	id := fmt.Sprint("command-", b.commands)
	b.running.Load().control.Execute(b.t.Context(), fmt.Appendf(nil, `{"v":1,"id":%q,"name":%q,"args":%s}`, id, name, args), false,
		func(r holdfast.Result) { last = r })
	return last
}

// Outputs begin at their default, obey commands, settings and their maximum, and end as they should; the database has an
// event for each change of a line.
func TestOutputs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.receiver()
		stop := outputsOf(b)
		for i, step := range []struct {
			name, args string
			state      holdfast.CommandState
			after      time.Duration
			want       string
		}{
			{"ping", `{}`, holdfast.Succeeded, 0, "valve"},
			{"set_output", `{"name":"fan","on":true}`, holdfast.Succeeded, 59 * time.Second, "fan valve"},
			{"ping", `{}`, holdfast.Succeeded, 2 * time.Second, "valve"}, // max_on
			{"set_output", `{"name":"siren","on":true,"seconds":5}`, holdfast.Succeeded, 4 * time.Second, "siren valve"},
			{"set_output", `{"name":"siren","on":true,"seconds":5}`, holdfast.Succeeded, 4 * time.Second, "siren valve"}, // anew
			{"ping", `{}`, holdfast.Succeeded, 2 * time.Second, "valve"},
			{"set_output", `{"name":"siren","on":true,"seconds":5}`, holdfast.Succeeded, time.Second, "siren valve"},
			{"set_output", `{"name":"siren","on":true}`, holdfast.Succeeded, 90 * time.Second, "siren valve"}, // until changed
			{"set_config", `{"settings":{"output.siren":false,"output.fan":true}}`, holdfast.Succeeded, 30 * time.Second, "fan valve"},
			{"set_output", `{"name":"fan","on":true,"seconds":60}`, holdfast.Succeeded, 31 * time.Second, "valve"}, // never beyond max_on
			{"set_output", `{"name":"fan","on":true,"seconds":61}`, holdfast.Failed, 0, "valve"},
			{"set_output", `{"name":"lamp","on":true,"seconds":1}`, holdfast.Failed, 0, "valve"},
			{"set_output", `{"name":"heater","on":true}`, holdfast.Failed, 0, "valve"},
			{"set_output", `{"name":"lamp","on":true}`, holdfast.Succeeded, 0, "lamp valve"},
			{"set_output", `{"name":"valve","on":false}`, holdfast.Succeeded, 0, "lamp"},
			{"set_output", `{"name":"siren","on":true}`, holdfast.Succeeded, 0, "lamp siren"},
		} {
			if r := b.command(step.name, step.args); r.State != step.state {
				t.Errorf("step %d: %s %s: %s, %v", i, step.name, step.args, r.State, r.Error)
			}
			time.Sleep(step.after)
			if got := b.on(); got != step.want {
				t.Errorf("step %d: %s %s, after %v: on are %q, want %q", i, step.name, step.args, step.after, got, step.want)
			}
		}
		stop()
		if got := b.on(); got != "lamp" { // keeps its state; all others end off
			t.Errorf("on after the end: %q", got)
		}
		for name, l := range b.lines.get() {
			if _, closed := l.State(); !closed {
				t.Errorf("%s was not given back", name)
			}
		}

		stop = outputsOf(b)
		if got := b.on(); got != "lamp valve" {
			t.Errorf("on after the next start: %q", got)
		}
		for name, want := range map[string]string{"fan": "false", "lamp": "true", "siren": "false", "valve": "true"} {
			if s, _ := b.running.Load().control.Get(holdfast.OutputKey(name)); string(s.Value) != want {
				t.Errorf("setting of %s: %s, want %s", name, s.Value, want)
			}
		}
		stop()
		if got, want := b.outputEvents(), []string{
			"fan on command", "fan off limit", "siren on command", "siren off limit", "siren on command", "fan on command", "siren off command", "fan off limit",
			"lamp on command", "valve off command", "siren on command", "siren off config", "lamp on command", // of the second end the next start would tell
		}; !slices.Equal(got, want) {
			t.Errorf("events:\n%q, want\n%q", got, want)
		}
	})
}

// outputEvents returns the changes of lines that the database knows, oldest first.
func (b *bubble) outputEvents() (all []string) {
	events, err := b.store.Events(b.t.Context(), "bubble", holdfast.EventOutput, time.Time{}, time.Now(), 100)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range slices.Backward(events) {
		var c holdfast.OutputChange
		if err := json.Unmarshal(e.Data, &c); err != nil {
			b.t.Error(err)
		}
		all = append(all, fmt.Sprintf("%s %s %s", c.Output, map[bool]string{true: "on", false: "off"}[c.On], c.Origin))
	}
	return all
}

// A failingLine is one that cannot be switched for a while.
type failingLine struct {
	*simulated.Line
	until atomic.Pointer[time.Time]
}

func (l *failingLine) fail(d time.Duration) {
	until := time.Now().Add(d)
	l.until.Store(&until)
}

func (l *failingLine) Set(on bool) error {
	if until := l.until.Load(); until != nil && time.Now().Before(*until) {
		return errors.New("input/output error")
	}
	return l.Line.Set(on)
}

// A line that cannot be switched off when its time is over is tried until it is.
func TestOutputThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &failingLine{Line: simulated.NewLine(false)}
		open := func(o sensors.OutputOptions, on bool) (line, error) {
			if o.Line == "9" {
				return nil, errors.New("no such line")
			}
			return l, nil
		}
		var notices []string
		o := newOutputs([]OutputConfig{{Name: "fan", Pin: "22", MaxOn: time.Minute}, {Name: "gone", Pin: "9"}}, open, slog.New(slog.DiscardHandler))
		var events []holdfast.OutputChange
		o.event = func(c holdfast.OutputChange) { events = append(events, c) }
		o.notice = func(text string) { notices = append(notices, text) }
		o.keeps.Store(true)
		go o.run(t.Context())
		o.set("fan", true, holdfast.OriginPage, "")
		o.set("gone", true, holdfast.OriginPage, "")
		l.fail(time.Minute + 10*time.Second)
		time.Sleep(time.Minute + 5*time.Second)
		synctest.Wait()
		if s := o.state("fan"); !s.On || s.Error == "" || len(o.follows) != 1 {
			t.Errorf("while it fails: %+v, %d settings to follow, want 1", s, len(o.follows))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if on, _ := l.State(); on || o.state("fan").On || o.state("fan").Error != "" || len(o.follows) != 1 {
			t.Errorf("after it failed: line on: %v; %+v, %d settings to follow, want 1", on, o.state("fan"), len(o.follows))
		}
		if len(events) != 3 || events[1].Error == "" || !events[1].On || events[2].On {
			t.Errorf("events: %+v, want on, on with an error, off", events)
		}
		if err := o.check("gone"); err == nil || len(notices) != 1 || !strings.Contains(notices[0], "output gone does not work: no such line") {
			t.Errorf("an output without its line: %v, %q", err, notices)
		}
	})
}

// Whoever names an output that is not there is told of those that are.
func TestNoSuchOutput(t *testing.T) {
	t.Parallel()
	for want, list := range map[string][]OutputConfig{
		"invalid output.pump: no such output: want one of fan, lamp": {{Name: "fan"}, {Name: "lamp"}},
		"invalid output.pump: this device has no outputs":            nil,
	} {
		if err := newOutputs(list, nil, nil).check("pump"); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestOutputsConfiguration(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig("", variables("GATEWAY_CONFIG", `
button: {pin: 17}
led: {pin: GPIO17}
outputs:
  - {name: fan, pin: 22, active_low: true, max_on: 60}
  - {name: fan, pin: 23}
  - {name: Fan, pin: 23}
  - {name: pump, pin: 22}
  - {name: heater, pin: 24, default: on, max_on: 5}
  - {name: heater, pin: 24, max_on: 5, release: keep}
  - {name: lamp, pin: 24, default: sometimes}
  - {pin: 24}
  - {name: lamp, chip: expander, pin: 22, default: last}
  - lamp
`, "BUTTON_SHORT", "mark", "BUTTON_LONG", "stop"))
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, want := range []string{
		`GATEWAY_CONFIG:6: outputs[1]: "fan" stands there twice`,
		`GATEWAY_CONFIG:7: outputs[2].name: invalid output: "Fan"`,
		`GATEWAY_CONFIG:9: outputs[4]: with max_on it begins and ends off`,
		`GATEWAY_CONFIG:10: outputs[5]: with max_on it begins and ends off`,
		`GATEWAY_CONFIG:11: outputs[6].default: "sometimes": want one of off, on, last`,
		`GATEWAY_CONFIG:12: outputs[7]: want at least name and pin`,
		`GATEWAY_CONFIG:14: outputs[9]: want keys and values`,
		`led.pin: line GPIO17 is that of button.pin already`,
		`output pump: line 22 is that of output fan already`,
		`a press stops measuring and none would start it again`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes lack %q:\n%v", want, err)
		}
	}
	want := []OutputConfig{
		{Name: "fan", Pin: "22", ActiveLow: true, MaxOn: time.Minute, Default: "off", Release: "off"},
		{Name: "lamp", Chip: "expander", Pin: "22", Default: "last", Release: "keep"},
	}
	if !slices.Equal(cfg.Outputs, want) || cfg.LED.Pin != "" || cfg.Button.action(holdfast.PressShort) != "toggle" {
		t.Errorf("outputs %+v, LED %+v, button %+v", cfg.Outputs, cfg.LED, cfg.Button)
	}
}
