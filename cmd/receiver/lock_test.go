package main

import (
	"path/filepath"
	"testing"
)

func TestOneReceiverAFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	first, err := lock(folder)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := lock(folder); err == nil {
		second.Close()
		t.Error("two receivers took one folder")
	}
	first.Close()
	again, err := lock(folder)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	again.Close()
}
