package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// told writes orders as one line each.
func told(orders []Order) (out []string) {
	for _, o := range orders {
		line := fmt.Sprintf("%s/%d %s %s %s", o.Rule, o.Place, o.Alert, []string{"once", "begin", "end"}[o.Step], o.Action.Kind)
		switch o.Action.Kind {
		case ActionOutput:
			line += " " + o.Action.Output + " " + o.Action.State
		case ActionInterval:
			line += fmt.Sprintf(" %v for %v", o.Action.Every, o.Action.For)
		case ActionWebhook:
			line += " " + string(o.Record.State)
		}
		out = append(out, line+" at "+clock(o.At.Time))
	}
	return out
}

const allActions = `
    actions:
      - output: {name: fan, state: on, max: 30m}
      - output: {name: horn, state: pulse, for: 2s}
      - interval: {every: 1s, for: 10s}
      - webhook: {url: "http://10.0.0.1/"}`

const heated = `
  - name: warm
    threshold: {quantity: temperature_celsius, above: 26}` + allActions

// Orders follow an alert from raised to cleared, and are handed over once.
func TestOrders(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, heated)
	feel := func(second int, celsius float64) []string {
		e.Apply(reading(instant(second), "s", celsius), instant(second))
		return told(e.Orders())
	}
	expect(t, "calm", feel(0, 20))
	expect(t, "raised", feel(1, 27), "warm/0 a1 begin output fan on at 12:00:31", "warm/1 a1 once output horn pulse at 12:00:31",
		"warm/2 a1 begin interval 1s for 10s at 12:00:31", "warm/3 a1 once webhook raised at 12:00:31")
	expect(t, "standing", feel(2, 28))
	expect(t, "to give again", told(e.Standing()), "warm/0 a1 begin output fan on at 12:00:31", "warm/2 a1 begin interval 1s for 10s at 12:00:31")
	if _, err := e.Acknowledge("a1", "ann", instant(3)); err != nil {
		t.Fatal(err)
	}
	expect(t, "acknowledged", told(e.Orders()), "warm/3 a1 once webhook acknowledged at 12:00:33")
	expect(t, "cleared", feel(4, 20), "warm/0 a1 end output fan on at 12:00:34", "warm/2 a1 end interval 1s for 10s at 12:00:34", "warm/3 a1 once webhook cleared at 12:00:34")
	expect(t, "behind it", told(e.Standing()), "warm/2 a1 end interval 1s for 10s at 12:00:34")
	e.Tick(instant(13))
	expect(t, "still behind it", told(e.Standing()), "warm/2 a1 end interval 1s for 10s at 12:00:34")
	e.Tick(instant(14))
	expect(t, "in the end", told(append(e.Standing(), e.Orders()...)))

	feel(20, 27)
	feel(21, 20)
	feel(22, 27)
	feel(23, 20)
	expect(t, "behind two alerts of a sensor", told(e.Standing()), "warm/2 a3 end interval 1s for 10s at 12:00:53")
}

// A restart within a boot orders nothing anew and knows since when everything stands; after a reboot it counts from there. A
// rule that is gone or reads differently ends everything at once.
func TestOrdersAfterRestart(t *testing.T) {
	t.Parallel()
	before := func() *Engine {
		e := engine(t, 1, heated)
		e.Apply(reading(instant(1), "s", 27), instant(1))
		e.Apply(reading(instant(1), "other", 27), instant(1))
		e.Apply(reading(instant(2), "other", 20), instant(2))
		e.Orders()
		return e
	}
	same := engine(t, 1, heated)
	restarted(t, before(), same, instant(5))
	expect(t, "restart: orders", told(same.Orders()))
	expect(t, "restart: standing", told(same.Standing()), "warm/0 a1 begin output fan on at 12:00:31", "warm/2 a1 begin interval 1s for 10s at 12:00:31", "warm/2 a2 end interval 1s for 10s at 12:00:32")

	later := instant(100)
	later.Boot = "boot-2"
	rebooted := engine(t, 1, heated)
	restarted(t, before(), rebooted, later)
	expect(t, "reboot: orders", told(rebooted.Orders()))
	expect(t, "reboot: standing", told(rebooted.Standing()), "warm/0 a1 begin output fan on at 12:00:31", "warm/2 a1 begin interval 1s for 10s at 12:00:31", "warm/2 a2 end interval 1s for 10s at 12:00:32")
	for _, o := range rebooted.Standing() {
		if o.At.Mono != later.Mono || o.At.Boot != later.Boot {
			t.Errorf("after a reboot the time of %v counts from %+v, want %+v", told([]Order{o}), o.At, later)
		}
	}

	for name, text := range map[string]string{"gone": " []", "other actions": strings.Replace(heated, "30m", "31m", 1), "no actions": strings.Replace(heated, allActions, "", 1)} {
		e := engine(t, 1, text)
		restarted(t, before(), e, instant(5))
		expect(t, name, told(e.Orders()), "warm/0 a1 end output fan on at 12:00:35", "warm/2 a1 end interval 1s for 10s at 12:00:35", "warm/3 a1 once webhook cleared at 12:00:35",
			"warm/2 a1 end interval 1s for 0s at 12:00:35", "warm/2 a2 end interval 1s for 0s at 12:00:35")
		expect(t, name+": standing", told(e.Standing()))
	}
}

// A rule that panics ends what it has ordered.
func TestOrdersOfBrokenRule(t *testing.T) {
	t.Parallel()
	set, err := Parse("test", []byte("version: 1\nrules:"+heated))
	if err != nil {
		t.Fatal(err)
	}
	e := New(set, Options{NewID: func() string { return "a1" }})
	e.Apply(reading(instant(1), "s", 27), instant(1))
	e.Orders()
	e.at = instant(2)
	e.guard(e.rules[0], func() []holdfast.Record { panic("broken") })
	expect(t, "after the panic", told(e.Orders()), "warm/0 a1 end output fan on at 12:00:32", "warm/2 a1 end interval 1s for 0s at 12:00:32")
	expect(t, "standing", told(e.Standing()))
}

// A schedule has its actions done once for each firing, in time or late, and nothing stands.
func TestOrdersOfSchedule(t *testing.T) {
	t.Parallel()
	e := engine(t, 1, `
  - name: airing
    schedule: {cron: "* * * * *"}
    actions: [{output: {name: fan, state: on, max: 5m}}, {interval: {every: 1s, for: 10s}}]`)
	var got []string
	for _, second := range []int{0, 29, 30, 31, 600} { // the first minute is never due
		e.Tick(instant(second))
		got = append(got, told(e.Orders())...)
	}
	expect(t, "orders", got, "airing/0  once output fan on at 12:01:00", "airing/1  once interval 1s for 10s at 12:01:00",
		"airing/0  once output fan on at 12:10:30", "airing/1  once interval 1s for 10s at 12:10:30")
	expect(t, "standing", told(e.Standing()))
}

// The kinds that may have actions are those that raise alerts, and schedule.
func TestActingKinds(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		_, raises := k.blank().begin().(alerter)
		if got, want := slices.Contains(acting, k.name), raises || k.name == scheduled; got != want {
			t.Errorf("%s: may have actions: %v, want %v", k.name, got, want)
		}
	}
}

// Orders that nobody takes are bounded, and those too many are the rule's failure.
func TestOrdersAreBounded(t *testing.T) {
	t.Parallel()
	set, err := Parse("test", []byte("version: 1\nrules:"+heated))
	if err != nil {
		t.Fatal(err)
	}
	e := New(set, Options{})
	for i := 0; i < maxOrders && len(e.orders) < maxOrders; i += 2 {
		e.Apply(reading(instant(i), "s", 27), instant(i))
		e.Apply(reading(instant(i+1), "s", 20), instant(i+1))
	}
	e.Apply(reading(instant(maxOrders), "s", 27), instant(maxOrders))
	e.Apply(reading(instant(maxOrders+1), "s", 20), instant(maxOrders+1))
	if len(e.Orders()) != maxOrders || e.Failures()["warm"] == 0 || len(e.rules[0].raised) != 1 {
		t.Errorf("failures %v, %d alerts remembered, want 1", e.Failures(), len(e.rules[0].raised))
	}
	if d := e.rules[0].behind(); d != 10*time.Second {
		t.Errorf("goes on for %v", d)
	}
}
