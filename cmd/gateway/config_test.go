package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast"
)

func variables(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestConfigOfNothing(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig("", variables())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Interval != time.Second || cfg.Ack != holdfast.AckPuback || cfg.MQTTPort != 1883 || cfg.DashboardToken != "" {
		t.Errorf("defaults: %+v", cfg)
	}
}

func TestConfigFileAndVariables(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	text := `
device: {id: pi-7}
mqtt:
  host: broker.example.org
  ack: receipt
sampling:
  interval: 5
sensors:
  - {name: cold_room, chip: tmp102, bus: 1, address: 0x48, interval: 0.5}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig(file, variables("MQTT_HOST", "other.example.org", "INTERVAL_SECONDS", "7", "BUTTON_EVENT", "RAISING", "BUTTON_PULL_UP_DOWN", "UP"))
	if err != nil {
		t.Fatal(err)
	}
	want := SensorConfig{Name: "cold_room", Chip: "tmp102", Bus: 1, Address: 0x48, Interval: 500 * time.Millisecond}
	if cfg.Device != "pi-7" || cfg.MQTTHost != "other.example.org" || cfg.Ack != holdfast.AckReceipt || cfg.Interval != 7*time.Second ||
		cfg.Button.Edge != "rising" || cfg.Button.Pull != "up" || len(cfg.Sensors) != 1 || !reflect.DeepEqual(cfg.Sensors[0], want) {
		t.Errorf("got %+v", cfg)
	}
}

// Every mistake is named at once, with its place, and what is wrong keeps its default.
func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig("", variables("GATEWAY_CONFIG", `
mqtt:
  port: many
  hots: x
sampling: {interval: 0.01}
sensors:
  - {chip: tmp102, address: 0x100}
  - {bus: 1}
http: off
filters:
  bme280-1-76: {samples: 40}
  Cold Room: {samples: 2}
  cold_room: {samples: 3, combine: median, spikes: true}
`, "MQTT_ACK", "perhaps", "DASHBOARD_TOKEN", "short"))
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, want := range []string{
		`GATEWAY_CONFIG:3: mqtt.port: "many": want a whole number`,
		`GATEWAY_CONFIG:4: mqtt.hots: no such key`,
		`GATEWAY_CONFIG:5: sampling.interval`,
		`GATEWAY_CONFIG:7: sensors[0].address`,
		`GATEWAY_CONFIG:8: sensors[1]: want at least chip and address`,
		`GATEWAY_CONFIG:9: http: no such key`,
		`GATEWAY_CONFIG:11: filters.bme280-1-76.samples: samples 40: want 1 to 16`,
		`GATEWAY_CONFIG:12: "filters.Cold Room"`,
		`variable MQTT_ACK: "perhaps": want receipt or puback`,
		`variable DASHBOARD_TOKEN`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes lack %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "short") {
		t.Error("a secret stands in the error")
	}
	if f := cfg.Filters["cold_room"]; len(cfg.Filters) != 1 || f.Samples != 3 || !f.Spikes {
		t.Errorf("filters %+v, want the right one", cfg.Filters)
	}
	if cfg.MQTTPort != 1883 || cfg.Interval != time.Second || cfg.Ack != holdfast.AckPuback || len(cfg.Sensors) != 0 {
		t.Errorf("what is wrong did not keep its default: %+v", cfg)
	}
}

// One mistake hides no other, and they come in the order of their lines.
func TestConfigMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := loadConfig("", variables("GATEWAY_CONFIG", `sensors:
  - chip: tmp103
    bus: 1
    address: 0x48
    intervall: 5
  - {chip: tmp102, address: 0x99}
  - {chip: tmp103, bus: one}
  - {chip: tmp102, bus: 1, address: 0x48, name: Cold}
  - {adress: 0x49, name: cold_room}
  - {chip: tmp102, bus: 1, address: 0x48, interval: 0}
  - {registers: [], address: 0x4a, bus: 1}
mqqt: {host: a}
led: 17
filters: {a: {sample: 3, combine: most}}
outputs:
  - {name: fan, pn: 22}
  - {name: fan, pin: 23, default: on, max_on: 5, activelow: true}
samplin.interval: 5
sampling: {intervall: 5}
`))
	const want = `GATEWAY_CONFIG:2: sensors[0]: chip "tmp103": want one of CHIPS, or registers
GATEWAY_CONFIG:5: sensors[0].intervall: no such key: did you mean interval?
GATEWAY_CONFIG:6: sensors[1].address: "0x99": want an I²C address from 0x08 to 0x77
GATEWAY_CONFIG:7: sensors[2].bus: "one": want the number of a bus, 1 for /dev/i2c-1
GATEWAY_CONFIG:7: sensors[2]: want at least chip and address, or registers and address
GATEWAY_CONFIG:7: sensors[2]: chip "tmp103": want one of CHIPS, or registers
GATEWAY_CONFIG:8: sensors[3].name: invalid sensor: "Cold": want 1 to 64 of a-z 0-9 _ . -
GATEWAY_CONFIG:9: sensors[4].adress: no such key: did you mean address?
GATEWAY_CONFIG:9: sensors[4]: want at least chip and address, or registers and address
GATEWAY_CONFIG:10: sensors[5].interval: "0": want seconds from 0.1 to 86400
GATEWAY_CONFIG:10: sensors[5]: i2c-1 0x48: sensor 1 is there too
GATEWAY_CONFIG:11: sensors[6].registers: want a list, each with quantity, unit and register
GATEWAY_CONFIG:12: mqqt: no such key: did you mean mqtt?
GATEWAY_CONFIG:13: led: no such key; ` + "`gateway env`" + ` lists them all
GATEWAY_CONFIG:14: filters.a.sample: no such key: did you mean samples?
GATEWAY_CONFIG:14: filters.a.combine: combine "most": want mean or median
GATEWAY_CONFIG:16: outputs[0].pn: no such key: did you mean pin?
GATEWAY_CONFIG:16: outputs[0]: want at least name and pin
GATEWAY_CONFIG:17: outputs[1].activelow: no such key: did you mean active_low?
GATEWAY_CONFIG:17: outputs[1]: with max_on it begins and ends off: want default: off and release: off, or no max_on
GATEWAY_CONFIG:17: outputs[1]: "fan" stands there twice
GATEWAY_CONFIG:18: samplin.interval: no such key: did you mean sampling.interval?
GATEWAY_CONFIG:19: sampling.intervall: no such key: did you mean sampling.interval?`
	got := "no mistake"
	if err != nil {
		got = regexp.MustCompile(`want one of .*, or registers`).ReplaceAllString(err.Error(), "want one of CHIPS, or registers")
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A text that is no YAML is told with its line, as any other mistake is.
func TestConfigThatIsNoYAML(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mqtt:\n  host: a\n\n\tport: 1883\n":     "GATEWAY_CONFIG:4: not YAML: found a tab character that violates indentation; the line is indented with a tab: YAML is indented with spaces",
		"mqtt:\n  host: @a\n":                    "GATEWAY_CONFIG:2: not YAML: found character that cannot start any token; a value that begins with @, ` or % stands in quotes",
		"mqtt:\n  host: a\nsensors:\n - a\n b\n": "GATEWAY_CONFIG:5: not YAML: could not find expected ':'",
	} {
		if _, err := loadConfig("", variables("GATEWAY_CONFIG", text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestScalarsHaveOneNameEach(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range scalars() {
		if s.about == "" {
			t.Errorf("%s has no meaning", s.path)
		}
		for _, name := range s.variables() {
			if other, ok := seen[name]; ok {
				t.Errorf("%s sets both %s and %s", name, other, s.path)
			}
			seen[name] = s.path
		}
	}
}
