package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is wrong in a configuration keeps the value that was right last: of a variable, of a key in the file, of a file that
// is no YAML any more, of a list of sensors, of rules. What is right in it holds, and every mistake is said.
func TestLastKnownGood(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const (
		sensor   = "sensors: [{chip: bme280, bus: 1, address: 0x76}]\n"
		password = "correct-horse"
	)
	rulesFile := write("rules.yaml", "version: 1\nrules:\n  - name: minute\n    aggregate:\n      window: 1m\n      functions: [mean]\n")
	file := write("gateway.yaml", "mqtt: {host: broker, port: 1884}\nsampling: {interval: 5}\nrules: {file: "+rulesFile+"}\n"+sensor)
	s := readSources(file, variables("DATA_DIR", dir, "MQTT_PASSWORD", password, "INTERVAL_SECONDS", "7"))
	cfg, mistakes := s.load()
	if len(mistakes) > 0 {
		t.Fatal(joined(mistakes))
	}
	if err := s.good(&cfg).keep(dir); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, goodFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want a file that nobody else reads", info, err)
	}
	load := func(file string, pairs ...string) (Config, string) {
		s := readSources(file, variables(append([]string{"DATA_DIR", dir}, pairs...)...))
		cfg, mistakes := s.load()
		if len(mistakes) == 0 {
			t.Errorf("%v: no mistake", pairs)
		}
		cfg, mistakes = s.mend(cfg, mistakes)
		return cfg, joined(mistakes).Error()
	}
	shown := func(cfg Config, key string) ConfigValue {
		for _, v := range cfg.Values {
			if v.Key == key {
				return v
			}
		}
		return ConfigValue{}
	}

	cfg, said := load(file, "MQTT_PASSWORD", password, "INTERVAL_SECONDS", "abc", "MQTT_PORT", "99")
	if cfg.Interval != 7*time.Second || cfg.MQTTPort != 99 || len(cfg.Sensors) != 1 || !strings.Contains(said, "INTERVAL_SECONDS") || !strings.Contains(said, "right last") {
		t.Errorf("interval %v, port %d, %d sensors, %s", cfg.Interval, cfg.MQTTPort, len(cfg.Sensors), said)
	}
	if v := shown(cfg, "sampling.interval"); v.Value != "7" || v.Source != "last known good" {
		t.Errorf("shown as %+v", v)
	}

	cfg, said = load(write("broken.yaml", "mqtt: {host: [\n"), "INTERVAL_SECONDS", "3")
	if cfg.MQTTHost != "broker" || cfg.MQTTPort != 1884 || cfg.Interval != 3*time.Second || len(cfg.Sensors) != 1 || !strings.Contains(said, "broken.yaml") {
		t.Errorf("%+v, %s", cfg, said)
	}
	if cfg, _ = load(filepath.Join(dir, "gone.yaml")); cfg.MQTTHost != "broker" {
		t.Errorf("a file that is gone: host %q", cfg.MQTTHost)
	}
	cfg, said = load(write("sensors.yaml", "sensors: [{chip: bme280, address: 999}]\nmqtt: {host: other}\n"))
	if len(cfg.Sensors) != 1 || cfg.Sensors[0].Address != 0x76 || cfg.MQTTHost != "other" || cfg.MQTTPort != 1883 {
		t.Errorf("sensors %+v, host %s, port %d, %s", cfg.Sensors, cfg.MQTTHost, cfg.MQTTPort, said)
	}
	write("rules.yaml", "rules: 7\n")
	if cfg, said = load(file); cfg.Rules == nil || len(cfg.Rules.set().Names()) != 1 || !strings.Contains(said, "rules") {
		t.Errorf("rules %v, %s", cfg.Rules, said)
	}

	// Without anything kept, defaults hold.
	s = readSources("", variables("DATA_DIR", t.TempDir(), "INTERVAL_SECONDS", "abc"))
	cfg, mistakes = s.load()
	if cfg, mistakes = s.mend(cfg, mistakes); cfg.Interval != time.Second || len(mistakes) != 1 {
		t.Errorf("interval %v, %v", cfg.Interval, mistakes)
	}
}
