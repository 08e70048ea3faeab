package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// simulatedGateway is a real process on a simulated Pi, with the page that tells whether it runs.
func simulatedGateway(t *testing.T, binary, folder, name string) *testenv.Process {
	t.Helper()
	page := "127.0.0.1:" + testenv.FreePort(t)
	p := &testenv.Process{
		Name: name, Binary: binary, Args: []string{"run", "--simulate"}, Address: page, Log: testenv.LogFile(t, t.TempDir(), name),
		Env: []string{"DATA_DIR=" + folder, "HTTP_LISTEN=" + page, "DEVICE_ID=test"},
	}
	p.Start(t)
	t.Cleanup(p.Kill)
	return p
}

// The started gateway has given up what it does not need, on every thread, and its folder has one owner at a time.
func TestProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds the programs")
	}
	t.Parallel()
	binary := filepath.Join(testenv.Programs(t), "gateway")
	t.Run("privileges", func(t *testing.T) { testPrivileges(t, binary) })
	t.Run("one folder", func(t *testing.T) { testOneFolder(t, binary) })
}

func testPrivileges(t *testing.T, binary string) {
	if os.Geteuid() != 0 {
		testenv.Need(t, fmt.Errorf("user %d", os.Geteuid()), "root, who has privileges to give up")
	}
	p := simulatedGateway(t, binary, filepath.Join(t.TempDir(), "data"), "gateway")
	p.WaitServing(t.Context(), t)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.PID()))
	if err != nil || len(threads) < 2 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		for _, set := range []string{"CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"} {
			if bits := field(t, status, set); bits&^keptCapabilities != 0 {
				t.Errorf("%s: %s %x, want none but %x", thread, set, bits, uint64(keptCapabilities))
			}
		}
		if field(t, status, "NoNewPrivs") != 1 {
			t.Errorf("%s: may gain privileges", thread)
		}
	}
	if own, _ := os.ReadFile("/proc/self/status"); field(t, own, "CapEff")&^keptCapabilities == 0 {
		t.Error("the test has no privileges itself: it shows nothing")
	}
}

func field(t *testing.T, status []byte, name string) (bits uint64) {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + `:\s*([0-9a-f]+)$`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no %s in\n%s", name, status)
	}
	fmt.Sscanf(string(m[1]), "%x", &bits)
	return bits
}

// A second gateway on the folder says so and waits, without an end; it takes over when the first is gone, however that ends.
func testOneFolder(t *testing.T, binary string) {
	folder := filepath.Join(t.TempDir(), "data")
	first := simulatedGateway(t, binary, folder, "first")
	first.WaitServing(t.Context(), t)
	second := simulatedGateway(t, binary, folder, "second")
	testenv.Poll(t.Context(), t, 20*time.Second, "the second to say what it waits for", func() bool {
		log, err := os.ReadFile(second.Log.Name())
		return err == nil && strings.Contains(string(log), "another gateway works on this data folder")
	})
	testenv.Pause(t.Context(), 3*time.Second)
	if second.Ended() || first.Ended() {
		t.Fatal("one of them ended")
	}
	first.Kill()
	second.WaitServing(t.Context(), t)
	testenv.Poll(t.Context(), t, 20*time.Second, "the second to open the buffer", func() bool {
		log, err := os.ReadFile(second.Log.Name())
		return err == nil && bytes.Contains(log, []byte("buffer file examined"))
	})
	if log, _ := os.ReadFile(second.Log.Name()); bytes.Count(log, []byte("another gateway works")) != 1 {
		t.Errorf("it says so more than once in seconds:\n%s", log)
	}
	second.Stop(t)
}
