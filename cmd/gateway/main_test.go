package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"holdfast/buffer"
)

// TestMain lets this test program stand in for `gateway buffer check FILE`, the child that looks at the file after a crash.
// It does without the child's limits of memory: the race detector does not fit in them.
func TestMain(m *testing.M) {
	if len(os.Args) != 4 || os.Args[1] != "buffer" || os.Args[2] != "check" {
		os.Exit(m.Run())
	}
	report, err := buffer.Check(context.Background(), os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(report)
}
