package testenv

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Join registers a device as a user would, with `receiver device add`, and returns the variable HOLDFAST_JOIN=… for its
// gateway. The environment is the receiver's, which may run already or not; a device that has a secret gets a new one.
func Join(t testing.TB, receiver, device string, environment ...string) string {
	t.Helper()
	line, err := provision(receiver, environment, "device", "add", device)
	if err != nil {
		line, err = provision(receiver, environment, "device", "secret", device)
	}
	if err != nil || !strings.HasPrefix(line, "HOLDFAST_JOIN=") {
		t.Fatalf("receiver device add %s: %v: %.20q", device, err, line)
	}
	return line
}

func provision(receiver string, environment []string, args ...string) (string, error) {
	c := exec.Command(receiver, args...)
	c.Env, c.Stderr = append(os.Environ(), environment...), os.Stderr
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err
}
