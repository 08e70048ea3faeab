package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"holdfast"
)

var update = flag.Bool("update", false, "write the table of variables into docs/configuration.md")

// The reference in docs/ holds the table that `gateway env` prints.
func TestConfigurationReference(t *testing.T) {
	const file, mark = "../../docs/configuration.md", "<!-- gateway env -->\n"
	var table bytes.Buffer
	if err := envCommand(t.Context(), nil, &table); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s has no line %q", file, mark)
	}
	want := before + mark + table.String()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(text) != want && !*update {
		t.Errorf("%s does not hold what `gateway env` prints; go test ./cmd/gateway -run Reference -update mends it", file)
	}
}

// A button on a wire of I²C is a mistake at the desk as it is on the Pi.
func TestCheckButton(t *testing.T) {
	t.Setenv("GATEWAY_CONFIG", "sensors: [{chip: bme280, bus: 1, address: 0x76}]") // whatever buses this machine has
	for pin, want := range map[string]string{"2": "BCM 2 is a wire of i2c-1", "GPIO3": "BCM 3 is a wire of i2c-1", "17": ""} {
		t.Setenv("BUTTON_PIN", pin)
		var out bytes.Buffer
		err := checkCommand(t.Context(), nil, &out)
		if (err != nil) != (want != "") || err != nil && (!errors.Is(err, errUsage) || !strings.Contains(err.Error(), want)) {
			t.Errorf("pin %s: %v, want %q", pin, err, want)
		}
	}
	cfg := Config{Button: ButtonConfig{Pin: "0"}, Sensors: []SensorConfig{{Bus: 0}}}
	if err := cfg.buttonMistake([]int{1}); err == nil {
		t.Error("BCM 0 beside a sensor on i2c-0 is taken")
	}
	if err := (&Config{Button: ButtonConfig{Pin: "2"}}).buttonMistake([]int{20, 21}); err != nil {
		t.Errorf("with i2c-1 switched off: %v", err)
	}
}

// Where the configuration says nothing of a setting, it has the origin that get_config tells as the source of its value.
func TestOriginsOfDefaults(t *testing.T) {
	t.Parallel()
	keys := map[string]string{"sampling.interval": "sampling.interval", "log.level": "log.level", "uplink.broker": "mqtt.host", "groups": "device.groups"}
	for _, pairs := range [][]string{nil, {"LOG_LEVEL", "debug", "DEVICE_GROUPS", "roof"}, {"INTERVAL_SECONDS", "5"}, {"HOLDFAST_JOIN", joinString(t)}} {
		cfg, err := loadConfig("", variables(pairs...))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range cfg.defaults() {
			i := slices.IndexFunc(cfg.Values, func(v ConfigValue) bool { return v.Key == keys[s.Key] })
			if byDefault := i < 0 || cfg.Values[i].Source == "default"; byDefault != (s.Origin == holdfast.OriginDefault) {
				t.Errorf("%.20q: %s is by %s, and get_config tells %+v", pairs, s.Key, s.Origin, cfg.Values[max(i, 0)])
			}
		}
	}
}

// Of two variables for one value the one that loses is named, whether the other is right or wrong.
func TestOverruledVariables(t *testing.T) {
	for _, c := range []struct{ own, alias, said, mistake string }{
		{"5", "abc", "but INTERVAL_SECONDS is not looked at: SAMPLING_INTERVAL goes before it", ""},
		{"5", "5", "", ""},
		{"5", "", "", ""},
		{"", "5", "", ""},
		{"abc", "abc", "", "86400; INTERVAL_SECONDS is not looked at: SAMPLING_INTERVAL goes before it"},
		{"", "abc", "", "variable INTERVAL_SECONDS"},
	} {
		t.Setenv("SAMPLING_INTERVAL", c.own)
		t.Setenv("INTERVAL_SECONDS", c.alias)
		var out bytes.Buffer
		err := checkCommand(t.Context(), nil, &out)
		if (err != nil) != (c.mistake != "") || err != nil && !strings.Contains(err.Error(), c.mistake) {
			t.Errorf("%+v: %v", c, err)
		}
		if !strings.Contains(out.String(), c.said) || c.said == "" && strings.Contains(out.String(), "but") {
			t.Errorf("%+v: %s", c, out.String())
		}
	}
}

func TestBusesHere(t *testing.T) {
	t.Parallel()
	dev := t.TempDir()
	if got := busesHere(dev); !slices.Equal(got, []int{1}) {
		t.Errorf("at a desk: %v, want 1", got)
	}
	for _, name := range []string{"i2c-20", "i2c-x", "i2c-3"} {
		if err := os.WriteFile(filepath.Join(dev, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := busesHere(dev); !slices.Equal(got, []int{20, 3}) {
		t.Errorf("got %v, want 20 and 3", got)
	}
}

// get_config names the mistakes of the configuration, at most so many, and no secret.
func TestMistakesAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lines := []error{errors.New("variable INTERVAL_SECONDS: \"abc\": want seconds"), errors.New("before correct-horse behind")}
		for range holdfast.MaxNotices {
			lines = append(lines, errors.New(strings.Repeat("x", 2*holdfast.MaxNotice)))
		}
		d := watch(t, t.TempDir(), []string{"MQTT_PASSWORD", "correct-horse"}, func(w *world) { w.mistakes = errors.Join(lines...) })
		var told struct{ Mistakes []string }
		d.control.Execute(t.Context(), []byte(`{"v":1,"id":"1","name":"get_config"}`), false, func(r holdfast.Result) {
			if err := json.Unmarshal(r.Result, &told); err != nil {
				t.Errorf("%s: %v", r.Result, err)
			}
		})
		all := strings.Join(told.Mistakes, "\n")
		if len(told.Mistakes) != holdfast.MaxNotices+1 || !strings.HasPrefix(all, lines[0].Error()+"\nbefore (set) behind\n") ||
			!strings.HasSuffix(all, "and 2 more, which the log has") || len(all) > (holdfast.MaxNotices+1)*(holdfast.MaxNotice+1) {
			t.Errorf("told %q", told.Mistakes)
		}
		d.end(t)
	})
}

// Neither a container nor a unit proves that somebody starts the gateway again.
func TestSupervised(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		variables []string
		want      bool
	}{
		{nil, false}, {[]string{"INVOCATION_ID", "1"}, false}, {[]string{"BALENA", "1"}, true},
		{[]string{"GATEWAY_RESTART", "supervised"}, true}, {[]string{"BALENA", "1", "GATEWAY_RESTART", "none"}, false},
		{[]string{"GATEWAY_RESTART", "perhaps"}, false},
	} {
		getenv := variables(tt.variables...)
		cfg, _ := loadConfig("", getenv)
		if got := cfg.supervised(getenv); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.variables, got, tt.want)
		}
	}
}
