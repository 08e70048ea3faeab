package control

import (
	"encoding/json"
	"testing"

	"holdfast"
)

// A person takes a setting back, with a default or without, durably and with an origin; a setting that nobody wrote stays as it is,
// and one that does not exist is refused.
func TestForget(t *testing.T) {
	t.Parallel()
	s := &store{}
	o := options(s)
	var applied []holdfast.Setting
	o.Apply = func(s holdfast.Setting) { applied = append(applied, s) }
	c := open(t, o)
	for key, value := range map[string]string{holdfast.SettingRules: `{"version":2,"yaml":"version: 2\nrules: []\n"}`, holdfast.SettingInterval: "7"} {
		if _, err := c.Set(t.Context(), key, json.RawMessage(value), holdfast.OriginPage, "set"); err != nil {
			t.Fatal(err)
		}
		back, err := c.Forget(t.Context(), key, holdfast.OriginPage, "no more")
		if last := applied[len(applied)-1]; err != nil || back.Origin != holdfast.OriginPage || back.Reason != "taken back: no more" || string(last.Value) != string(back.Value) {
			t.Errorf("%s: %+v, %v; applied %+v", key, back, err, last)
		}
		for _, c := range []*Control{c, open(t, o)} {
			if c.written(key) {
				t.Errorf("%s is still written", key)
			}
		}
	}
	before := c.Revision()
	if _, err := c.Forget(t.Context(), holdfast.SettingRules, holdfast.OriginPage, ""); err != nil || c.Revision() != before {
		t.Errorf("a setting that nobody wrote: %v, revision %d, was %d", err, c.Revision(), before)
	}
	if _, err := c.Forget(t.Context(), "nothing", holdfast.OriginPage, ""); err == nil {
		t.Error("a setting that does not exist is taken back")
	}
}
