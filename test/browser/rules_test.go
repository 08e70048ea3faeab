package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	rulesTold = `[data-test="rules-told"]`
	rulesText = `[data-test="rules-text"]`
	mistake   = `[data-test="mistake"]`
)

// The page shows the rules, checks a text line by line, activates one that is right, and goes back to the configuration.
func TestRulesEditor(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: runs a real browser")
	}
	browser := chromium(t)
	gatewayURL, _ := system(t)
	p := open(t, browser, gatewayURL)
	says := func(selector, want string) {
		t.Helper()
		p.await(15*time.Second, selector+" to say "+want, func() bool { return strings.Contains(strings.Join(p.texts(selector), " "), want) })
	}
	says(rulesTold, "version 1 · the example")
	says(`[data-test="rule"]`, "Raises an alert (warning) when temperature_celsius")
	p.do("open the editor", chromedp.Click("#rules-editor summary"))
	write := func(text string) {
		t.Helper()
		ask(p, "write", chromedp.Evaluate[bool](`(() => { const t = document.querySelector("#rules-text"); t.value = `+quote(text)+`; t.dispatchEvent(new Event("input")); return true; })()`))
	}
	p.keep("rules")
	write("version: 2\nrules:\n  - name: hot\n    treshold: {quantity: temperature_celsius, above: 30}\n  - name: cold\n    threshold: {quantity: temperature_celsius, below: x}\n")
	p.do("activate it", chromedp.Click(`[data-test="rules-activate"]`))
	says(mistake, "did you mean threshold")
	says("#rules-hint", "2 mistakes: nothing was changed")
	says(rulesTold, "version 1")
	p.keep("rules-mistakes")
	p.do("look at it on a phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), chromedp.Sleep(time.Second))
	p.keep("rules-mistakes-phone")
	if width := ask(p, "measure it", chromedp.Evaluate[float64](`document.documentElement.scrollWidth`)); width > 390 {
		t.Errorf("the page is %v px wide on a phone of 390 px", width)
	}
	write("version: 2\nrules:\n  - name: hot\n    threshold: {sensor: 'bme280-*', quantity: temperature_celsius, above: -100}\n  - name: nobody\n    threshold: {sensor: nobody, quantity: temperature_celsius, above: 30}\n")
	p.do("check it", chromedp.Click(`[data-test="rules-check"]`))
	says("#rules-hint", "Right: version 2, 2 rules")
	says(mistake, "there is no sensor nobody")
	p.do("activate it", chromedp.Click(`[data-test="rules-activate"]`))
	says(rulesTold, "version 2 · written on this page")
	says("#rules-hint", "Version 2 is in force, and on trial")
	says("#events", "Rules version 2 in force")
	says(`[data-test="rule"]`, "1 alert")
	p.keep("rules-activated-phone")
	p.do("go back", chromedp.Click("#rules-back"))
	says(rulesTold, "version 1 · the example")
	p.await(5*time.Second, "the editor to hold them", func() bool {
		return strings.Contains(ask(p, "read it", chromedp.Evaluate[string](`document.querySelector("#rules-text").value`)), "version: 1")
	})
}
