package sensors

import (
	"testing"

	"holdfast"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	const (
		ok, degraded, lost  = holdfast.SensorOK, holdfast.SensorDegraded, holdfast.SensorLost
		identifying, absent = holdfast.SensorIdentifying, holdfast.SensorAbsent
	)
	tests := []struct {
		reads string // + for a success, - for a failure
		want  []holdfast.SensorState
	}{
		{"+", []holdfast.SensorState{ok}},
		{"+-+", []holdfast.SensorState{ok, degraded, ok}},
		{"+--+--", []holdfast.SensorState{ok, degraded, degraded, ok, degraded, degraded}},
		{"+-----+", []holdfast.SensorState{ok, degraded, degraded, lost, lost, lost, ok}},
		{"-+", []holdfast.SensorState{identifying, ok}},
		{"-----+---", []holdfast.SensorState{identifying, identifying, absent, absent, absent, ok, degraded, degraded, lost}},
	}
	for _, test := range tests {
		var h health
		if got := h.state(); got != identifying {
			t.Errorf("before any read it is %s, want %s", got, identifying)
		}
		for i, read := range test.reads {
			if read == '+' {
				h.succeed()
			} else {
				h.fail()
			}
			if got := h.state(); got != test.want[i] {
				t.Errorf("%s: after read %d it is %s, want %s", test.reads, i+1, got, test.want[i])
			}
			if got, want := h.gone(), test.want[i] == lost || test.want[i] == absent; got != want {
				t.Errorf("%s: after read %d gone is %v", test.reads, i+1, got)
			}
		}
	}
}
