package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

const threeOutputs = `
outputs:
  - {name: fan, pin: 22}
  - {name: horn, pin: 23, max_on: 60}
  - {name: lamp, pin: 24, default: last}
`

// set writes an output's setting as the page does.
func (a *acting) set(output string, on bool) {
	a.t.Helper()
	value := json.RawMessage("false")
	if on {
		value = json.RawMessage("true")
	}
	if _, err := a.g.control.Set(a.t.Context(), holdfast.OutputKey(output), value, holdfast.OriginPage, ""); err != nil {
		a.t.Error(err)
	}
}

// command carries out set_output.
func (a *acting) command(id, args string) {
	a.t.Helper()
	a.g.control.Execute(a.t.Context(), []byte(`{"v":1,"id":"`+id+`","name":"set_output","args":`+args+`}`), false, func(r holdfast.Result) {
		if r.Error != nil {
			a.t.Error(r.Error)
		}
	})
}

// A rule switches its outputs and their settings follow, however rules, people and limits come together.
func TestRuleOutputs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, threeOutputs, `
  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{output: {name: fan, state: on}}, {output: {name: horn, state: pulse, for: 2s}}]}
  - {name: two, threshold: {sensor: hand, quantity: x, above: 2}, actions: [{output: {name: fan, state: on, max: 30s}}]}
  - {name: three, threshold: {sensor: hand, quantity: x, above: 3}, actions: [{output: {name: fan, state: off}}, {output: {name: horn, state: on}}]}
`)
		a.start()
		defer a.stop()
		nothing := func() {}
		for i, step := range []struct {
			feel    float64
			do      func()
			wait    time.Duration
			fan     bool
			horn    bool
			setting string // of the fan
		}{
			{0, nothing, time.Second, false, false, "false config "},
			{1.5, nothing, time.Second, true, true, "true rule one"},
			{1.5, nothing, 2 * time.Second, true, false, "true rule one"}, // the pulse is over
			{2.5, nothing, time.Second, true, false, "true rule one"},
			{1.5, nothing, time.Second, true, false, "true rule one"}, // one still wants it on
			{0, nothing, time.Second, false, false, "false rule one"},

			{2.5, nothing, 31 * time.Second, true, false, "true rule one"}, // the maximum of two does not end what one wants
			{1.5, nothing, time.Second, true, false, "true rule one"},
			{2.5, func() { a.set("fan", false) }, time.Second, false, false, "false page "}, // somebody switches it off: it stays off
			{2.5, nothing, time.Minute, false, false, "false page "},
			{1.5, nothing, time.Second, false, false, "false page "},
			{2.5, nothing, 29 * time.Second, true, false, "true rule two"}, // until the next alert, and then for two alone
			{2.5, nothing, 2 * time.Second, false, false, "false limit two: its time is over"},
			{0, nothing, time.Second, false, false, "false limit two: its time is over"},

			{0, func() { a.set("fan", true) }, time.Second, true, false, "true page "}, // what somebody switched on stays on
			{1.5, nothing, 3 * time.Second, true, false, "true page "},
			{0, nothing, time.Second, true, false, "true page "},
			{3.5, nothing, 3 * time.Second, false, true, "false rule three"}, // unless a rule switches it off
			{0, nothing, time.Second, false, false, "false rule three"},

			{1.5, func() { a.command("c1", `{"name":"fan","on":true}`) }, 3 * time.Second, true, false, "true rule one"}, // taken over
			{0, nothing, time.Minute, true, false, "true rule one"},
			{0, func() { a.set("fan", false) }, time.Second, false, false, "false page "},
			{1.5, func() { a.command("c2", `{"name":"fan","on":true,"seconds":5}`) }, 4 * time.Second, true, false, "true rule one"},
			{1.5, nothing, 2 * time.Second, false, false, "false limit seconds are over"},
			{0, nothing, time.Second, false, false, "false limit seconds are over"},

			{3.5, nothing, 59 * time.Second, false, true, ""}, // the output's own maximum
			{3.5, nothing, 2 * time.Second, false, false, ""},
			{0, nothing, time.Second, false, false, ""},
		} {
			a.feel(step.feel)
			synctest.Wait()
			step.do()
			after(step.wait)
			if fan, horn := a.on("fan"), a.on("horn"); fan != step.fan || horn != step.horn {
				t.Errorf("step %d: fan on: %v, horn on: %v, want %v, %v", i, fan, horn, step.fan, step.horn)
			}
			if got := a.setting("fan"); step.setting != "" && got != step.setting {
				t.Errorf("step %d: setting of the fan: %s, want %s", i, got, step.setting)
			}
		}
		if events := a.events(holdfast.EventOutput); len(events) < 10 || events[0] != `{"output":"fan","on":true,"origin":"rule","reason":"one"}` {
			t.Errorf("events %q", events)
		}
	})
}

// What stands is switched on again by a restart, within what is left of its time; a pulse is not done twice, and an output that
// keeps its state stays as it was made. What belongs to a rule that is gone goes off.
func TestRuleOutputsAfterRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, threeOutputs+"  - {name: pump, pin: 25}\n", `
  - name: one
    threshold: {sensor: hand, quantity: x, above: 1}
    actions: [{output: {name: fan, state: on, max: 100s}}, {output: {name: horn, state: pulse, for: 50s}}, {output: {name: lamp, state: on}}]
  - name: two
    threshold: {sensor: hand, quantity: x, above: 1}
    actions: [{output: {name: pump, state: on}}]
`)
		states := func() (on string) {
			for _, name := range []string{"fan", "horn", "lamp", "pump"} {
				if a.on(name) {
					on += name + " "
				}
			}
			return strings.TrimSpace(on)
		}
		want := func(when, want string) {
			t.Helper()
			if got := states(); got != want {
				t.Errorf("%s: %s are on, want %s", when, got, want)
			}
		}
		restart := func() {
			a.stop()
			a.start()
			after(time.Second)
		}
		a.start()
		a.feel(2)
		after(5 * time.Second)
		want("raised", "fan horn lamp pump")
		restart()
		want("after a restart", "fan lamp pump")
		a.set("lamp", false)
		restart()
		want("somebody switched the lamp off", "fan pump")
		after(85 * time.Second)
		want("before the maximum", "fan pump")
		after(9 * time.Second)
		want("behind the maximum, 100 s from when it was raised", "pump")
		fans := func() int { return strings.Count(strings.Join(a.events(holdfast.EventOutput), ""), `"fan","on":true`) }
		before := fans()
		restart()
		want("and after another restart", "pump")
		if n := fans(); n != before {
			t.Errorf("the fan was switched on %d times by a restart behind its maximum", n-before)
		}
		a.boot = "boot-2"
		restart()
		want("after a reboot the maximum counts anew", "fan pump")

		a.rules = "  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{output: {name: fan, state: on, max: 100s}}]}\n"
		restart()
		want("without the rule", "")
		a.feel(2)
		after(time.Second)
		want("raised anew by the rule that reads differently", "fan")
		value, _ := json.Marshal(holdfast.RuleSet{Version: 2, YAML: "version: 2\nrules: []\n"})
		if _, err := a.g.control.Set(t.Context(), holdfast.SettingRules, value, holdfast.OriginPage, ""); err != nil {
			t.Error(err)
		}
		after(time.Second)
		want("without rules", "")
		if got := a.setting("fan"); got != "false rule one" {
			t.Errorf("setting of the fan: %s", got)
		}
		a.stop()
	})
}

// A lamp that keeps its state is on again with the rule that holds it, and goes off with its alert.
func TestRuleHoldsLastOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, threeOutputs, "  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{output: {name: lamp, state: on}}]}\n")
		a.start()
		a.feel(2)
		after(time.Second)
		a.stop()
		a.start()
		after(time.Second)
		if !a.on("lamp") {
			t.Error("the lamp is off after the restart")
		}
		a.feel(0)
		after(time.Second)
		if a.on("lamp") || a.setting("lamp") != "false rule one" {
			t.Errorf("the lamp is on: %v, its setting %s", a.on("lamp"), a.setting("lamp"))
		}
		a.stop()
	})
}

// A rule that switches an output which is not there does all else, and says so.
func TestRuleWithoutOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, threeOutputs, "  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{output: {name: pump, state: on}}, {output: {name: fan, state: on}}]}\n")
		a.start()
		defer a.stop()
		a.feel(2)
		after(2 * time.Second)
		if !a.on("fan") {
			t.Error("the fan is off")
		}
		const why = "rule one switches output pump: this device has fan, horn, lamp"
		if got := strings.Join(a.g.notices.all(), "\n"); !strings.Contains(got, "nothing to switch: rules.yaml:3: rules[0].actions[0]: "+why) {
			t.Errorf("notices %s", got)
		}
		if got := strings.Join(a.events(holdfast.EventAction), "\n"); got != `{"rule":"one","action":"output","state":"missing","output":"pump","error":"`+why+`"}` {
			t.Errorf("events %s", got)
		}
		value, _ := json.Marshal(holdfast.RuleSet{Version: 2, YAML: "version: 2\nrules: []\n"})
		if _, err := a.g.control.Set(t.Context(), holdfast.SettingRules, value, holdfast.OriginPage, ""); err != nil {
			t.Error(err)
		}
		after(time.Second)
		if got := a.g.notices.all(); len(got) > 0 {
			t.Errorf("notices %q", got)
		}
	})
}

// A schedule switches once for each firing, and what it switched on stays on over an alert of another rule.
func TestScheduleOutputs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, threeOutputs, `
  - {name: one, threshold: {sensor: hand, quantity: x, above: 1}, actions: [{output: {name: fan, state: on}}]}
  - {name: morning, schedule: {cron: "1 0 * * *"}, actions: [{output: {name: fan, state: on}}, {output: {name: horn, state: pulse, for: 1s}}, {output: {name: lamp, state: on, max: 20s}}]}
  - {name: evening, schedule: {cron: "3 0 * * *"}, actions: [{output: {name: fan, state: off}}]}
`)
		a.start() // at midnight, as all bubbles
		defer a.stop()
		want := func(when string, fan, horn, lamp bool) {
			t.Helper()
			if a.on("fan") != fan || a.on("horn") != horn || a.on("lamp") != lamp {
				t.Errorf("%s: fan %v, horn %v, lamp %v", when, a.on("fan"), a.on("horn"), a.on("lamp"))
			}
		}
		after(59 * time.Second)
		want("before", false, false, false)
		after(1500 * time.Millisecond)
		want("fired", true, true, true)
		after(2 * time.Second)
		want("the pulse is over", true, false, true)
		a.feel(2)
		after(time.Second)
		a.feel(0)
		after(20 * time.Second)
		want("behind an alert", true, false, false)
		after(2 * time.Minute)
		want("in the evening", false, false, false)
		if got := a.setting("fan"); got != "false rule evening" {
			t.Errorf("setting of the fan: %s", got)
		}
	})
}

// gateway check names each action that has nothing to switch, and finds no fault with it.
func TestCheckNamesMissingOutputs(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/rules.yaml"
	text := "version: 1\nrules:\n  - {name: one, threshold: {quantity: x, above: 1}, actions: [{output: {name: pump, state: on}}, {output: {name: fan, state: off}}]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GATEWAY_CONFIG", "outputs: [{name: fan, pin: 22}]")
	t.Setenv("RULES_FILE", file)
	var out strings.Builder
	if err := checkCommand(t.Context(), nil, &out); err != nil {
		t.Fatal(err)
	}
	if want := "configuration and rules are right\nbut " + file + ":3: rules[0].actions[0]: rule one switches output pump: this device has fan\n"; out.String() != want {
		t.Errorf("got %s, want %s", out.String(), want)
	}
}

// A setting that follows a line does not switch it again, and one that came too late is put right.
func TestSettingsFollowLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newActing(t, threeOutputs, " []\n")
		a.start()
		defer a.stop()
		a.g.apply(holdfast.Setting{Key: holdfast.OutputKey("fan"), Value: json.RawMessage("true"), Origin: holdfast.OriginRule})
		after(time.Second)
		if a.on("fan") {
			t.Error("a setting that only follows switched the line")
		}
		a.g.outputs.follow("fan", follow{true, holdfast.OriginRule, "one"}) // the line went off meanwhile
		after(time.Second)
		if got := a.setting("fan"); got != "false rule one" || a.on("fan") {
			t.Errorf("setting %s, line on: %v", got, a.on("fan"))
		}
	})
}
