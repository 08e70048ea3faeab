package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast"
)

// errCrash is what a store returns that took a commit, or did not, and is never heard of again.
var errCrash = errors.New("the power is gone")

// Whoever writes or takes back, in whatever order, and whenever the power fails: the last accepted writer's value holds, each change is one
// event, revisions rise by one, nothing takes effect that is not durable, and a restart finds what was accepted.
func TestAnyOrderOfWriters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &store{state: make(map[string][]byte)}
		o := options(s)
		var applied []holdfast.Setting
		o.Apply = func(x holdfast.Setting) {
			if !strings.Contains(string(s.state["settings"]), fmt.Sprintf(`"revision":%d,`, x.Revision)) {
				t.Fatalf("revision %d takes effect before it is durable", x.Revision)
			}
			applied = append(applied, x)
		}
		c, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		model := map[string]string{"measuring": "true", "sampling.interval": "10"}
		origins := map[string]holdfast.Origin{"measuring": holdfast.OriginDefault, "sampling.interval": holdfast.OriginConfig}
		defaults, byDefault := maps.Clone(model), maps.Clone(origins)
		var revision int64
		for i := range rapid.IntRange(1, 40).Draw(t, "writes") {
			crash := rapid.SampledFrom([]string{"", "", "", "before", "after"}).Draw(t, "crash")
			w := draw(t, i)
			s.fail, s.before = nil, nil
			if crash == "before" {
				s.fail = errCrash
			}
			before := c.Revision()
			accepted := w.write(c)
			if crash == "before" {
				accepted = false
			}
			s.fail = nil
			switch {
			case !accepted:
			case w.to == "null":
				if origins[w.key] != byDefault[w.key] { // somebody wrote it
					model[w.key], origins[w.key] = defaults[w.key], byDefault[w.key]
					revision++
				}
			case model[w.key] != w.value(model):
				model[w.key], origins[w.key] = w.value(model), w.origin
				revision++
			}
			if crash != "" { // the process is gone, and another finds what is durable
				if c, err = New(o); err != nil {
					t.Fatal(err)
				}
			}
			for key, want := range model {
				if got, ok := c.Get(key); ok != (want != "") || string(got.Value) != want || got.Origin != origins[key] {
					t.Fatalf("%s after %s by %s (%s): %s by %s, want %s by %s", key, w.key, w.origin, crash, got.Value, got.Origin, want, origins[key])
				}
			}
			if c.Revision() != revision || before > revision {
				t.Fatalf("revision %d, want %d", c.Revision(), revision)
			}
		}
		events := 0
		for _, e := range s.events {
			if data, ok := strings.CutPrefix(e, "setting "); ok {
				events++
				var x holdfast.Setting
				if err := json.Unmarshal([]byte(data), &x); err != nil || x.Revision != int64(events) {
					t.Fatalf("event %d is %s, %v", events, data, err)
				}
			}
		}
		if int64(events) != revision || len(applied) != events {
			t.Fatalf("%d events and %d effects of %d changes", events, len(applied), revision)
		}
	})
}

// A writing is one attempt of one writer.
type writing struct {
	key    string
	origin holdfast.Origin
	to     string // empty: toggled
	write  func(*Control) (accepted bool)
}

// value is what holds if the writing is accepted.
func (w writing) value(model map[string]string) string {
	switch {
	case w.to != "":
		return w.to
	case model[w.key] == "true":
		return "false"
	}
	return "true"
}

func draw(t *rapid.T, i int) writing {
	key := rapid.SampledFrom([]string{"measuring", "sampling.interval", "sampling.interval.room"}).Draw(t, "key")
	to := rapid.SampledFrom([]string{"true", "false"}).Draw(t, "measuring")
	if key != "measuring" {
		to = rapid.SampledFrom([]string{"1", "2", "10"}).Draw(t, "interval")
	}
	origin := rapid.SampledFrom([]holdfast.Origin{holdfast.OriginButton, holdfast.OriginCommand, holdfast.OriginShadow,
		holdfast.OriginPage, holdfast.OriginRedis, holdfast.OriginRule}).Draw(t, "writer")
	w := writing{key: key, origin: origin, to: to}
	ctx := context.Background()
	switch origin {
	case holdfast.OriginButton:
		w.key, w.to = "measuring", ""
		w.write = func(c *Control) bool { _, err := c.Toggle(ctx, origin, "short press"); return err == nil }
	case holdfast.OriginCommand:
		if rapid.IntRange(0, 2).Draw(t, "take back") == 0 {
			to, w.to = "null", "null"
		}
		w.write = func(c *Control) bool {
			results := execute(c, fmt.Sprintf(`{"v":1,"id":"%d","name":"set_config","args":{"settings":{%q:%s}}}`, i, key, to), false)
			return strings.Contains(results[0], "succeeded")
		}
	case holdfast.OriginShadow:
		w.write = func(c *Control) bool {
			answer, err := c.AskShadow(ctx, "update", fmt.Appendf(nil, `{"state":{"desired":{%q:%s}}}`, key, to), false)
			return err == nil && strings.HasSuffix(answer.Leaf, "/accepted")
		}
	default:
		w.write = func(c *Control) bool { _, err := c.Set(ctx, key, json.RawMessage(to), origin, ""); return err == nil }
	}
	return w
}
