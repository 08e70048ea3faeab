package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

// The rules that docs/older-system.md gives for a mosquitto's acl_file are enough for the older profile, and let a device use
// its own topics only.
func TestOlderAccessRules(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/older-system.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`(?m)^    pattern (read|write) .*$`).FindAllString(string(page), -1)
	program := regexp.MustCompile("`topic (read|write) [^`]*`").FindAllString(string(page), -1)
	if len(rules) != 4 || len(program) != 3 {
		t.Fatalf("the page has %q and %q", rules, program)
	}
	file := filepath.Join(t.TempDir(), "acl")
	text := strings.Join(rules, "\n") + "\nuser older\n" + strings.ReplaceAll(strings.Join(program, "\n"), "`", "") + "\n"
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "    pattern", "pattern")), 0o644); err != nil {
		t.Fatal(err)
	}
	broker := testenv.Mosquitto(t, "acl_file "+file) // who logs in under which name is another matter
	connect := func(name string, filters ...string) (*mqtt.Conn, <-chan mqtt.Message) {
		in := make(chan mqtt.Message, 1000)
		conn, err := mqtt.Connect(t.Context(), mqtt.Options{Broker: "tcp://" + broker.Addr, ClientID: name + "-test", Username: name, Password: "x",
			CleanSession: true, Handler: func(m mqtt.Message) { in <- m }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.Background()) })
		for _, filter := range filters {
			_ = conn.Subscribe(t.Context(), filter) // mosquitto grants it, or not, and delivers what the rules allow
		}
		return conn, in
	}
	foreign, heard := connect("pi-8", "iot-projekt/device/pi-7/values", "iot-projekt/device/pi-7/request", "iot-projekt/device/pi-7/response")
	older, in := connect("older", olderTopic+"values", olderTopic+"response")

	host, port, err := net.SplitHostPort(broker.Addr)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig("", variables("DATA_DIR", t.TempDir(), "HTTP_LISTEN", "off", "DEVICE_ID", "pi-7", "MQTT_PROFILE", profileFlat,
		"MQTT_HOST", host, "MQTT_PORT", port, "MQTT_USERNAME", "pi-7", "MQTT_PASSWORD", "x", "INTERVAL_SECONDS", "0.2"))
	if err != nil {
		t.Fatal(err)
	}
	defer runSimulated(t, cfg)()
	expect := func(what, part string) {
		t.Helper()
		for limit := time.After(20 * time.Second); ; {
			select {
			case m := <-in:
				if strings.Contains(string(m.Payload), "forged") {
					t.Fatal("a device spoke for another")
				}
				if strings.Contains(string(m.Payload), part) {
					return
				}
			case <-limit:
				t.Fatalf("waited 20 s for %s", what)
			}
		}
	}
	expect("values", "temperature_celsius")
	_ = foreign.Publish(t.Context(), mqtt.Message{Topic: olderTopic + "values", Payload: []byte("forged")}) // acknowledged, and not delivered
	for _, topic := range []string{olderTopic + "request", "iot-projekt/device/broadcast/control"} {
		if err := older.Publish(t.Context(), mqtt.Message{Topic: topic, Payload: []byte(`{"command":"get_config","key":"measurement:interval"}`)}); err != nil {
			t.Fatal(err)
		}
		expect("the answer to "+topic, `"get_config"`)
	}
	if len(heard) > 0 {
		t.Errorf("a device heard another's: %s", (<-heard).Topic)
	}
}
