package arch

// A door says which packages may import a third-party module, and why there. Packages are named by their folder in the
// tree; * stands for one element, as in path.Match.
type door struct {
	module string
	in     []string // packages whose code and tests may import it
	tests  []string // further packages whose tests may
	why    string
}

// doors is every third-party import of the module. What stands in no line here is imported nowhere.
func doors() []door {
	everywhere := []string{"*", "*/*", "*/*/*"}
	return []door{
		{"periph.io/x/conn/v3", []string{"sensors", "sensors/simulated"}, nil, "i2c.Bus is the border between drivers and chip models"},
		{"periph.io/x/host/v3", []string{"sensors"}, nil, "opens the kernel's I²C buses"},
		{"periph.io/x/devices/v3", nil, []string{"sensors", "sensors/simulated"}, "proves the chip models with drivers that nobody here wrote"},
		{"github.com/warthog618/go-gpiocdev", []string{"sensors"}, nil, "the lines of button, LED and outputs"},
		{"go.etcd.io/bbolt", []string{"buffer"}, nil, "the durable file"},
		{"github.com/eclipse/paho.mqtt.golang", []string{"mqtt"}, nil, "tells the truth under one setting only, which is made there"},
		{"github.com/redis/go-redis/v9", []string{"control/redis"}, []string{"cmd/gateway"}, "the mirror; the gateway runs unchanged without it"},
		{"github.com/klauspost/compress", []string{"wire"}, nil, "zstd of batches; blocks of the buffer use the same"},
		{"go.yaml.in/yaml/v3", []string{"rules", "cmd/gateway"}, nil, "the two files that people write, read with line numbers"},
		{"github.com/expr-lang/expr", []string{"rules"}, nil, "expressions of rules, cut down to what cannot loop"},
		{"golang.org/x/sync", []string{"cmd/*"}, nil, "groups of goroutines whose first error ends the others"},
		{"golang.org/x/sys", []string{"internal/clock", "buffer"}, []string{"test/bench"}, "adjtimex and CLOCK_BOOTTIME; a file in memory; benchmarks mount a device of their own"},
		{"github.com/nats-io/nats-server/v2", []string{"receiver/broker"}, nil, "the embedded broker"},
		{"modernc.org/sqlite", []string{"receiver/store"}, []string{"test/bench", "test/chaos", "test/virtualpi"}, "the embedded database; benchmarks, and tests that kill and cut, judge what is in it"},
		{"github.com/pressly/goose/v3", []string{"receiver/store"}, nil, "its migrations"},
		{"github.com/danielgtaylor/huma/v2", []string{"receiver/api"}, nil, "the HTTP API and its OpenAPI document"},
		{"github.com/prometheus/client_golang", []string{"dashboard", "receiver", "receiver/api", "cmd/*"}, nil, "/metrics on both sides"},
		{"github.com/mochi-mqtt/server/v2", []string{"internal/testenv"}, nil, "a broker in memory for bubbles; unmaintained, never in a product"},
		{"pgregory.net/rapid", nil, everywhere, "property tests"},
		{"go.uber.org/goleak", nil, everywhere, "goroutines that nobody waited for"},
		{"github.com/chromedp/chromedp", nil, []string{"test/browser"}, "the pages in a real browser"},
		{"github.com/chromedp/cdproto", nil, []string{"test/browser"}, "the protocol that chromedp speaks"},
	}
}

// heavy must not be among what cmd/gateway is compiled from: a livepush compiles it on a Pi with 512 MB.
func heavy() []string {
	return []string{
		"github.com/nats-io/nats-server/v2",
		"modernc.org/sqlite",
		"github.com/pressly/goose/v3",
		"github.com/danielgtaylor/huma/v2",
		"github.com/prometheus/prometheus",
		"database/sql",
		"testing",
	}
}
