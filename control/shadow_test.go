package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"holdfast"
)

// ask sends a request to the shadow and returns leaf and JSON of the answer.
func ask(t *testing.T, c *Control, verb, payload string) string {
	t.Helper()
	answer, err := c.AskShadow(t.Context(), verb, []byte(payload), false)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(answer.Document)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(answer.Leaf, "shadow/") + " " + string(data)
}

const (
	reported = `"reported":{"measuring":true,"sampling.interval":10}`
	metadata = `"metadata":{"reported":{"measuring":{"origin":"default","revision":0},"sampling.interval":{"origin":"config","revision":0}}}`
)

func TestShadowGet(t *testing.T) {
	t.Parallel()
	c := open(t, options(&store{}))
	for payload, token := range map[string]string{"": "", `{"clientToken":"t"}`: `,"clientToken":"t"`} {
		want := `get/accepted {"state":{` + reported + `},` + metadata + token + `}`
		if got := ask(t, c, "get", payload); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// An update takes effect in the commit that keeps it, and survives a restart.
func TestShadowUpdate(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	c := open(t, o)
	got := ask(t, c, "update", `{"state":{"desired":{"measuring":false,"sampling.interval":5}},"clientToken":"t"}`)
	expect(t, "answer", []string{got}, `update/accepted {"state":{"desired":{"measuring":false,"sampling.interval":5}},"version":1,"clientToken":"t"}`)
	expect(t, "one commit", s.lands, "settings shadow +setting +setting")
	if by, _ := c.Get("measuring"); by.Origin != holdfast.OriginShadow || c.Measuring() {
		t.Errorf("measuring %+v", by)
	}
	for _, c := range []*Control{c, open(t, o)} {
		doc := c.Shadow()
		if doc.Version != 1 || len(doc.Delta) != 0 || string(doc.State.Desired["sampling.interval"]) != "5" || string(doc.State.Reported["measuring"]) != "false" ||
			doc.Metadata.Reported["measuring"].Revision != 1 {
			t.Errorf("document %+v", doc)
		}
	}

	// A press of the button comes later, and wins: the shadow says that it is not as desired, and who wanted it so.
	if _, err := c.Toggle(t.Context(), holdfast.OriginButton, "short press"); err != nil {
		t.Fatal(err)
	}
	doc := c.Shadow()
	if string(doc.Delta["measuring"]) != "false" || len(doc.Delta) != 1 || doc.Metadata.Reported["measuring"].Origin != holdfast.OriginButton || doc.Version != 1 {
		t.Errorf("document %+v", doc)
	}

	// null takes a wish back, and what holds stays.
	ask(t, c, "update", `{"state":{"desired":{"measuring":null}},"version":1}`)
	if doc := c.Shadow(); len(doc.Delta) != 0 || doc.State.Desired["measuring"] != nil || !c.Measuring() || doc.Version != 2 {
		t.Errorf("document %+v", doc)
	}
	expect(t, "delete", []string{ask(t, c, "delete", "")}, `delete/accepted {"state":{},"version":3}`)
	if doc := open(t, o).Shadow(); len(doc.State.Desired) != 0 || doc.Version != 3 {
		t.Errorf("after delete %+v", doc)
	}
}

func TestShadowRejects(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := open(t, options(s))
	ask(t, c, "update", `{"state":{"desired":{"measuring":true}}}`)
	lands := len(s.lands)
	many := `{"state":{"desired":{"groups":["` + strings.Repeat("x", holdfast.MaxCommandBytes) + `"]}}}`
	for _, tt := range []struct{ verb, payload, want string }{
		{"update", `{"state":{"desired":{"measuring":false}},"version":7,"clientToken":"t"}`, `{"code":409,"message":"version 7: the current one is 1","clientToken":"t","current":{"state":{` + reported},
		{"update", `{"state":{"desired":{"measuring":false,"colour":1}}}`, `{"code":400,"message":"desired: invalid key: \"colour\": no such setting: want one of measuring, sampling.interval, sampling.interval.{sensor}, calibration.{sensor}.{quantity}, output.{name}, uplink.enabled, uplink.interval, uplink.broker, groups, rules, log.level"}`},
		{"update", `{"state":{"desired":{"measuring":false,"sampling.interval":0}}}`, `{"code":400,"message":"desired: invalid sampling.interval: 0 is below 0.1"}`},
		{"update", `{"state":{"reported":{"measuring":false}}}`, `{"code":400,"message":"state.reported: what holds the device alone reports: want state.desired"}`},
		{"update", `{}`, `{"code":400,"message":"state.desired: is missing: want at least one key and its value"}`},
		{"update", ``, `{"code":400,"message":"state.desired: is missing`},
		{"update", `no`, `{"code":400,"message":"request: is no JSON from byte 2 on`},
		{"update", `{"state":{"desired":[]},"version":1}`, `{"code":400,"message":"request: state.desired: is a list: want an object`},
		{"delete", `{"version":"1"}`, `{"code":400,"message":"request: version: is a string: want a whole number"}`},
		{"delete", `{"version":7}`, `{"code":409,`},
		{"update", many, `{"code":413,`},
	} {
		if got := ask(t, c, tt.verb, tt.payload); !strings.HasPrefix(got, tt.verb+"/rejected "+tt.want) {
			t.Errorf("%.200s: got %s, want %s", tt.payload, got, tt.want)
		}
	}
	if answer, err := c.AskShadow(t.Context(), "update", []byte(`{"state":{"desired":{"measuring":false}}}`), true); err != nil || answer.Leaf != "shadow/update/rejected" {
		t.Errorf("retained: %+v, %v", answer, err)
	}
	s.fail = errors.New("disk is gone")
	if got := ask(t, c, "update", `{"state":{"desired":{"measuring":false}}}`); !strings.HasPrefix(got, `update/rejected {"code":500,"message":"make it durable: disk is gone"}`) {
		t.Errorf("without a disk: %s", got)
	}
	if len(s.lands) != lands || !c.Measuring() || c.Shadow().Version != 1 {
		t.Errorf("what was rejected had an effect: %+v", c.Shadow())
	}
}

func TestShadowRate(t *testing.T) {
	t.Parallel()
	o := options(&store{})
	o.Rate, o.Burst = 1, 3
	c := open(t, o)
	for i := range 5 {
		got := ask(t, c, "get", "")
		if limited := strings.HasPrefix(got, `get/rejected {"code":429,`); limited != (i >= 3) {
			t.Errorf("request %d: %s", i, got)
		}
	}
}

// A stored shadow that cannot be read desires nothing, and keeps nobody from starting.
func TestDamagedShadow(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"x", `{"v":2}`} {
		c := open(t, options(&store{state: map[string][]byte{"shadow": []byte(data)}}))
		if doc := c.Shadow(); len(doc.State.Desired) != 0 || doc.Version != 0 {
			t.Errorf("%s: %+v", data, doc)
		}
	}
}

// The golden document is what this code writes.
func TestShadowGolden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../testdata/shadow.json")
	if err != nil {
		t.Fatal(err)
	}
	s := &store{state: map[string][]byte{
		"settings": fmt.Appendf(nil, `{"v":1,"revision":40,"settings":[]}`),
		"shadow":   []byte(`{"v":1,"version":16}`),
	}}
	o := options(s)
	o.Defaults = o.Defaults[:1]
	c := open(t, o)
	ask(t, c, "update", `{"state":{"desired":{"measuring":true}}}`)
	if _, err := c.Toggle(t.Context(), holdfast.OriginButton, "short press"); err != nil {
		t.Fatal(err)
	}
	doc := c.Shadow()
	var want holdfast.Shadow
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	doc.ClientToken = want.ClientToken
	of := doc.Metadata.Reported["measuring"]
	of.Time = want.Metadata.Reported["measuring"].Time
	doc.Metadata.Reported["measuring"] = of
	got, _ := json.Marshal(doc)
	expected, _ := json.Marshal(want)
	if string(got) != string(expected) {
		t.Errorf("got  %s\nwant %s", got, expected)
	}
}
