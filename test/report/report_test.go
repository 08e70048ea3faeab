package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const notes = `{"When":"2026-05-01T10:00:00Z","Commit":"abc1234","Trial":{"Part":"Chaos","Fault":"kills","Holds":"all","Tried":2000,"Unit":"kills","Failed":1,"Test":"TestX"}}
{"When":"2026-05-02T10:00:00Z","Commit":"abc1234","Trial":{"Part":"Chaos","Fault":"kills","Holds":"all","Tried":12345,"Unit":"kills","Note":"a|b","Test":"TestX"}}
{"When":"2026-05-02T10:00:00Z","Trial":{"Part":"Something new","Fault":"x","Tried":1,"Unit":"times","Test":"TestY"}}
`

func TestReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "proof.jsonl")
	if err := os.WriteFile(file, []byte(notes), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := report(file, dir); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| kills | all | 12,345 kills | 0 | a\\|b | `TestX` |", // the later word
		"2 kinds of trial, 0 failures", "## Something new", "2026-05-02, commit abc1234",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(string(page), "2,000 kills") {
		t.Error("the page has the earlier word too")
	}
	if _, err := os.Stat(filepath.Join(dir, "benchmarks.md")); err == nil {
		t.Error("benchmarks.md was written without figures")
	}
	if err := os.WriteFile(file, []byte("{}\nno JSON\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := report(file, dir); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a line that is none: %v", err)
	}
}
