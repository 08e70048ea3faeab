package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	led    = `[data-test="led"]`
	output = `[data-test="output"]`
)

// The virtual button is pressed long and twice, the LED says so, and an output is switched.
func TestPressesAndOutputs(t *testing.T) {
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
	says(led, "it measures")
	p.do("switch the fan on", chromedp.Click(output+" button"))
	says(output, "on, goes off in")
	says("#events", "Output fan on")
	p.keep("gateway-output")
	p.do("switch it off", chromedp.Click(output+" button"))
	says(output, "Switch on")

	p.do("two quick presses", chromedp.Click(`[data-press="double"]`))
	says("#events", "Moment marked")
	says(measuring, "Measuring")
	p.do("a long press", chromedp.Click(`[data-press="long"]`))
	says(led, "the power may be pulled")
	says(measuring, "Stopped safely")
	p.keep("gateway-safe")
	p.do("look at it on a phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), chromedp.Sleep(time.Second))
	p.keep("gateway-safe-phone")
	if width := ask(p, "measure it", chromedp.Evaluate[float64](`document.documentElement.scrollWidth`)); width > 390 {
		t.Errorf("the page is %v px wide on a phone of 390 px", width)
	}
	p.do("a short press", chromedp.Click(button))
	says(measuring, "Measuring")
}
