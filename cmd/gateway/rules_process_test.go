package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/dashboard"
	"holdfast/internal/testenv"
)

// A real gateway reads its rules' file again at SIGHUP. Killed three times under a set on trial, it goes back to the one before at
// its fourth start. Who is not on the device neither checks a set nor takes one back.
func TestRulesOfAKilledGateway(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds the programs")
	}
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "rules.yaml")
	write := func(version int) {
		t.Helper()
		if err := os.WriteFile(file, []byte(rulesOf(version, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	page := "127.0.0.1:" + testenv.FreePort(t)
	p := &testenv.Process{
		Name: "gateway", Binary: filepath.Join(testenv.Programs(t), "gateway"), Args: []string{"run", "--simulate"}, Address: page, Log: testenv.LogFile(t, dir, "gateway"),
		Env: []string{"DATA_DIR=" + filepath.Join(dir, "data"), "HTTP_LISTEN=" + page, "DEVICE_ID=test", "RULES_FILE=" + file},
	}
	var view dashboard.RulesView
	start := func() {
		t.Helper()
		p.Start(t)
		p.WaitServing(t.Context(), t)
	}
	holds := func(version int) {
		t.Helper()
		testenv.Poll(t.Context(), t, 20*time.Second, "the rules", func() bool {
			return ask(t.Context(), "http://"+page, "/api/v1/rules", &view) == nil && view.Version == version
		})
	}
	t.Cleanup(p.Kill)
	start()
	holds(1)
	write(2)
	p.Signal(syscall.SIGHUP)
	holds(2)
	for _, call := range [][2]string{{http.MethodPost, "/api/v1/rules/check"}, {http.MethodDelete, "/api/v1/settings/rules"}, {http.MethodPut, "/api/v1/settings/rules"}} {
		for forwarded, want := range map[string]int{"198.51.100.7": http.StatusForbidden, "": http.StatusOK} {
			if call[0] == http.MethodPut && forwarded == "" {
				continue
			}
			request, _ := http.NewRequestWithContext(t.Context(), call[0], "http://"+page+call[1], strings.NewReader(`{"text":"version: 1"}`))
			if forwarded != "" {
				request.Header.Set("X-Forwarded-For", forwarded)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("%s %s for %q: %s: %s", call[0], call[1], forwarded, answer.Status, text)
			}
		}
	}
	kept := filepath.Join(dir, "data", rulesFile)
	testenv.Poll(t.Context(), t, 10*time.Second, "the trial to be kept", func() bool {
		var b book
		text, err := os.ReadFile(kept)
		return err == nil && json.Unmarshal(text, &b) == nil && b.Trial != nil && b.Trial.Hash == view.Hash
	})
	for range maxStarts - 1 {
		p.Kill()
		start()
		holds(2)
	}
	p.Kill()
	start()
	holds(1)
	if len(view.Rejected) != 1 || !strings.Contains(view.Rejected[0], "version 2: the gateway did not end well 3 times") {
		t.Errorf("rejected: %q", view.Rejected)
	}
	p.Stop(t)
}
