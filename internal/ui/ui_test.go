package ui

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, handler http.Handler, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

func TestFiles(t *testing.T) {
	t.Parallel()
	files := NewFiles(fstest.MapFS{
		"page.html":  {Data: []byte("<!doctype html>")},
		"sub/a.js":   {Data: []byte("export {}")},
		"secret.key": {Data: []byte("of no known type")},
	})
	for _, test := range []struct {
		target string
		status int
		kind   string
	}{
		{"/page.html", http.StatusOK, "text/html; charset=utf-8"},
		{"/sub/a.js", http.StatusOK, "text/javascript; charset=utf-8"},
		{"/sub/", http.StatusNotFound, "text/plain; charset=utf-8"},
		{"/sub/b.js", http.StatusNotFound, "text/plain; charset=utf-8"},
		{"/secret.key", http.StatusNotFound, "text/plain; charset=utf-8"},
	} {
		response := get(t, http.StripPrefix("/", files), test.target)
		if got := response.Header.Get("Content-Type"); response.StatusCode != test.status || got != test.kind {
			t.Errorf("%s: got %d %s, want %d %s", test.target, response.StatusCode, got, test.status, test.kind)
		}
	}
}

func TestFilesAreRevalidated(t *testing.T) {
	t.Parallel()
	handler := NewFiles(fstest.MapFS{"a.css": {Data: []byte("a{}")}}).File("a.css")
	first := get(t, handler, "/")
	if first.Header.Get("Cache-Control") != "no-cache" || first.Header.Get("ETag") == "" {
		t.Fatalf("got header %v, want a validator that is asked for each time", first.Header)
	}
	if again := get(t, handler, "/", "If-None-Match", first.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: got %d, want %d", again.StatusCode, http.StatusNotModified)
	}
	changed := NewFiles(fstest.MapFS{"a.css": {Data: []byte("b{}")}}).File("a.css")
	if got := get(t, changed, "/", "If-None-Match", first.Header.Get("ETag")); got.StatusCode != http.StatusOK {
		t.Errorf("changed file: got %d, want %d", got.StatusCode, http.StatusOK)
	}
}

func TestSecure(t *testing.T) {
	t.Parallel()
	header := get(t, Secure(http.NotFoundHandler()), "/").Header
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'",
		"X-Content-Type-Options":  "nosniff",
		"X-Frame-Options":         "DENY",
		"Referrer-Policy":         "no-referrer",
	} {
		if got := header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", name, got, want)
		}
	}
	if got := header.Get("Content-Security-Policy"); strings.Contains(got, "unsafe") {
		t.Errorf("policy %q allows something unsafe", got)
	}
}

var imported = regexp.MustCompile(`(?m)^\s*(?:import|export)\b[^"';]*?from\s+"([^"]+)"`)

// Every module that a shared module imports exists: the browser would fail on a wrong name only at run time.
func TestImportsResolve(t *testing.T) {
	t.Parallel()
	fsys := Sub(static, "static")
	modules, err := fs.Glob(fsys, "*.js")
	if err != nil || len(modules) < 4 {
		t.Fatalf("modules: %v, %v", modules, err)
	}
	for _, module := range modules {
		source, err := fs.ReadFile(fsys, module)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range imported.FindAllStringSubmatch(string(source), -1) {
			if _, err := fs.Stat(fsys, path.Join(path.Dir(module), match[1])); err != nil {
				t.Errorf("%s imports %s: %v", module, match[1], err)
			}
		}
	}
}

// Both pages have words for every event that a device tells.
func TestEventsHaveWords(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../event.go")
	if err != nil {
		t.Fatal(err)
	}
	words, err := fs.ReadFile(static, "static/events.js")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^\tEvent[A-Z]\w+ *= "(\w+)"`).FindAllSubmatch(source, -1)
	if len(names) < 14 {
		t.Errorf("%d events, want at least 14", len(names))
	}
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^  ` + string(name[1]) + `[,:]`).Match(words) {
			t.Errorf("event %s has no words in static/events.js", name[1])
		}
	}
}
