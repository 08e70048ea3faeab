package virtualpi

import (
	"slices"
	"strings"
	"testing"
)

func TestModuleOrder(t *testing.T) {
	t.Parallel()
	const dep = `kernel/net/fec.ko: kernel/net/of_mdio.ko kernel/net/libphy.ko
kernel/net/of_mdio.ko: kernel/net/libphy.ko
kernel/net/libphy.ko:
kernel/i2c/i2c-dev.ko.xz:
`
	const builtin = "kernel/gpio/gpio-mxc.ko\n"
	for _, test := range []struct {
		name   string
		wanted []string
		want   []string
		err    string
	}{
		{"dependencies first", []string{"fec"}, []string{"kernel/net/libphy.ko", "kernel/net/of_mdio.ko", "kernel/net/fec.ko"}, ""},
		{"each once", []string{"of_mdio", "fec"}, []string{"kernel/net/libphy.ko", "kernel/net/of_mdio.ko", "kernel/net/fec.ko"}, ""},
		{"dash or underscore, compressed", []string{"i2c_dev"}, []string{"kernel/i2c/i2c-dev.ko.xz"}, ""},
		{"built in", []string{"gpio-mxc"}, nil, ""},
		{"unknown", []string{"flux"}, nil, "module flux: not in this kernel"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := moduleOrder(test.wanted, strings.NewReader(dep), strings.NewReader(builtin))
			if !slices.Equal(got, test.want) || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
				t.Errorf("moduleOrder(%q) = %q, %v, want %q, %q", test.wanted, got, err, test.want, test.err)
			}
		})
	}
}
