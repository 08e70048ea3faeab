package main

import (
	"os/exec"
	"strings"
	"testing"
)

// A part that was stopped ended well; one that was killed, or failed, did not.
func TestEnded(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{"exit 0": "", "exit 1": "the gateway ended (exit status 1)", "kill -9 $$": "the gateway ended (signal: killed)"} {
		err := part{name: "gateway"}.ended(exec.Command("sh", "-c", script).Run())
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", script, err, want)
		}
	}
}
