package web

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func ask(t *testing.T, method, target string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestHandler(t *testing.T) {
	t.Parallel()
	const html, js, css, plain = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8", "text/plain; charset=utf-8"
	for _, test := range []struct {
		method, target string
		status         int
		kind           string
	}{
		{"GET", "/", 200, html},
		{"HEAD", "/", 200, html},
		{"POST", "/", 405, plain},
		{"GET", "/devices/pi-7", 200, html},
		{"GET", "/devices/A_b-9", 200, html},
		{"GET", "/devices/" + strings.Repeat("x", 64), 200, html},
		{"GET", "/devices/" + strings.Repeat("x", 65), 404, plain},
		{"GET", "/devices/", 404, plain},
		{"GET", "/devices/pi-7/", 404, plain},
		{"GET", "/devices/broadcast", 404, plain},
		{"GET", "/devices/a%2Fb", 404, plain},
		{"GET", "/devices/%2e%2e%2fetc", 404, plain},
		{"GET", "/devices/%3Cscript%3E", 404, plain},
		{"GET", "/devices/a%00b", 404, plain},
		{"GET", "/devices/%C3%A4", 404, plain},
		{"GET", "/static/page.js", 200, js},
		{"GET", "/static/web.css", 200, css},
		{"GET", "/static/ui/style.css", 200, css},
		{"GET", "/static/ui/vendor/uPlot-1.6.32.esm.js", 200, js},
		{"GET", "/favicon.ico", 200, "image/svg+xml"},
		{"GET", "/static/", 404, plain},
		{"GET", "/static/none.js", 404, plain},
		{"GET", "/static/ui/none.js", 404, plain},
		{"GET", "/none", 404, plain},
	} {
		response, body := ask(t, test.method, test.target)
		if got := response.Header.Get("Content-Type"); response.StatusCode != test.status || got != test.kind {
			t.Errorf("%s %s: got %d %s, want %d %s", test.method, test.target, response.StatusCode, got, test.status, test.kind)
		}
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'self'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s %s: got policy %q, want one that keeps to the own origin", test.method, test.target, policy)
		}
		if strings.Contains(body, "<script>") {
			t.Errorf("%s %s: the answer holds a script of the request, or one inline", test.method, test.target)
		}
	}
}

var (
	imported = regexp.MustCompile(`(?m)^import\b[^"';]*?from\s+"([^"]+)"`)
	named    = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`)
)

// Whatever a page or a module names is served: the browser would fail on a wrong name only at run time.
func TestReferencesResolve(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(static, "static/*")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		source, err := fs.ReadFile(static, file)
		if err != nil {
			t.Fatal(err)
		}
		pattern := imported
		if path.Ext(file) == ".html" {
			pattern = named
		}
		for _, match := range pattern.FindAllStringSubmatch(string(source), -1) {
			found++
			target := match[1]
			if !path.IsAbs(target) {
				target = path.Join("/static", target)
			}
			if response, _ := ask(t, "GET", target); response.StatusCode != http.StatusOK {
				t.Errorf("%s names %s: got %d", file, match[1], response.StatusCode)
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d references in %d files: the patterns no longer see them", found, len(files))
	}
}

var inline = regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+="|<style|<script(?: type="module")?>|innerHTML|insertAdjacentHTML|document\.write`)

// Nothing inline, and no way for text to become markup.
func TestNothingInline(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(static, "static/*")
	if err != nil || len(files) < 5 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, file := range files {
		source, err := fs.ReadFile(static, file)
		if err != nil {
			t.Fatal(err)
		}
		if got := inline.FindString(string(source)); got != "" {
			t.Errorf("%s holds %q", file, got)
		}
	}
}
