package control

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"holdfast"
)

// A value with a secret in it is kept whole, and told without: in shadow, results and events, also after another wish.
func TestSecretsAreNotTold(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-secret"
	value := `{"host":"b.lan","port":1883,"username":"pi-7","password":"` + secret + `"}`
	s := &store{}
	o := options(s)
	c := open(t, o)
	said := []string{
		ask(t, c, "update", `{"state":{"desired":{"uplink.broker":`+value+`}}}`),
		ask(t, c, "update", `{"state":{"desired":{"measuring":false}}}`),
		ask(t, c, "update", `{"state":{"desired":{"measuring":false}},"version":1}`), // a conflict brings the document along
	}
	revision := c.Revision() - 1
	if back, err := c.TakeBack(t.Context(), holdfast.SettingBroker, revision-1, json.RawMessage("{}"), "late"); back || err != nil {
		t.Errorf("a setting that was changed meanwhile is taken back: %v, %v", back, err)
	}
	if back, err := c.TakeBack(t.Context(), holdfast.SettingBroker, revision, json.RawMessage("{}"), "no receipt"); !back || err != nil {
		t.Errorf("taken back: %v, %v", back, err)
	}
	if by, _ := c.Get(holdfast.SettingBroker); by.Origin != holdfast.OriginTrial || by.Reason != "no receipt" || string(by.Value) != "{}" {
		t.Errorf("taken back: %+v", by)
	}
	for _, c := range []*Control{c, open(t, o)} {
		told, err := json.Marshal(c.Told())
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, ask(t, c, "get", ""), string(told))
		if delta := c.Shadow().Delta[holdfast.SettingBroker]; !strings.Contains(string(delta), "b.lan") {
			t.Errorf("delta %s", delta)
		}
		if kept := c.shadow.Desired[holdfast.SettingBroker]; string(kept) != value {
			t.Errorf("desired %s", kept)
		}
	}
	said = append(said, s.events...)
	if i := slices.IndexFunc(said, func(s string) bool { return strings.Contains(s, secret) }); i >= 0 {
		t.Errorf("told: %s", said[i])
	}
	if !strings.Contains(strings.Join(said, ""), `"password":"(set)"`) {
		t.Error("nothing was told: this test shows nothing")
	}
}
