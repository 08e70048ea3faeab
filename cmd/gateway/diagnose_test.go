package main

import (
	"encoding/json"
	"testing"
)

// The log holds a secret by mistake: the bundle does not.
func TestConceal(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal([]string{`broker said: bad "pass<word>"`, "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(conceal(data, []string{`"pass<word>"`, "", "x"})), `["broker said: bad (set)","x"]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
