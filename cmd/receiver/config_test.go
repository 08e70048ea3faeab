package main

import (
	"errors"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		variables map[string]string
		args      []string
		want      string // in the error; "" for none
	}{
		{"nothing", nil, nil, ""},
		{"loopback by name", map[string]string{"RECEIVER_LISTEN": "localhost:0"}, nil, ""},
		{"every address", map[string]string{"RECEIVER_LISTEN": ":8090"}, nil, "RECEIVER_ALLOW_PUBLIC=yes"},
		{"every address, on purpose", map[string]string{"RECEIVER_LISTEN": ":8090", "RECEIVER_ALLOW_PUBLIC": "yes"}, nil, ""},
		{"a public address as a flag", nil, []string{"--listen", "192.0.2.1:80"}, "RECEIVER_LISTEN"},
		{"a flag goes before its variable", map[string]string{"RECEIVER_LISTEN": ":8090"}, []string{"--listen", "127.0.0.1:8090"}, ""},
		{"no port", map[string]string{"RECEIVER_LISTEN": "127.0.0.1"}, nil, "host:port"},
		{"a slash in the name", map[string]string{"RECEIVER_INSTANCE": "a/b"}, nil, "RECEIVER_INSTANCE"},
		{"a level", map[string]string{"RECEIVER_LOG_LEVEL": "loud"}, nil, "debug, info, warn or error"},
		{"a port", map[string]string{"MQTT_PORT": "123456"}, nil, "1 to 65535"},
		{"a wildcard", map[string]string{"TOPIC_PREFIX": "a/#"}, nil, "TOPIC_PREFIX"},
		{"all mistakes at once", map[string]string{"TOPIC_PREFIX": "+", "MQTT_PORT": "x"}, nil, "MQTT_PORT"},
		{"an unknown flag", nil, []string{"--nonsense"}, "nonsense"},
	} {
		_, _, err := loadConfig(test.args, func(name string) string { return test.variables[name] })
		if test.want == "" && err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if test.want != "" && (!errors.Is(err, errUsage) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want a usage error with %q", test.name, err, test.want)
		}
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]Config{
		"tcp://broker:1883": {MQTTHost: "broker", MQTTTLS: "false"},
		"ssl://broker:8883": {MQTTHost: "broker", MQTTTLS: "true"},
		"ssl://[::1]:1234":  {MQTTHost: "::1", MQTTTLS: "true", MQTTPort: "1234"},
	} {
		o, err := c.link()
		if err != nil || o.Broker != want || (o.TLS != nil) != strings.HasPrefix(want, "ssl") {
			t.Errorf("%+v: %s, %v, want %s", c, o.Broker, err, want)
		}
	}
	if _, err := (&Config{MQTTHost: "broker", MQTTTLS: "true", MQTTCA: "/does/not/exist"}).link(); err == nil {
		t.Error("no error for a file of authorities that is not there")
	}
}

// The name of the host always makes a name for the receiver.
func TestInstance(t *testing.T) {
	t.Parallel()
	cfg, _, err := loadConfig(nil, func(string) string { return "" })
	if err != nil || cfg.Instance == "" {
		t.Errorf("instance %q, %v", cfg.Instance, err)
	}
}
