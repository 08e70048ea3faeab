package browser

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// What the pages show, by the marks that they carry for this test.
const (
	value        = `[data-test="value"][data-quantity="temperature_celsius"]`
	measuring    = `[data-test="measuring"]`
	button       = `[data-test="button"]`
	completeness = `[data-test="completeness"]`
	raised       = `[data-test="alert"][data-state="raised"]`
	acknowledged = `[data-test="alert"][data-state="acknowledged"]`
	cleared      = `[data-test="alert"][data-state="cleared"]`
	chart        = `[data-test="chart"] canvas`
)

// Both pages live: values move, the button stops and starts, an alert is raised and cleared, every number arrives.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: runs a real browser for over a minute")
	}
	browser := chromium(t)
	begin := time.Now()
	gatewayURL, receiverURL := system(t)
	gateway, receiver := open(t, browser, gatewayURL), open(t, browser, receiverURL)

	for name, p := range map[string]page{"gateway": gateway, "receiver": receiver} {
		p.await(10*time.Second, "a value on the page of the "+name, func() bool { return strings.ContainsAny(p.text(value), "0123456789") })
	}
	receiver.await(5*time.Second, "a chart", func() bool { return len(receiver.texts(chart)) > 0 })
	t.Logf("both pages showed values after %v, start of the two processes included", time.Since(begin).Round(100*time.Millisecond))
	for _, p := range []page{gateway, receiver} {
		before := p.texts(value)
		p.await(10*time.Second, "the values to move", func() bool { return !slices.Equal(p.texts(value), before) })
	}

	stopAndStart(t, gateway, receiver)

	for name, p := range map[string]page{"gateway": gateway, "receiver": receiver} {
		p.await(75*time.Second, "an alert on the page of the "+name, func() bool { return len(p.texts(raised)) > 0 })
		p.keep(name + "-alert")
	}
	receiver.do("acknowledge it", chromedp.Click(raised+` [data-test="acknowledge"]`))
	for name, p := range map[string]page{"gateway": gateway, "receiver": receiver} {
		p.await(10*time.Second, "the alert to be acknowledged on the page of the "+name, func() bool { return len(p.texts(acknowledged)) > 0 && len(p.texts(raised)) == 0 })
		p.keep(name + "-alert-acknowledged")
	}
	for name, p := range map[string]page{"gateway": gateway, "receiver": receiver} {
		p.await(60*time.Second, "the alert to clear on the page of the "+name, func() bool { return len(p.texts(cleared)) > 0 && len(p.texts(acknowledged)) == 0 })
		p.keep(name)
	}
	if said := receiver.text(completeness); !strings.HasPrefix(said, "Every number is here") {
		t.Errorf("completeness says %q, want that every number is there", said)
	}
	inOtherSizes(gateway, "gateway")
	inOtherSizes(receiver, "receiver")
}

// stopAndStart presses the button twice: values cease on both pages, and move again.
func stopAndStart(t *testing.T, gateway, receiver page) {
	t.Helper()
	running := gateway.text(measuring)
	gateway.do("press the button", chromedp.Click(button))
	gateway.await(10*time.Second, "the page to say that measuring has stopped", func() bool { return gateway.text(measuring) != running })
	receiver.await(10*time.Second, "the receiver's page to say so too", func() bool { return strings.Contains(strings.ToLower(receiver.text(measuring)), "stop") })
	gateway.keep("gateway-stopped")

	gateway.do("let the last values arrive", chromedp.Sleep(3*time.Second))
	still := receiver.texts(value)
	gateway.do("wait", chromedp.Sleep(4*time.Second))
	if got := receiver.texts(value); !slices.Equal(got, still) {
		t.Errorf("values moved from %v to %v while measuring is stopped", still, got)
	}

	gateway.do("press the button again", chromedp.Click(button))
	gateway.await(10*time.Second, "the page to say that it measures again", func() bool { return gateway.text(measuring) == running })
	receiver.await(10*time.Second, "values to move again", func() bool { return !slices.Equal(receiver.texts(value), still) })
}

// inOtherSizes looks at the page on a phone, and expects that nothing sticks out to the side.
func inOtherSizes(p page, name string) {
	p.t.Helper()
	p.do("look at it on a phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), chromedp.Sleep(time.Second))
	width := ask(p, "measure it", chromedp.Evaluate[float64](`document.documentElement.scrollWidth`))
	p.keep(name + "-phone")
	if width > 390 {
		p.t.Errorf("the page of the %s is %v px wide on a phone of 390 px", name, width)
	}
}
