package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

// A rulesBubble is a bubble whose gateway has a file of rules.
type rulesBubble struct {
	*bubble
	file string
	stop func() uint64
}

func newRulesBubble(t *testing.T, text string) *rulesBubble {
	t.Helper()
	b := &rulesBubble{bubble: newBubble(t)}
	b.file = filepath.Join(b.dir, "rules.yaml")
	b.config = fmt.Sprintf("sampling: {interval: 5}\nrules: {file: %s}\n", b.file)
	if text != "" {
		b.write(text)
	}
	b.receiver()
	return b
}

func (b *rulesBubble) begin() {
	b.t.Helper()
	b.stop = b.gateway(holdfast.AckReceipt)
	time.Sleep(5 * time.Second)
}

// again starts the gateway anew, as after an end that was none of its own where dies is true.
func (b *rulesBubble) again(dies bool) {
	b.t.Helper()
	b.running.Load().stuck.Store(dies)
	b.stop()
	b.begin()
}

func (b *rulesBubble) write(text string) {
	b.t.Helper()
	if err := os.WriteFile(b.file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *rulesBubble) set(origin holdfast.Origin, text string, version int) {
	b.t.Helper()
	value := (&ruleSet{Version: version, Text: text}).value()
	if _, err := b.running.Load().control.Set(b.t.Context(), holdfast.SettingRules, value, origin, "test"); err != nil {
		b.t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
}

// proves lets the set in force prove itself: all but the last minute of its trial is skipped.
func (b *rulesBubble) proves() {
	b.t.Helper()
	s := b.running.Load().sets
	s.mu.Lock()
	s.book.Trial.passed = probationTime - time.Minute
	s.mu.Unlock()
	time.Sleep(2 * time.Minute)
	b.told("proven")
}

// holds expects a version in force.
func (b *rulesBubble) holds(version int, when string) {
	b.t.Helper()
	s := b.running.Load().sets
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.active.told().Version; got != version {
		b.t.Errorf("%s: version %d is in force, want %d; %+v", when, got, version, s.book)
	}
}

// told expects an event of rules, with all these words in its data.
func (b *rulesBubble) told(words ...string) {
	b.t.Helper()
	time.Sleep(10 * time.Second) // it travels
	events, err := b.store.Events(b.t.Context(), "bubble", holdfast.EventRules, time.Time{}, time.Now(), 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
next:
	for _, e := range events {
		all = append(all, string(e.Data))
		for _, word := range words {
			if !strings.Contains(string(e.Data), word) {
				continue next
			}
		}
		return
	}
	b.t.Errorf("no event has all of %q:\n%s", words, strings.Join(all, "\n"))
}

func (b *rulesBubble) notice(want string) {
	b.t.Helper()
	if all := strings.Join(b.running.Load().notices.all(), "\n"); !strings.Contains(all, want) {
		b.t.Errorf("no notice has %q:\n%s", want, all)
	}
}

func rulesOf(version int, rule string) string {
	return fmt.Sprintf("version: %d\nrules:\n  - name: hot\n    threshold: {sensor: '*', quantity: temperature_celsius, above: 500}\n%s", version, rule)
}

const failingRule = "  - name: broken\n    expression: {derive: share_percent, value: 1 / (temperature_celsius - temperature_celsius)}\n"

// The rules' file may change while the gateway runs: written slowly in its place, replaced by another file, with mistakes,
// gone, back. Only a whole text without mistakes comes into force.
func TestRulesFileChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRulesBubble(t, rulesOf(1, ""))
		b.assembled = func(g *gateway) { // before a rule has seen a reading
			if text, err := os.ReadFile(g.sets.path); err != nil || !strings.Contains(string(text), `"starts":1`) {
				t.Errorf("the start is not counted beforehand: %s, %v", text, err)
			}
		}
		b.begin()
		b.holds(1, "at the start")

		whole := rulesOf(2, "  - name: cold\n    threshold: {sensor: '*', quantity: temperature_celsius, below: -40}\n")
		for _, n := range []int{40, 80, len(rulesOf(2, "")), len(whole) - 10} { // the third is a set as well
			b.write(whole[:n])
			time.Sleep(700 * time.Millisecond)
			b.holds(1, "while the file is being written")
		}
		if all := strings.Join(b.running.Load().notices.all(), "\n"); strings.Contains(all, "rules.yaml") {
			t.Errorf("half a file was read: %s", all)
		}
		b.write(whole)
		time.Sleep(3 * time.Second)
		b.holds(2, "once it is written")
		b.told(`"loaded","version":2,"origin":"file"`, `"rules":2`, `"before":{"version":1,"origin":"file"`)

		if err := os.WriteFile(b.file+".new", []byte(rulesOf(3, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(b.file+".new", b.file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		b.holds(3, "after another file took its place")

		b.write(rulesOf(4, "  - name: cold\n    treshold: {}\n"))
		time.Sleep(3 * time.Second)
		b.holds(3, "after a text with mistakes")
		b.notice("rules.yaml:6: rules[1].treshold: no such key")
		b.told(`"refused","version":4`, "rules[1].treshold")

		b.write("version: 5\nrules: [\n")
		time.Sleep(3 * time.Second)
		b.holds(3, "after a text that is no YAML")
		b.told(`"refused","version":5,"origin":"file"`, "rules.yaml:2: not YAML")
		b.write("rules: []\n")
		time.Sleep(3 * time.Second)
		b.holds(3, "after a text without a version")
		b.told(`"refused","origin":"file"`, "rules.yaml:1: version: is missing")

		if err := os.Remove(b.file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		b.holds(3, "without a file")
		b.notice("no such file")
		b.told(`{"state":"refused","origin":"file","error":`, "no such file")
		b.write(rulesOf(3, "  - name: cold\n    threshold: {sensor: '*', quantity: temperature_celsius, below: -40}\n"))
		time.Sleep(3 * time.Second)
		b.holds(3, "once it is back")
		b.notice("give each text a version of its own")
		b.told(`"loaded","version":3`, `"rules":2`, `"before":{"version":3`)

		page := pageRules{b.running.Load()}
		view, err := page.State(t.Context())
		if err != nil || view.Version != 3 || view.Origin != originFile || !view.Trial || view.Written || len(view.Rules) != 2 || !strings.Contains(view.Rules[1].What, "below -40") {
			t.Errorf("the page shows %+v, %v", view, err)
		}
		if check := page.Check("version: 4\nrules:\n  - name: x\n"); len(check.Mistakes) != 1 || check.Mistakes[0].Line != 3 || check.Mistakes[0].Key != "rules[0]" {
			t.Errorf("checked: %+v", check)
		}
		const hook = "    actions: [webhook: {url: \"http://127.0.0.1:1/a-secret\"}]\n"
		b.set(holdfast.OriginPage, rulesOf(8, hook), 8)
		if view, err = page.State(t.Context()); err != nil || !strings.Contains(view.Text, "http://127.0.0.1:1/(set)") {
			t.Errorf("the page shows %s, %v", view.Text, err)
		}
		edited := strings.Replace(view.Text, "version: 8", "version: 9", 1)
		if check := page.Check(edited); len(check.Mistakes) > 0 {
			t.Errorf("what the page showed is wrong: %+v", check)
		}
		if _, err := settings(page).Set(t.Context(), holdfast.SettingRules, (&ruleSet{Version: 9, Text: edited}).value(), holdfast.OriginPage, "test"); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		b.holds(9, "after the page wrote")
		if s, _ := page.control.Get(holdfast.SettingRules); !strings.Contains(string(s.Value), "a-secret") {
			t.Errorf("the address of the webhook is lost: %s", s.Value)
		}
		b.write(rulesOf(5, ""))
		time.Sleep(3 * time.Second)
		b.holds(9, "after the file changed under what the page wrote")
		if _, err := (settings{b.running.Load()}).TakeBack(t.Context(), holdfast.SettingRules, holdfast.OriginPage, "test"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		b.holds(5, "after it was taken back")
		b.stop()
	})
}

// A set on trial with a rule that fails is taken back, wherever it comes from and across a restart: an event and a notice name
// rule and error. A set under which the gateway ends three times is, too. One that has proven itself is not.
func TestRulesThatFail(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("an hour in a bubble")
	}
	for _, origin := range []string{originFile, originVariable, "page"} {
		synctest.Test(t, func(t *testing.T) {
			b := newRulesBubble(t, rulesOf(1, ""))
			bring := func(version int, rule string) {
				t.Helper()
				text := rulesOf(version, rule)
				switch origin {
				case originFile:
					b.write(text)
					time.Sleep(3 * time.Second)
				case originVariable:
					b.config = fmt.Sprintf("sampling: {interval: 5}\nrules: {text: %q}\n", text)
					b.again(false)
				default:
					b.set(holdfast.Origin(origin), text, version)
				}
			}
			b.begin()
			b.proves()
			bring(2, failingRule)
			time.Sleep(5 * time.Second)
			b.holds(1, origin+": with a rule that fails")
			b.told(`"rejected"`, `"rule":"broken"`, `"version":2`, `"origin":"`+origin, "no number")
			b.notice("version 2 (" + origin + ") was taken back")
			if s, ok := b.running.Load().control.Get(holdfast.SettingRules); ok {
				t.Errorf("%s: the setting is %s", origin, s.Value)
			}
			b.again(false)
			b.holds(1, origin+": after a restart")

			bring(3, "")
			b.holds(3, origin+": with rules that are right")
			for range maxStarts - 1 {
				b.again(true)
				b.holds(3, origin+": after a death")
			}
			b.again(false)
			b.holds(3, origin+": after a good end")
			b.again(true)
			b.holds(1, origin+": after too many deaths")
			b.told(`"rejected"`, `"version":3`, "did not end well 3 times")

			bring(4, "")
			b.proves()
			for range maxStarts + 1 {
				b.again(true)
			}
			b.holds(4, origin+": after deaths of one that has proven itself")
			b.stop()
		})
	}
}
