package holdfast

import (
	"encoding/json"
	"testing"
)

// The event and the state say what docs/wire.md says.
func TestEdgeOnTheWire(t *testing.T) {
	t.Parallel()
	change := EdgeChange{EdgeStatus: EdgeStatus{EdgeAggregate, EdgeCost}, Before: EdgeRaw, MBPerDay: 12.4, Cost: 0.99, Stability: 1, Backlog: 0.01}
	for want, value := range map[string]any{
		`{"mode":"aggregate","reason":"cost_optimization","before":"raw","mb_per_day":12.4,"cost_per_day":0.99,"stability":1,"backlog":0.01}`: change,
		`{"v":1,"online":true,"stream":"01000000000000000000000000000000","edge":{"mode":"hold","reason":"redundancy"}}`: Status{
			V: 1, Online: true, Stream: Stream{1}, Edge: &EdgeStatus{EdgeHold, EdgeRedundancy}},
	} {
		if got, err := json.Marshal(value); err != nil || string(got) != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
	for mode, want := range map[EdgeMode]bool{EdgeRaw: true, EdgeAggregate: true, EdgeHold: true, "": false, "sideways": false} {
		if mode.Valid() != want {
			t.Errorf("%q: %v", mode, !want)
		}
	}
}
