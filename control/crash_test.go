package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"holdfast"
)

// arguments are what each command of the table takes, valid on an able device; those that are unsupported take none.
var arguments = map[string]string{
	"set_interval": `{"seconds":2}`, "set_config": `{"settings":{"measuring":false}}`, "set_rules": `{"version":1,"yaml":"rules: []"}`,
	"send_measurements": `{"count":1}`, "sample_now": `{"sensor":"room"}`,
}

func payload(id, name string) string {
	if args := arguments[name]; args != "" {
		return fmt.Sprintf(`{"v":1,"id":%q,"name":%q,"args":%s}`, id, name, args)
	}
	return fmt.Sprintf(`{"v":1,"id":%q,"name":%q}`, id, name)
}

// final reports whether the state is one that a command ends in.
func final(r holdfast.Result) bool {
	return r.State != holdfast.Running && r.State != holdfast.Accepted
}

// Each command, with the process killed before and after each of its commits and in the middle of what it does, and the next
// start in the same boot or another one, killed too while it settles that or not: the command has at most one effect, and
// always a final state, which stays the same however often it is asked for again. A reboot and a shutdown have succeeded
// where the boot is another one, and nowhere else.
func TestKilledAtEachState(t *testing.T) {
	t.Parallel()
	for _, name := range Commands() {
		for commit := 1; commit <= 2; commit++ {
			for _, when := range []string{"before the commit", "after the commit", "in the effect"} {
				for _, next := range []string{"boot-1", "boot-2"} {
					for _, again := range []string{"", "before the outcome", "after the outcome"} {
						t.Run(fmt.Sprint(name, " ", commit, " ", when, " ", next, " ", again), func(t *testing.T) {
							t.Parallel()
							killed(t, name, commit, when, next, again)
						})
					}
				}
			}
		}
	}
}

// crash is what a goroutine panics with when its process is killed.
type crash struct{}

func killed(t *testing.T, name string, commit int, when, next, again string) {
	s := &store{}
	o, did := able(s)
	boot := "boot-1"
	o.Now = func() holdfast.Instant {
		return holdfast.Instant{Time: noon, Boot: boot, Mono: 5e6, Synchronized: true}
	}
	n := 0
	s.before = func() {
		n++
		if n == commit && when == "before the commit" || n == commit+1 && when == "after the commit" {
			panic(crash{})
		}
	}
	if when == "in the effect" {
		dying := func(name string) func(context.Context) error {
			return func(context.Context) error { did[name]++; panic(crash{}) }
		}
		o.Scan = func(ctx context.Context) (any, error) { return nil, dying("scan")(ctx) }
		o.Restart, o.Shutdown, o.Reboot = dying("restart"), dying("shutdown"), dying("reboot")
	}
	var results []holdfast.Result
	respond := func(r holdfast.Result) { results = append(results, r) }
	mortal := func(live func()) {
		defer func() {
			if p := recover(); p != nil && p != (crash{}) {
				panic(p)
			}
		}()
		live()
	}
	deliver := func(c *Control) {
		mortal(func() { c.Execute(t.Context(), []byte(payload("a", name)), false, respond) })
	}
	revisions := func() int { return strings.Count(strings.Join(s.events, "\n"), "setting {") }
	deliver(open(t, o))

	// The next start; it may be killed while it settles what it finds, and then there is one more.
	boot = next
	o2, did2 := able(s)
	o2.Now = o.Now
	s.before = nil
	if again != "" {
		n = 0
		s.before = func() {
			n++
			if again == "before the outcome" || n == 2 {
				panic(crash{})
			}
		}
		mortal(func() {
			c := open(t, o2)
			if err := c.Resume(t.Context(), func(holdfast.Result) {}); err != nil {
				t.Error(err)
			}
		})
		s.before = nil
	}
	c := open(t, o2)
	if err := c.Resume(t.Context(), respond); err != nil {
		t.Fatal(err)
	}
	known := c.receipts.byID["a"].Result
	if known.State == holdfast.Running {
		t.Error("still running after Resume")
	}
	if name == "reboot" || name == "shutdown" {
		if succeeded := known.State == holdfast.Succeeded; known.State != "" && succeeded != (next == "boot-2") {
			t.Errorf("%s in %s: %+v", name, next, known)
		}
	}
	deliver(c) // the broker has it still
	last := results[len(results)-1]
	if effects := did[name] + did2[name]; effects > 1 {
		t.Errorf("%d effects", effects)
	}
	if n := revisions(); n > 1 {
		t.Errorf("%d changes of settings", n)
	}
	if !final(last) && !(did2[name] == 1 && last.State == holdfast.Running) { // an ending that has just begun
		t.Errorf("no final state: %+v", results)
	}
	if known.State != "" && known.State != last.State {
		t.Errorf("%s at first, %s when asked again", known.State, last.State)
	}
}

// Ten thousand commands, made of right ones and bent: none panics, each is answered, and only a valid one has an effect.
func TestBentCommands(t *testing.T) {
	t.Parallel()
	random := newRandom(7)
	s := &store{}
	o, did := able(s)
	c := open(t, o)
	effects := func() (n int) {
		for _, k := range did {
			n += k
		}
		return n
	}
	valid := 0
	for i := range 10_000 {
		name := Commands()[random.IntN(len(Commands()))]
		text := []byte(payload(fmt.Sprint("b", i), name))
		straight := random.IntN(20) == 0
		for bends := random.IntN(4) + 1; !straight && bends > 0; bends-- {
			text = bend(random, text)
		}
		before, revision := effects(), c.Revision()
		var results []holdfast.Result
		retained := random.IntN(30) == 0
		c.Execute(t.Context(), text, retained, func(r holdfast.Result) { results = append(results, r) })
		if len(results) == 0 || len(results) > 2 || errors.Join(validated(results)...) != nil {
			t.Fatalf("%q: %+v", text, results)
		}
		command, fault := decodeCommand(text)
		last := results[len(results)-1]
		if did := effects() > before || c.Revision() > revision; did && (retained || fault != nil || !slices.Contains(Commands(), command.Name) || last.State == holdfast.Refused || last.State == holdfast.Failed) {
			t.Fatalf("%q had an effect: %+v", text, results)
		}
		if last.State == holdfast.Succeeded {
			valid++
		}
	}
	if valid < 100 {
		t.Errorf("%d commands of 10,000 succeeded: the test bends too much to mean anything", valid)
	}
	t.Logf("%d of 10,000 succeeded, %d effects", valid, effects())
}

func validated(results []holdfast.Result) (errs []error) {
	for _, r := range results {
		errs = append(errs, r.Validate())
	}
	return errs
}
