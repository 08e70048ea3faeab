package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The workload and whoever opens an image are this test program again, told by the environment what to do and by its
// only argument how.
const childEnv = "HOLDFAST_CRASH_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "workload":
		runChild(workload)
	case "examiner":
		runChild(examiner)
	}
}

func runChild[T any](run func(T) error) {
	var how T
	err := json.Unmarshal([]byte(os.Args[1]), &how)
	if err == nil {
		err = run(how)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is a command that runs this program as a child. before are a program and its arguments that run it.
func child(ctx context.Context, role string, how any, before ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	arg, err := json.Marshal(how)
	if err != nil {
		return nil, err
	}
	args := append(before, self, string(arg))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+role)
	return cmd, nil
}
