package buffer

import (
	"flag"
	"os"
	"os/exec"
	"testing"
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
		checkChild()
	}
}

func child(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	return cmd
}
