package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// Whatever a person writes: there is a configuration that can run, in which every value is within its bounds, and every
// mistake says its line or its variable.
func FuzzConfig(f *testing.F) {
	f.Add("mqtt:\n  host: broker\n  port: 8883\nsampling: {interval: 0.1}\nsensors:\n  - {chip: bme280, bus: 1, address: 0x76, interval: 5}\n")
	f.Add("sensors: [{address: 0x36, identity: {register: 8, width: 2, value: 18}, registers: [{quantity: a_volts, unit: V, register: 2, width: 2, scale: 0.1}]}]\n")
	f.Add("mqtt: {port: 70000}\nsensors: [{chip: x}, 7]\nbutton: [1]\nunknown: 3\n")
	f.Add("a: &a [*a]\n")
	f.Add("device: {id: \"a b\"}\nhttp: {listen: \"nowhere\"}\nlog: {level: LOUD}\n")
	place := regexp.MustCompile(`^(GATEWAY_CONFIG:\d+: \S|GATEWAY_CONFIG: yaml: )`)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) {
			return // no variable holds one
		}
		var cfg Config
		for _, s := range scalars() {
			if s.fallback != "" {
				if err := s.set(&cfg, s.fallback); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, err := range applyYAML(&cfg, "GATEWAY_CONFIG", []byte(text)) {
			if !place.MatchString(err.Error()) {
				t.Errorf("%q says no place", err)
			}
		}
		checkConfig(t, cfg)
	})
}

// Whatever a variable holds: the setting has a valid value, or there is a mistake that says the variable.
func FuzzVariable(f *testing.F) {
	for i, s := range scalars() {
		f.Add(byte(i), s.fallback)
	}
	f.Add(byte(9), "+1883")
	f.Add(byte(17), "0x1p-1")
	f.Add(byte(17), "nan")
	f.Add(byte(slices.IndexFunc(scalars(), func(s scalar) bool { return s.path == "button.short" })), "stop")
	f.Fuzz(func(t *testing.T, which byte, value string) {
		all := scalars()
		s := all[int(which)%len(all)]
		if s.path == "rules.file" { // would be read
			return
		}
		name := s.variables()[0]
		cfg, err := loadConfig("", variables(name, value))
		if err != nil && !strings.Contains(err.Error(), name) && !strings.HasPrefix(err.Error(), "GATEWAY_CONFIG") {
			t.Errorf("%s=%q: %q does not name the variable", name, value, err)
		}
		checkConfig(t, cfg)
	})
}

func checkConfig(t *testing.T, c Config) {
	t.Helper()
	between := func(what string, got, low, high time.Duration) {
		if got < low || got > high {
			t.Errorf("%s %v, want %v to %v", what, got, low, high)
		}
	}
	most := time.Duration(holdfast.MaxInterval * float64(time.Second))
	least := time.Duration(holdfast.MinInterval * float64(time.Second))
	between("interval", c.Interval, least, most)
	between("window", c.BufferWindow, 50*time.Millisecond, time.Minute)
	between("bounce", c.Button.Bounce, time.Millisecond, time.Second)
	between("keep-alive", c.MQTTKeepAlive, 5*time.Second, time.Hour)
	if c.MQTTPort < 1 || c.MQTTPort > 65535 || c.BufferMaxBytes < 4<<20 || c.Ack != holdfast.AckReceipt && c.Ack != holdfast.AckPuback {
		t.Errorf("port %d, buffer of %d bytes, ack %q", c.MQTTPort, c.BufferMaxBytes, c.Ack)
	}
	if c.Device != "" && holdfast.CheckDevice(c.Device) != nil {
		t.Errorf("device %q", c.Device)
	}
	for _, s := range c.Sensors {
		if (s.Chip == "") != (len(s.Registers) > 0) || s.Address < 0x08 || s.Address > 0x77 || s.Name != "" && holdfast.CheckSensor(s.Name) != nil {
			t.Errorf("sensor %+v", s)
		}
		if s.Interval != 0 {
			between("interval of a sensor", s.Interval, least, most)
		}
	}
	if filepath.Base(c.DataDir) == "" {
		t.Error("no folder for the data")
	}
}
