package ui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"holdfast/internal/ui"
)

// What has no route is answered in the form of every other error, and says what would be right.
func TestRouted(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /here", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("yes")) })
	mux.HandleFunc("PUT /here", func(http.ResponseWriter, *http.Request) {})
	h := ui.Routed(mux, "/list")
	for _, test := range []struct {
		method, path string
		status       int
		kind, says   string
	}{
		{"GET", "/here", 200, "text/plain; charset=utf-8", "yes"},
		{"GET", "/there", 404, "application/problem+json", "nothing is at /there: see /list"},
		{"POST", "/here", 405, "application/problem+json", "/here takes GET, HEAD, PUT, not POST"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		if kind := w.Header().Get("Content-Type"); w.Code != test.status || kind != test.kind || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%s %s: %d, %s, %s", test.method, test.path, w.Code, kind, w.Body)
		}
	}
}
