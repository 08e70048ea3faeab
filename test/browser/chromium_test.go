package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"holdfast/internal/testenv"
)

// chromium starts a headless browser of its own, with an empty profile, that ends with the test.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program, err := findChromium()
	testenv.Need(t, err, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1280, 1000),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium refuses to sandbox itself as root
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(closeBrowser)
	if _, err := chromedp.Run(browser, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	return browser
}

func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("none of chromium, chromium-browser, google-chrome is in PATH")
}

// A page is one tab.
type page struct {
	t   *testing.T
	ctx context.Context
}

func open(t *testing.T, browser context.Context, url string) page {
	t.Helper()
	tab, shut := chromedp.NewContext(browser)
	t.Cleanup(shut)
	// The tab lives as long as the context of this first step, so that one has no time limit of its own.
	if _, err := chromedp.Run(tab, chromedp.Navigate(url)); err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	return page{t, tab}
}

// stepLimit bounds everything that the browser is asked to do.
const stepLimit = 20 * time.Second

// ask has the browser do something that has a result.
func ask[T any](p page, what string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepLimit)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	return result
}

// do has the browser do something.
func (p page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ask(p, what, chromedp.Steps(steps...))
}

// texts returns the text of every element that matches.
func (p page) texts(selector string) []string {
	p.t.Helper()
	return ask(p, "read "+selector, chromedp.Evaluate[[]string]("[...document.querySelectorAll("+quote(selector)+")].map(e => e.textContent.trim())"))
}

// text returns the text of the first element that matches, "" where none does.
func (p page) text(selector string) string {
	p.t.Helper()
	if all := p.texts(selector); len(all) > 0 {
		return all[0]
	}
	return ""
}

// await asks every 100 ms until done says so, and fails after limit.
func (p page) await(limit time.Duration, what string, done func() bool) {
	p.t.Helper()
	deadline := time.Now().Add(limit)
	for !done() {
		if time.Now().After(deadline) {
			p.keep("failed")
			p.t.Fatalf("waited %v for %s; the page says:\n%s", limit, what, p.text("body"))
		}
		p.do("wait", chromedp.Sleep(100*time.Millisecond))
	}
}

// keep stores a picture of the whole page, where somebody wants pictures.
func (p page) keep(name string) {
	p.t.Helper()
	folder := os.Getenv("HOLDFAST_SCREENSHOTS")
	if folder == "" {
		return
	}
	png := ask(p, "take a picture", chromedp.FullScreenshot(100))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// quote makes a selector a string of JavaScript.
func quote(s string) string { return "`" + strings.ReplaceAll(s, "`", "\\`") + "`" }
