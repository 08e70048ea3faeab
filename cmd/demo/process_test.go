package main

import (
	"os"
	"testing"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	for stat, want := range map[string]string{
		"12 (gateway) S 1 12":     "gateway",
		"12 (gateway) Z 1 12":     "",
		"12 (a (b) c) R 1 12":     "a (b) c",
		"":                        "",
		"no parentheses anywhere": "",
	} {
		if got := parseStat(stat); got != want {
			t.Errorf("%q: got %q, want %q", stat, got, want)
		}
	}
}

func TestProcessName(t *testing.T) {
	t.Parallel()
	if processName(os.Getpid()) == "" {
		t.Error("this process has no name")
	}
	if got := processName(1 << 30); got != "" {
		t.Errorf("a process that cannot exist: got %q", got)
	}
}
