package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

func (o *office) shadow() store.Shadow {
	o.Helper()
	s, err := o.store.Shadow(o.Context(), "pi-7")
	if err != nil {
		o.Fatal(err)
	}
	return s
}

// updates returns what the device was asked to be since the last call.
func (p *pi) updates() (all []holdfast.Shadow) {
	for _, a := range p.asked {
		if a.State.Desired != nil {
			all = append(all, a)
		}
	}
	p.asked = nil
	return all
}

// respond publishes the device's answer to a request.
func (p *pi) respond(leaf, format string, args ...any) {
	p.Helper()
	p.publish(leaf, fmt.Sprintf(format, args...))
}

// Wishes of a time offline go out as one, until the device has accepted them.
func TestWishes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.publish("shadow/update", `{"state":{"desired":{"measuring":false,"groups":["a"]}},"clientToken":"mine"}`)
		o.publish("shadow/update", `{"state":{"desired":{"groups": ["b", "c"], "log.level":null}}}`)
		if err := Wish(t.Context(), o.store, "pi-7", wish{"uplink.interval": json.RawMessage("60")}, 0, time.Now()); err != nil {
			t.Fatal(err)
		}
		const merged = `{"groups":["b","c"],"log.level":null,"measuring":false,"uplink.interval":60}`
		expect(t, "what waits", string(o.shadow().Desired), merged)
		p := o.pi()
		p.beat()
		wait(time.Second)
		p.beat()
		wait(time.Second)
		asked := p.updates()
		if len(asked) != 2 {
			t.Fatalf("asked %+v", asked)
		}
		desired, _ := json.Marshal(asked[1].State.Desired)
		expect(t, "the request", string(desired), merged)
		if !strings.HasPrefix(asked[1].ClientToken, ownToken) || asked[1].Version != 0 {
			t.Errorf("request %+v", asked[1])
		}
		o.publish("shadow/update", `{"state":{"desired":{"measuring":true}}}`) // comes between: it is not what was accepted
		p.respond("shadow/update/accepted", `{"state":{"desired":%s},"version":1,"clientToken":%q}`, desired, asked[1].ClientToken)
		expect(t, "what waits", string(o.shadow().Desired), `{"measuring":true}`)
		p.respond("shadow/update/accepted", `{"state":{"desired":{"measuring":true}},"version":2}`)
		expect(t, "what waits", string(o.shadow().Desired), `{}`)
		p.updates()
		p.beat()
		wait(time.Second)
		if asked := p.updates(); len(asked) > 0 {
			t.Errorf("asked again: %+v", asked)
		}
		o.publish("shadow/update", `{"state":{"desired":{"measuring":true}},"clientToken":"kept-x"}`) // a late echo
		expect(t, "what waits", string(o.shadow().Desired), `{}`)
	})
}

// A no of the device drops what it was asked, and is shown; one that passes by itself does not.
func TestRejection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.publish("shadow/update", `{"state":{"desired":{"measuring":false}},"version":16,"clientToken":"mine"}`)
		p := o.pi()
		p.beat()
		wait(time.Second)
		asked := p.updates()
		if len(asked) != 1 || asked[0].Version != 16 {
			t.Fatalf("asked %+v", asked)
		}
		p.respond("shadow/update/rejected", `{"code":409,"message":"of somebody else","clientToken":"x"}`)
		p.respond("shadow/update/rejected", `{"code":429,"message":"too fast","clientToken":%q}`, asked[0].ClientToken)
		expect(t, "what waits", string(o.shadow().Desired), `{"measuring":false}`)
		p.respond("shadow/update/rejected", `{"code":409,"message":"version 16: the current one is 17","clientToken":%q,"current":{"version":17}}`, asked[0].ClientToken)
		s := o.shadow()
		expect(t, "what waits", say(string(s.Desired), s.Version), `{} 0`)
		if !strings.Contains(string(s.Rejection), "the current one is 17") || strings.Contains(string(s.Rejection), "current\"") || s.Rejected.IsZero() {
			t.Errorf("rejection %s", s.Rejection)
		}
		if err := Wish(t.Context(), o.store, "pi-7", wish{"measuring": json.RawMessage("true")}, 0, time.Now()); err != nil {
			t.Fatal(err)
		}
		if s := o.shadow(); len(s.Rejection) > 0 || !s.Rejected.IsZero() {
			t.Errorf("an old rejection beside a new wish: %s", s.Rejection)
		}
	})
}

// The document is kept as the device published it. Where it did not, it is asked.
func TestDocument(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		p := o.pi()
		p.beat()
		wait(time.Second)
		if len(p.asked) != 1 {
			t.Fatalf("asked %+v, want to get", p.asked)
		}
		o.publish("shadow/get/accepted", `{"state":{},"version":9,"clientToken":"of an operator"}`)
		if s := o.shadow(); len(s.Document) > 0 {
			t.Errorf("document %s", s.Document)
		}
		const doc = `{"state":{"reported":{"measuring":true},"desired":{"measuring":true,"groups":["a"]}},"version":17}`
		o.publish("shadow/get/accepted", doc)
		if s := o.shadow(); string(s.Document) != doc || s.Published.IsZero() {
			t.Errorf("document %s", s.Document)
		}
		for range 3 {
			p.beat()
			wait(time.Minute)
		}
		if len(p.asked) != 1 {
			t.Errorf("asked again: %+v", p.asked)
		}
		o.publish("shadow/document", `{"state":{},"version":18,"x":"`+strings.Repeat("x", maxDocument)+`"}`)
		expect(t, "after a monster", string(o.shadow().Document), doc)

		err := Wish(t.Context(), o.store, "pi-7", wish{"measuring": json.RawMessage("true")}, 16, time.Now())
		if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "version 16: the current one is 17") {
			t.Errorf("wish on another version: %v", err)
		}
		p.conn.Send(mqtt.Message{Topic: "devices/pi-7/state", Payload: []byte(`{"v":1,"online":false,` + stream + `}`)})
		wait(time.Second)
		if err := Wish(t.Context(), o.store, "pi-7", nil, 0, time.Now()); err != nil {
			t.Fatal(err)
		}
		expect(t, "nothing is wished", string(o.shadow().Desired), `{"groups":null,"measuring":null}`)
		o.publish("shadow/delete/accepted", `{"state":{},"version":18}`)
		expect(t, "an operator was faster", string(o.shadow().Desired), `{}`)
		o.publish("shadow/delete", ``)
		expect(t, "a delete over MQTT", string(o.shadow().Desired), `{"groups":null,"measuring":null}`)
	})
}

// Whatever comes, what waits stays JSON within its bound, and what a device accepts does not wait any more.
func TestWishesModel(t *testing.T) {
	t.Parallel()
	keys := rapid.SampledFrom([]string{"measuring", "groups", "log.level", "sampling.interval.a"})
	values := rapid.SampledFrom([]string{"null", "true", " false ", `["a" , "b"]`, `"debug"`, "1e3", `["` + strings.Repeat("x", 40<<10) + `"]`})
	rapid.Check(t, func(t *rapid.T) {
		s := store.Shadow{Device: "pi-7", Desired: json.RawMessage("{}")}
		model := make(map[string]string)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			desired := make(wish)
			for range rapid.IntRange(0, 3).Draw(t, "keys") {
				desired[keys.Draw(t, "key")] = json.RawMessage(values.Draw(t, "value"))
			}
			if rapid.Bool().Draw(t, "accepted") {
				answer, err := json.Marshal(holdfast.Shadow{State: holdfast.ShadowState{Desired: desired}})
				if err != nil {
					t.Fatal(err)
				}
				settleWishes(&s, answer)
				for key, value := range desired {
					if compacted(value) == model[key] {
						delete(model, key)
					}
				}
			} else if merge(&s, holdfast.Shadow{State: holdfast.ShadowState{Desired: desired}}, time.Now()) == nil {
				for key, value := range desired {
					model[key] = compacted(value)
				}
			}
			if len(s.Desired) > maxWishes || len(wishes(&s)) != len(model) {
				t.Fatalf("%d bytes wait, %d keys, want %d", len(s.Desired), len(wishes(&s)), len(model))
			}
			for key, value := range wishes(&s) {
				if string(value) != model[key] {
					t.Fatalf("%s is %s, want %s", key, value, model[key])
				}
			}
		}
	})
}

func compacted(value json.RawMessage) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
