package arch

import (
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	m := module{"holdfast", []door{
		{"example.org/bolt", []string{"buffer"}, nil, "the file"},
		{"example.org/quick", nil, []string{"*", "*/*"}, "property tests"},
		{"example.org/metrics", []string{"cmd/*"}, []string{"uplink"}, "metrics"},
	}}
	for _, test := range []struct {
		from, to string
		test     bool
		want     string // in the one complaint; empty for none
	}{
		{from: "holdfast", to: "encoding/json"},
		{from: "holdfast", to: "holdfast/wire", want: "the root imports the standard library only"},
		{from: "holdfast", to: "example.org/bolt", want: `its door is ["buffer"] (the file)`},
		{from: "holdfast/wire", to: "holdfast"},
		{from: "holdfast/wire", to: "holdfast/mqtt", want: "a leaf imports"},
		{from: "holdfast/internal/clock", to: "holdfast/buffer", want: "a leaf imports"},
		{from: "holdfast/mqtt", to: "holdfast/internal/testenv", test: true},
		{from: "holdfast/mqtt", to: "holdfast/internal/testenv", want: "only tests"},
		{from: "holdfast/uplink", to: "holdfast/mqtt"},
		{from: "holdfast/uplink", to: "holdfast/buffer", want: "adapters never import one another"},
		{from: "holdfast/uplink", to: "holdfast/buffer", test: true, want: "tests import"},
		{from: "holdfast/uplink", to: "holdfast/receiver/store", want: "adapters never"},
		{from: "holdfast/uplink", to: "holdfast/uplink", test: true},
		{from: "holdfast/receiver/api", to: "holdfast/receiver/store"},
		{from: "holdfast/sensors/simulated", to: "holdfast/sensors"},
		{from: "holdfast/sensors", to: "holdfast/cmd/gateway", want: "nothing stands above"},
		{from: "holdfast/cmd/gateway", to: "holdfast/buffer"},
		{from: "holdfast/cmd/gateway", to: "holdfast/test/chaos", want: "do not import each other"},
		{from: "holdfast/test/chaos", to: "holdfast/internal/testenv"},
		{from: "holdfast/cmd/gateway", to: "holdfast/internal/testenv", want: "only tests"},
		{from: "holdfast/util", to: "fmt", want: "no place in the tree"},
		{from: "holdfastest/util", to: "fmt", want: "no place in the tree"},

		{from: "holdfast/buffer", to: "example.org/bolt/freelist"},
		{from: "holdfast/buffer", to: "example.org/bolt", test: true},
		{from: "holdfast/buffer", to: "example.org/bolted", want: "no line of doors.go"},
		{from: "holdfast/rules", to: "example.org/quick", test: true},
		{from: "holdfast/rules", to: "example.org/quick", want: "its door is [] (property tests)"},
		{from: "holdfast/cmd/receiver", to: "example.org/metrics"},
		{from: "holdfast/uplink", to: "example.org/metrics", test: true},
		{from: "holdfast/uplink", to: "example.org/metrics", want: "its door is"},
	} {
		p := goPackage{ImportPath: test.from}
		if test.test {
			p.XTestImports = []string{test.to}
		} else {
			p.Imports = []string{test.to}
		}
		got := m.check([]goPackage{p})
		if (test.want == "") != (len(got) == 0) || len(got) > 1 || len(got) == 1 && !strings.Contains(got[0], test.want) {
			t.Errorf("%s imports %s (test %v): got %q, want %q", test.from, test.to, test.test, got, test.want)
		}
	}
}

func TestCheckDeps(t *testing.T) {
	t.Parallel()
	deps := []string{"fmt", "testing/fstest", "example.org/sql/v2/driver", "example.org/sqlite"}
	for _, test := range []struct {
		banned string
		want   []string
	}{
		{"example.org/sql/v2", []string{"x: is compiled from example.org/sql/v2/driver"}},
		{"example.org/sqlite", []string{"x: is compiled from example.org/sqlite"}},
		{"example.org/nats", nil},
		{"testing", nil},
		{"fmt", []string{"x: is compiled from fmt"}},
	} {
		if got := checkDeps("x", deps, []string{test.banned}); !slices.Equal(got, test.want) {
			t.Errorf("banned %s: got %q, want %q", test.banned, got, test.want)
		}
	}
}
