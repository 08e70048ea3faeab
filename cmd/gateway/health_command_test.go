package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestHealthURL(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"":               "",
		"0.0.0.0:8080":   "http://127.0.0.1:8080/healthz",
		":80":            "http://127.0.0.1:80/healthz",
		"[::]:80":        "http://127.0.0.1:80/healthz",
		"192.168.0.7:81": "http://192.168.0.7:81/healthz",
	} {
		if got := healthURL(listen); got != want {
			t.Errorf("%q: got %q, want %q", listen, got, want)
		}
	}
}

func TestHealthCommand(t *testing.T) {
	t.Parallel()
	ill := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if ill {
			http.Error(w, "the sampler has stood still for 42s", http.StatusServiceUnavailable)
		}
	}))
	var out strings.Builder
	if err := healthCommand(t.Context(), []string{"--url", server.URL}, &out); err != nil || out.String() != "well\n" {
		t.Errorf("%q, %v, want well", &out, err)
	}
	ill = true
	if err := healthCommand(t.Context(), []string{"--url", server.URL}, &out); err == nil || !strings.Contains(err.Error(), "not well: the sampler") {
		t.Errorf("%v, want why it is not well", err)
	}
	server.Close()
	if healthCommand(t.Context(), []string{"--url", server.URL}, &out) == nil {
		t.Error("nobody there, and well")
	}
}

// The image's health check gives the gateway more time than the worst examination of its file takes.
func TestStartPeriod(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../Dockerfile.template")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^HEALTHCHECK .*--start-period=(\S+) `).FindSubmatch(text)
	if m == nil {
		t.Fatal("no start period")
	}
	if period, err := time.ParseDuration(string(m[1])); err != nil || period <= openingLimit {
		t.Errorf("start period %s, %v: want more than %v", m[1], err, openingLimit)
	}
	if openingLimit < 2*examineLimit {
		t.Errorf("a start is ill after %v, before a check and a salvage are over, %v each at most", openingLimit, examineLimit)
	}
	compose, err := filepath.Glob("../../balena/compose/*.yml")
	if err != nil || len(compose) < 2 {
		t.Fatalf("%v, %v", compose, err)
	}
	for _, file := range append(compose, "../../docker-compose.yml") {
		if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), "healthcheck:") {
			t.Errorf("%s: %v, or it has a health check of its own, which replaces the image's", file, err)
		}
	}
}
