package dashboard

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// archive hands out records until it fails; begun is closed with the first.
type archive struct {
	records int
	err     error
	begun   chan struct{}
	release chan struct{}
}

func (a *archive) Records(_, _ time.Time, f func(holdfast.Lane, []byte) bool) error {
	for i := range a.records {
		if i == 0 && a.begun != nil {
			close(a.begun)
			<-a.release
		}
		if !f(holdfast.LaneTelemetry, []byte(`{"time":"2026-05-01T12:00:00Z","sensor":"s","values":{"a":1}}`)) {
			return nil
		}
	}
	return a.err
}

// All records come out as lines, with one at the end that says so; one request at a time.
func TestRecords(t *testing.T) {
	t.Parallel()
	get := func(d http.Handler, query string) (int, string) {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/records"+query, nil))
		text, _ := io.ReadAll(w.Body)
		return w.Code, string(text)
	}
	page := func(a Archive) *Dashboard {
		return New(Options{Archive: a, Log: slog.New(slog.DiscardHandler)})
	}
	const many = 10000 // several chunks
	code, text := get(page(&archive{records: many}), "")
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	var first, last Line
	if code != http.StatusOK || len(lines) != many+1 || json.Unmarshal([]byte(lines[0]), &first) != nil || json.Unmarshal([]byte(lines[many]), &last) != nil {
		t.Fatalf("%d, %d lines", code, len(lines))
	}
	if _, err := holdfast.DecodeRecord(first.Lane, first.Record); err != nil || !last.End {
		t.Errorf("%v; the last line is %s", err, lines[many])
	}
	failed := errors.New("no disk")
	if code, text := get(page(&archive{err: failed}), ""); code != http.StatusInternalServerError || !strings.Contains(text, "no disk") {
		t.Errorf("a failure at once: %d %s", code, text)
	}
	if code, text := get(page(&archive{records: 1, err: failed}), ""); code != http.StatusOK || strings.Contains(text, "end") {
		t.Errorf("a failure later: %d %s", code, text)
	}
	for _, query := range []string{"?from=2026-05-01T00:00:00Z&to=2026-07-01T00:00:00Z", "?from=yesterday"} {
		if code, _ := get(page(&archive{}), query); code != http.StatusBadRequest {
			t.Errorf("%s: %d", query, code)
		}
	}

	slow := &archive{records: 1, begun: make(chan struct{}), release: make(chan struct{})}
	d := page(slow)
	done := make(chan int)
	go func() {
		code, _ := get(d, "")
		done <- code
	}()
	<-slow.begun
	if code, _ := get(d, ""); code != http.StatusServiceUnavailable {
		t.Errorf("a second request at a time: %d", code)
	}
	close(slow.release)
	if code := <-done; code != http.StatusOK {
		t.Errorf("the first: %d", code)
	}
}
