package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast"
)

// store keeps changes in memory, as durably as a test can see: a Control made from it later finds them.
type store struct {
	mu     sync.Mutex
	state  map[string][]byte
	events []string // one line each
	lands  []string // one line for each commit: the keys of its state, then its events
	fail   error
	before func() // runs in each commit
}

func (s *store) Commit(_ context.Context, events []*holdfast.Event, state map[string][]byte) error {
	if s.before != nil {
		s.before()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	line := strings.Join(slices.Sorted(maps.Keys(state)), " ")
	for _, e := range events {
		if err := e.Validate(); err != nil {
			return err
		}
		s.events = append(s.events, e.Event+" "+string(e.Data))
		line += " +" + e.Event
	}
	s.lands = append(s.lands, line)
	for key, value := range state {
		if value == nil {
			delete(s.state, key)
			continue
		}
		s.state[key] = value
	}
	return nil
}

func (s *store) State(key string) []byte { return s.state[key] }

func (s *store) StateKeys(prefix string) []string {
	var keys []string
	for key := range s.state {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys
}

// take returns the events since the last call.
func (s *store) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events
	s.events, s.lands = nil, nil
	return events
}

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// options are those of a device in its first boot, with one configured interval.
func options(s *store) Options {
	if s.state == nil {
		s.state = make(map[string][]byte)
	}
	return Options{
		Store: s, Rate: 1e6, Burst: 1e6,
		Defaults: []holdfast.Setting{
			{Key: "measuring", Value: json.RawMessage("true")},
			{Key: "sampling.interval", Value: json.RawMessage("10"), Origin: holdfast.OriginConfig},
		},
		Now: func() holdfast.Instant {
			return holdfast.Instant{Time: noon, Boot: "boot-1", Mono: 5e6, Synchronized: true}
		},
	}
}

func open(t *testing.T, o Options) *Control {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	var told []string
	o.Apply = func(x holdfast.Setting) {
		told = append(told, fmt.Sprint("apply ", x.Key, "=", string(x.Value), " durable ", s.state["settings"] != nil))
	}
	o.Changed = func(x holdfast.Setting) { told = append(told, "changed "+x.Key) }
	c := open(t, o)

	got, err := c.Set(t.Context(), "sampling.interval.bme280-1-76", json.RawMessage(" 5.0 "), holdfast.OriginPage, "fast")
	if err != nil {
		t.Fatal(err)
	}
	want := holdfast.Setting{Key: "sampling.interval.bme280-1-76", Value: json.RawMessage("5"), Revision: 1, Origin: "page", Reason: "fast", Time: noon}
	if !same(got.Value, want.Value) || got.Revision != 1 || got.Origin != want.Origin || !got.Time.Equal(noon) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	expect(t, "told", told, "apply sampling.interval.bme280-1-76=5 durable true", "changed sampling.interval.bme280-1-76")
	expect(t, "one commit", s.lands, "settings +setting")
	expect(t, "event", s.take(), `setting {"key":"sampling.interval.bme280-1-76","value":5,"revision":1,"origin":"page","reason":"fast","time":"2026-05-01T12:00:00Z"}`)

	again, err := c.Set(t.Context(), "sampling.interval.bme280-1-76", json.RawMessage("5e0"), holdfast.OriginRedis, "")
	if err != nil || again.Revision != 1 || again.Origin != "page" {
		t.Errorf("set to what it is: %+v, %v, want the setting as it was", again, err)
	}
	if byDefault, err := c.Set(t.Context(), "measuring", json.RawMessage("true"), holdfast.OriginPage, ""); err != nil || byDefault.Revision != 0 || byDefault.Origin != "default" {
		t.Errorf("set to the default: %+v, %v", byDefault, err)
	}
	expect(t, "no events", s.take())

	if c.Interval("bme280-1-76") != 5*time.Second || c.Interval("other") != 10*time.Second || !c.Measuring() || c.Revision() != 1 {
		t.Errorf("intervals %v, %v, measuring %v, revision %d", c.Interval("bme280-1-76"), c.Interval("other"), c.Measuring(), c.Revision())
	}
	var keys []string
	for _, s := range c.Settings() {
		keys = append(keys, s.Key)
	}
	expect(t, "settings", keys, "measuring", "sampling.interval", "sampling.interval.bme280-1-76")
}

func TestSetRefuses(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := open(t, options(s))
	for _, tt := range []struct{ key, value string }{
		{"measuring", "1"}, {"measuring", "null"}, {"measuring", ""}, {"colour", "true"}, {"sampling.interval", "0"}, {"sampling.interval.NOPE", "5"},
	} {
		if _, err := c.Set(t.Context(), tt.key, json.RawMessage(tt.value), holdfast.OriginPage, ""); !errors.Is(err, holdfast.ErrInvalid) {
			t.Errorf("%s = %q: %v, want %v", tt.key, tt.value, err, holdfast.ErrInvalid)
		}
	}
	s.fail = errors.New("disk is gone")
	if _, err := c.Set(t.Context(), "measuring", json.RawMessage("false"), holdfast.OriginPage, ""); !errors.Is(err, s.fail) {
		t.Errorf("got %v, want %v", err, s.fail)
	}
	if _, err := c.Toggle(t.Context(), holdfast.OriginButton, ""); !errors.Is(err, s.fail) {
		t.Errorf("toggle: got %v, want %v", err, s.fail)
	}
	if !c.Measuring() || c.Revision() != 0 {
		t.Error("a change that is not durable took effect")
	}
	s.fail = nil
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c.slot <- struct{}{}
	if _, err := c.Set(ended, "measuring", json.RawMessage("false"), holdfast.OriginPage, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// A long or double press acts upon what was before the short press that it began as; another writer's word is not taken back.
func TestPress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		before bool
		action Action // of the second press
		write  bool   // somebody sets measuring in between, to false and to true
		want   bool
	}{
		{"mark while measuring", true, ActionMark, false, true},
		{"mark while stopped", false, ActionMark, false, false},
		{"stop while measuring", true, ActionStop, false, false},
		{"stop while stopped", false, ActionStop, false, false},
		{"toggle while measuring", true, ActionToggle, false, false},
		{"toggle while stopped", false, ActionToggle, false, true},
		{"mark after somebody started it", false, ActionMark, true, true},
	} {
		c := open(t, options(&store{}))
		set := func(on bool) {
			if _, err := c.Set(t.Context(), holdfast.SettingMeasuring, boolean(on), holdfast.OriginPage, ""); err != nil {
				t.Fatal(err)
			}
		}
		set(test.before)
		press := func(kind string, action Action) {
			if _, err := c.Press(t.Context(), holdfast.Press{Origin: "button", Press: kind}, action); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
		}
		press(holdfast.PressShort, ActionToggle)
		if test.write {
			set(false)
			set(true)
		}
		press(holdfast.PressDouble, test.action)
		if got := c.Measuring(); got != test.want {
			t.Errorf("%s: measuring %v, want %v", test.name, got, test.want)
		}
		press(holdfast.PressDouble, ActionMark) // a long or double press is taken back by nothing
		if got := c.Measuring(); got != test.want {
			t.Errorf("%s, and a double press alone: measuring %v, want %v", test.name, got, test.want)
		}
	}
}

func TestToggle(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := open(t, options(s))
	for i, want := range []bool{false, true, false} {
		if _, err := c.Toggle(t.Context(), holdfast.OriginButton, "short press"); err != nil || c.Measuring() != want {
			t.Fatalf("press %d: measuring %v, %v, want %v", i, c.Measuring(), err, want)
		}
	}
	expect(t, "press and change in one commit", s.lands[:1], "settings +button +setting")
	expect(t, "events", s.take()[:2], `button {"origin":"button","press":"short"}`,
		`setting {"key":"measuring","value":false,"revision":1,"origin":"button","reason":"short press","time":"2026-05-01T12:00:00Z"}`)

	later := open(t, options(s))
	if later.Measuring() || later.Revision() != 3 {
		t.Errorf("after a restart: measuring %v, revision %d, want false, 3", later.Measuring(), later.Revision())
	}
}

// What is stored and cannot be used falls back to the default, with an event; the rest stays.
func TestDamagedSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stored string
		interval     time.Duration
		revision     int64
		want         []string
	}{
		{"all of it", `{"v":1,"rev`, 10 * time.Second, 2, []string{
			`setting {"key":"measuring","value":true,"revision":1,"origin":"default","reason":"stored value: unexpected end of JSON input","time":"2026-05-01T12:00:00Z"}`,
			`setting {"key":"sampling.interval","value":10,"revision":2,"origin":"config","reason":"stored value: unexpected end of JSON input","time":"2026-05-01T12:00:00Z"}`}},
		{"one value", `{"v":1,"revision":7,"settings":[{"key":"measuring","value":"maybe","revision":6},{"key":"sampling.interval","value":3,"revision":7},{"key":"gone","value":1}]}`, 3 * time.Second, 8, []string{
			`setting {"key":"measuring","value":true,"revision":8,"origin":"default","reason":"stored value: invalid measuring: \"maybe\": want true or false","time":"2026-05-01T12:00:00Z"}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &store{state: map[string][]byte{"settings": []byte(tt.stored)}}
			c := open(t, options(s))
			if !c.Measuring() || c.Interval("") != tt.interval {
				t.Errorf("measuring %v, interval %v, want true, %v", c.Measuring(), c.Interval(""), tt.interval)
			}
			if err := c.Resume(t.Context(), nil); err != nil {
				t.Error(err)
			}
			expect(t, "events", s.take(), tt.want...)
			if c.Revision() != tt.revision {
				t.Errorf("revision %d, want %d", c.Revision(), tt.revision)
			}
			later := open(t, options(s))
			if err := later.Resume(t.Context(), nil); err != nil || later.Revision() != tt.revision || later.Interval("") != tt.interval {
				t.Errorf("after a restart: %v, revision %d, interval %v", err, later.Revision(), later.Interval(""))
			}
			expect(t, "told once", s.take())
		})
	}
	bad := options(&store{})
	bad.Defaults[0].Value = json.RawMessage("3")
	if _, err := New(bad); !errors.Is(err, holdfast.ErrInvalid) {
		t.Errorf("a wrong default: %v", err)
	}
}

// What is taken back holds its default again, or is not set; a restart finds it so, and a new configuration counts again.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	var applied []string
	o.Apply = func(x holdfast.Setting) { applied = append(applied, x.Key+"="+string(x.Value)) }
	c := open(t, o)
	for _, key := range []string{"sampling.interval", "sampling.interval.room"} {
		if _, err := c.Set(t.Context(), key, json.RawMessage("3"), holdfast.OriginPage, ""); err != nil {
			t.Fatal(err)
		}
	}
	s.take()
	const back = `{"v":1,"id":"a","name":"set_config","from":"ops","args":{"settings":{"measuring":null,"sampling.interval":null,"sampling.interval.room":null}}}`
	expect(t, "result", execute(c, back, false), `{"v":1,"id":"a","name":"set_config","state":"succeeded","result":{"revision":4}}`)
	expect(t, "one commit", s.lands, "command/a settings +setting +setting +command")
	expect(t, "events", s.take()[:2],
		`setting {"key":"sampling.interval","value":10,"revision":3,"origin":"command","reason":"taken back: set_config by ops","time":"2026-05-01T12:00:00Z"}`,
		`setting {"key":"sampling.interval.room","value":null,"revision":4,"origin":"command","reason":"taken back: set_config by ops","time":"2026-05-01T12:00:00Z"}`)
	expect(t, "applied", applied[2:], "sampling.interval=10", "sampling.interval.room=null")

	o.Defaults[1].Value = json.RawMessage("20")
	for _, now := range []struct {
		c    *Control
		want time.Duration
	}{{c, 10 * time.Second}, {open(t, o), 20 * time.Second}} {
		if got := now.c.Interval("room"); got != now.want || now.c.Revision() != 4 || len(now.c.Settings()) != 2 {
			t.Errorf("interval %v, revision %d, %+v, want %v, 4", got, now.c.Revision(), now.c.Settings(), now.want)
		}
	}
	for key, want := range map[string]string{
		"sampling.interval.room": `"succeeded"`, "sampling.interval.attic": `"succeeded"`, "uplink.interval": `"succeeded"`, // nobody wrote them
		"colour": `no such setting`, "sampling.interval.A": `"invalid_argument"`,
	} {
		got := execute(c, fmt.Sprintf(`{"v":1,"id":%q,"name":"set_config","args":{"settings":{%q:null}}}`, "b"+key, key), false)
		if !strings.Contains(got[0], want) || c.Revision() != 4 {
			t.Errorf("%s: %s, want %s", key, got[0], want)
		}
	}
}

// Many writers at once: each change has its own revision, and they take effect in that order.
func TestSetFromManyWriters(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	var applied []int64
	o.Apply = func(x holdfast.Setting) { applied = append(applied, x.Revision) } // unguarded on purpose: calls do not overlap
	c := open(t, o)
	var writers sync.WaitGroup
	for i := range 20 {
		writers.Go(func() {
			key := holdfast.IntervalKey(fmt.Sprint("s", i%5))
			if _, err := c.Set(context.Background(), key, fmt.Append(nil, i+1), holdfast.OriginPage, ""); err != nil {
				t.Error(err)
			}
			c.Get(key)
			c.Settings()
		})
	}
	writers.Wait()
	if len(applied) != 20 || !slices.IsSorted(applied) || c.Revision() != 20 {
		t.Errorf("applied %v, revision %d, want 1 to 20", applied, c.Revision())
	}
}

func TestSettingsAreBounded(t *testing.T) {
	t.Parallel()
	c := open(t, options(&store{}))
	for i := range maxSettings {
		c.adopt(effect{setting: holdfast.Setting{Key: holdfast.IntervalKey(fmt.Sprint("s", i)), Value: json.RawMessage("1")}})
	}
	if _, err := c.Set(t.Context(), "sampling.interval.more", json.RawMessage("1"), holdfast.OriginPage, ""); !errors.Is(err, holdfast.ErrInvalid) {
		t.Errorf("one more: %v, want %v", err, holdfast.ErrInvalid)
	}
	if _, err := c.Set(t.Context(), "sampling.interval.s1", json.RawMessage("2"), holdfast.OriginPage, ""); err != nil {
		t.Errorf("one that is there: %v", err)
	}
}
