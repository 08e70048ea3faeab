package sensors

import (
	"strings"
	"testing"
)

// The chips of each Pi as its kernel lists them.
func TestChooseChip(t *testing.T) {
	t.Parallel()
	zero := []chipInfo{{"gpiochip0", "gpiochip0", "pinctrl-bcm2835"}}
	four := []chipInfo{{"gpiochip0", "gpiochip0", "pinctrl-bcm2711"}, {"gpiochip1", "gpiochip1", "raspberrypi-exp-gpio"}}
	five := []chipInfo{ // kernels up to 6.6.45
		{"gpiochip0", "gpiochip0", "gpio-brcmstb@107d508500"}, {"gpiochip1", "gpiochip1", "gpio-brcmstb@107d508520"},
		{"gpiochip2", "gpiochip2", "gpio-brcmstb@107d517c00"}, {"gpiochip3", "gpiochip3", "gpio-brcmstb@107d517c20"}, {"gpiochip4", "gpiochip4", "pinctrl-rp1"},
	}
	later := []chipInfo{ // later ones, with a link gpiochip4 for programs that counted
		{"gpiochip0", "gpiochip0", "pinctrl-rp1"}, {"gpiochip10", "gpiochip10", "gpio-brcmstb@107d508500"}, {"gpiochip4", "gpiochip0", "pinctrl-rp1"},
	}
	for _, test := range []struct {
		name, wanted string
		chips        []chipInfo
		want         string // the file, or a part of the error
	}{
		{"Pi Zero", "", zero, "gpiochip0"},
		{"Pi 4", "", four, "gpiochip0"},
		{"Pi 5", "", five, "gpiochip4"},
		{"Pi 5, later kernel", "", later, "gpiochip0"},
		{"by label", "raspberrypi-exp-gpio", four, "gpiochip1"},
		{"by name", "gpiochip1", four, "gpiochip1"},
		{"by the name of a link", "/dev/gpiochip4", later, "gpiochip4"},
		{"no Pi", "", []chipInfo{{"gpiochip0", "gpiochip0", "20ac000.gpio"}}, `no GPIO chip of a Pi's header among ["20ac000.gpio"]`},
		{"another Pi's label", "pinctrl-rp1", four, `no GPIO chip pinctrl-rp1 among ["pinctrl-bcm2711" "raspberrypi-exp-gpio"]`},
	} {
		i, err := chooseChip(test.wanted, test.chips)
		if err != nil {
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %s", test.name, err, test.want)
			}
			continue
		}
		if got := test.chips[i].file; got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestSameLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		chip, line, otherChip, other string
		want                         bool
	}{
		{"", "17", "", "17", true},
		{"", "17", "", "GPIO17", true},
		{"", "17", "", "27", false},
		{"", "17", "expander", "17", false},
		{"/dev/gpiochip0", "17", "gpiochip0", "17", true},
		{"", "SDA1", "", "SDA1", true},
		{"", "SDA1", "", "SCL1", false},
	} {
		if got := SameLine(test.chip, test.line, test.otherChip, test.other); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
