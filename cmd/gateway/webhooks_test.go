package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/rules"
)

// A listener is a server that takes webhooks, in whichever way the path says.
type listener struct {
	*httptest.Server
	mu    sync.Mutex
	got   []string // path, device, rule, state of the alert
	fails int      // so often /sometimes answers 503
	hang  chan struct{}

	endless atomic.Int64 // bytes that were written as one answer
}

func newListener(t *testing.T) *listener {
	h := &listener{hang: make(chan struct{})}
	h.Server = httptest.NewServer(h)
	t.Cleanup(func() { close(h.hang); h.Close() })
	return h
}

func (h *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var alert struct{ Kind, ID, State string }
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &alert) != nil || alert.Kind != "alert" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	h.mu.Lock()
	h.got = append(h.got, fmt.Sprintf("%s %s %s %s %s", r.URL.Path, r.Header.Get("Holdfast-Device"), r.Header.Get("Holdfast-Rule"), alert.ID, alert.State))
	fails := r.URL.Path == "/sometimes" && h.fails > 0
	if fails {
		h.fails--
	}
	h.mu.Unlock()
	switch r.URL.Path {
	case "/hang":
		<-h.hang
	case "/500":
		w.WriteHeader(500)
	case "/404":
		w.WriteHeader(404)
	case "/redirect":
		http.Redirect(w, r, h.URL+"/ok", http.StatusTemporaryRedirect)
	case "/endless":
		for range 1 << 20 {
			n, err := w.Write(make([]byte, 1<<10))
			if h.endless.Add(int64(n)); err != nil {
				return
			}
		}
	}
	if fails {
		w.WriteHeader(503)
	}
}

// hits returns what came to a path.
func (h *listener) hits(path string) (hits []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, hit := range h.got {
		if strings.HasPrefix(hit, path+" ") {
			hits = append(hits, hit)
		}
	}
	return hits
}

// A hooked is the webhooks of a test, with limits that are quickly reached.
type hooked struct {
	*webhooks
	mu     sync.Mutex
	events []string
	log    strings.Builder
}

func newHooked(t *testing.T, limits webhookLimits) *hooked {
	h := new(hooked)
	h.webhooks = newWebhooks("pi-7", limits, new(notices), slog.New(slog.NewTextHandler(&h.log, nil)))
	h.event = func(c holdfast.ActionChange) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events = append(h.events, c.Rule+" "+c.Action+" "+c.State+" "+c.Error)
	}
	return h
}

func (h *hooked) begin(t *testing.T) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func (h *hooked) alert(rule, url, id string, state holdfast.AlertState) {
	h.add(rules.Order{Rule: rule, Action: rules.Action{Kind: rules.ActionWebhook, URL: rules.URL(url)}, Record: &holdfast.Alert{ID: id, Rule: rule, State: state}})
}

func (h *hooked) counts() string {
	return fmt.Sprintf("%d sent, %d failed, %d dropped", h.sent.Load(), h.failed.Load(), h.dropped.Load())
}

// Posts reach a server as the wire has alerts, in order, and again where it failed. What cannot be posted is counted and told of
// once, without the path; and nothing that one server does keeps others from theirs.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	s := newListener(t)
	h := newHooked(t, webhookLimits{queue: 64, timeout: 700 * time.Millisecond, retry: 10 * time.Millisecond, tries: 3, age: time.Minute})
	s.fails = 2
	h.alert("hangs", s.URL+"/hang", "a0", holdfast.Raised)
	h.alert("some", s.URL+"/sometimes", "a1", holdfast.Raised)
	h.alert("some", s.URL+"/sometimes", "a1", holdfast.Cleared)
	h.alert("ill", s.URL+"/500", "a2", holdfast.Raised)
	h.alert("ill", s.URL+"/500", "a2", holdfast.Cleared)
	h.alert("gone", s.URL+"/404", "a3", holdfast.Raised)
	h.alert("moved", s.URL+"/redirect", "a4", holdfast.Raised)
	h.alert("endless", s.URL+"/endless", "a5", holdfast.Raised)
	h.alert("closed", "http://127.0.0.1:1/closed", "a6", holdfast.Raised)
	h.alert("public", "http://192.0.2.1/public", "a7", holdfast.Raised) // an address that no rule may name
	end := h.begin(t)
	testenv.Poll(t.Context(), t, 20*time.Second, "all posts", func() bool { return h.sent.Load()+h.failed.Load() == 10 })
	if got := h.counts(); got != "3 sent, 7 failed, 0 dropped" {
		t.Errorf("got %s", got)
	}
	end()
	page := httptest.NewRecorder()
	m := newMetrics()
	m.registry.MustRegister(h.webhooks)
	m.handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{`rule_webhooks_total{result="sent"} 3`, `rule_webhooks_total{result="failed"} 7`, `rule_webhooks_total{result="dropped"} 0`} {
		if !strings.Contains(page.Body.String(), line+"\n") {
			t.Errorf("metrics lack %s:\n%s", line, page.Body)
		}
	}
	for path, want := range map[string][]string{
		"/hang":      slices.Repeat([]string{"/hang pi-7 hangs a0 raised"}, 3),
		"/sometimes": append(slices.Repeat([]string{"/sometimes pi-7 some a1 raised"}, 3), "/sometimes pi-7 some a1 cleared"),
		"/500":       append(slices.Repeat([]string{"/500 pi-7 ill a2 raised"}, 3), slices.Repeat([]string{"/500 pi-7 ill a2 cleared"}, 3)...),
		"/404":       {"/404 pi-7 gone a3 raised"},
		"/redirect":  {"/redirect pi-7 moved a4 raised"},
		"/endless":   {"/endless pi-7 endless a5 raised"},
		"/ok":        nil,
	} {
		if got := s.hits(path); !slices.Equal(got, want) {
			t.Errorf("%s got %q, want %q", path, got, want)
		}
	}
	if n := s.endless.Load(); n > 32<<20 {
		t.Errorf("%d bytes of an endless answer were read", n)
	}
	slices.Sort(h.events)
	want := []string{
		"closed webhook failed http://127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused",
		"gone webhook failed " + s.URL + ": answers 404",
		"hangs webhook failed " + s.URL + ": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
		"ill webhook failed " + s.URL + ": answers 500",
		"moved webhook failed " + s.URL + ": answers 307: redirects are not followed, want the URL behind them",
		"public webhook failed http://192.0.2.1: dial tcp 192.0.2.1:80: 192.0.2.1:80 is not in a local network",
	}
	if !slices.Equal(h.events, want) {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(h.events, "\n"), strings.Join(want, "\n"))
	}
	told := strings.Join(append(h.notice.all(), h.events...), "\n") + h.log.String()
	for _, path := range []string{"/hang", "/sometimes", "/500", "/404", "/redirect", "/endless", "/closed", "/public"} {
		if strings.Contains(told, path) {
			t.Errorf("%s is told:\n%s", path, told)
		}
	}
	if n := len(h.notice.all()); n != 6 {
		t.Errorf("%d notices: %q", n, h.notice.all())
	}
	h.forget()
	if n := len(h.notice.all()); n != 0 {
		t.Errorf("%d notices after the rules went", n)
	}
}

// The queue is bounded: the oldest posts make room, and that is over with the first one that is taken.
func TestWebhooksMakeRoom(t *testing.T) {
	t.Parallel()
	s := newListener(t)
	h := newHooked(t, webhookLimits{queue: 2, timeout: time.Second, retry: time.Millisecond, tries: 1, age: time.Minute})
	for i := range 5 {
		h.alert("one", s.URL+"/ok", fmt.Sprint("a", i), holdfast.Raised)
	}
	if got := h.counts(); got != "0 sent, 0 failed, 3 dropped" {
		t.Error(got)
	}
	end := h.begin(t)
	defer end()
	testenv.Poll(t.Context(), t, 10*time.Second, "two posts", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.sent.Load() == 2 && len(h.events) == 2 })
	h.mu.Lock()
	defer h.mu.Unlock()
	if want := []string{"one webhook failed " + s.URL + ": 2 others waited behind it", "one webhook recovered "}; !slices.Equal(h.events, want) || len(h.notice.all()) != 0 {
		t.Errorf("events %q, want %q; notices %q", h.events, want, h.notice.all())
	}
	if got, want := s.hits("/ok"), []string{"/ok pi-7 one a3 raised", "/ok pi-7 one a4 raised"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A post that is too old is given up, and a stop waits for nothing.
func TestWebhooksEnd(t *testing.T) {
	t.Parallel()
	s := newListener(t)
	h := newHooked(t, webhookLimits{queue: 2, timeout: time.Minute, retry: 100 * time.Millisecond, tries: 100, age: 300 * time.Millisecond})
	h.alert("ill", s.URL+"/500", "a1", holdfast.Raised)
	h.alert("hangs", s.URL+"/hang", "a2", holdfast.Raised)
	end := h.begin(t)
	testenv.Poll(t.Context(), t, 10*time.Second, "the server to hang", func() bool { return len(s.hits("/hang")) == 1 })
	begin := time.Now()
	end()
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("the end took %v", d)
	}
	h = newHooked(t, h.limits)
	h.alert("ill", s.URL+"/500", "a3", holdfast.Raised)
	end = h.begin(t)
	defer end()
	testenv.Poll(t.Context(), t, 10*time.Second, "the post to be given up", func() bool { return h.failed.Load() == 1 })
	if n := len(s.hits("/500")); n > 5 {
		t.Errorf("%s, %d attempts", h.counts(), n)
	}
}
