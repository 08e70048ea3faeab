package buffer

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"runtime/debug"
	"testing"
	"time"
)

// Some tests need a process that may die. It is this test program again, told by the environment what to do.
const childEnv = "HOLDFAST_BUFFER_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		flag.Set("rapid.nofailfile", "true") // the seed is printed; the tree stays as it is
		os.Exit(m.Run())
	case "crash":
		crashChild()
	case "check":
		debug.SetMaxStack(32 << 20) // as the daemon does: pages that point in circles end the child at once
		checkChild()
	}
}

// childLimit ends a child that a damaged file keeps busy for ever.
const childLimit = time.Minute

func child(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), childLimit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	return cmd
}
