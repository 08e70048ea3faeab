package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The simulated Pi's chips: one from the drawer is found without a restart; one that hangs the bus, one with a broken wire and
// one that is pulled out are lost, and come back.
func TestWorkbench(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: runs a real browser")
	}
	browser := chromium(t)
	gatewayURL, _ := system(t)
	p := open(t, browser, gatewayURL)
	sensor := func(name string) string {
		for _, row := range p.texts("#sensors tr") {
			if strings.HasPrefix(row, name) {
				return row
			}
		}
		return ""
	}
	says := func(name, word string) {
		t.Helper()
		p.await(25*time.Second, name+" to be "+word, func() bool { return strings.Contains(sensor(name), word) })
	}
	press := func(chip, deed string) {
		t.Helper()
		p.do(deed+" "+chip, chromedp.Click(fmt.Sprintf(`[data-test="chip"][data-key="%s"] [data-do="%s"]`, chip, deed)))
	}

	p.await(10*time.Second, "the drawer", func() bool { return len(p.texts(`[data-test="chip"]`)) == 2 })
	p.do("plug in an SHT3x", chromedp.SetValue("#drawer", "sht3x"), chromedp.Click("#drawer-plug"))
	says("sht3x-1-44", "ok")
	p.await(10*time.Second, "its values", func() bool { return strings.Contains(p.text("#values"), "sht3x-1-44") })
	p.do("plug in an SHT4x, which wants its address", chromedp.SetValue("#drawer", "sht4x"), chromedp.Click("#drawer-plug"))
	p.await(5*time.Second, "what stands in the way", func() bool { return strings.Contains(p.text("#workbench-hint"), "sht3x is at 0x44") })

	press("sht3x", "corrupt")
	says("sht3x-1-44", "lost")
	press("sht3x", "mend")
	says("sht3x-1-44", "ok")
	press("bme280", "unplug")
	says("bme280-1-76", "lost")
	p.do("plug it in again", chromedp.SetValue("#drawer", "bme280"), chromedp.Click("#drawer-plug"))
	says("bme280-1-76", "ok")
	press("tmp102", "hang")
	says("tmp102-1-48", "isolated")
	p.keep("gateway-workbench")
	inOtherSizes(p, "gateway-workbench")
}
