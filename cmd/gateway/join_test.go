package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

func joinString(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/join.txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// One variable says everything; so does the same key in a file.
func TestJoin(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte("holdfast:\n  join: "+joinString(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file      string
		variables []string
	}{{"", []string{"HOLDFAST_JOIN", joinString(t)}}, {file, nil}} {
		cfg, err := loadConfig(c.file, variables(c.variables...))
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Device != "pi-7" || cfg.MQTTHost != "broker.example.org" || cfg.MQTTPort != 8883 || cfg.MQTTUsername != "pi-7" ||
			cfg.MQTTPassword != "correct-horse-battery-staple" || cfg.Ack != holdfast.AckReceipt || cfg.TopicPrefix != "plant" ||
			cfg.Join.Store.String() != "c41d00000000000000000000000000ff" || !cfg.TLS.Enable || cfg.TLS.Insecure {
			t.Errorf("got %+v", cfg)
		}
		authority, err := x509.ParseCertificate(cfg.Join.CA[0])
		if err != nil {
			t.Fatal(err)
		}
		alone := x509.NewCertPool()
		alone.AddCert(authority)
		if config, err := cfg.TLS.load(); err != nil || !alone.Equal(config.RootCAs) {
			t.Errorf("the authority is not the only one: %v", err)
		}
	}
}

// What is set beside the join string goes before its part, wherever it stands, and also where it says the default.
func TestJoinGivesWay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte("mqtt: {port: 1883, tls_enable: false}\ndevice: {id: other}"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig(file, variables("HOLDFAST_JOIN", joinString(t), "MQTT_HOST", "127.0.0.1", "MQTT_ACK", "puback"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.MQTTHost != "127.0.0.1" || cfg.MQTTPort != 1883 || cfg.TLS.Enable || cfg.Device != "other" || cfg.Ack != holdfast.AckPuback || cfg.MQTTUsername != "pi-7" {
		t.Errorf("got %+v", cfg)
	}
}

// What is told of the configuration holds: what the join string says, and what goes before it, each with where it is from.
func TestJoinIsTold(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig("", variables("HOLDFAST_JOIN", joinString(t), "MQTT_PORT", "1883"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []ConfigValue{
		{"holdfast.join", concealed, "variable HOLDFAST_JOIN"}, {"device.id", "pi-7", "join"}, {"mqtt.host", "broker.example.org", "join"},
		{"mqtt.port", "1883", "variable MQTT_PORT"}, {"mqtt.username", "pi-7", "join"}, {"mqtt.password", concealed, "join"},
		{"mqtt.ack", "receipt", "join"}, {"mqtt.store", "c41d00000000000000000000000000ff", "join"}, {"mqtt.tls_enable", "true", "join"},
		{"mqtt.tls_ca_certs", "(1 certificate)", "join"}, {"topic.prefix", "plant", "join"}, {"mqtt.keepalive_seconds", "30", "default"},
	} {
		if !slices.Contains(cfg.Values, want) {
			t.Errorf("no %+v in %+v", want, cfg.Values)
		}
	}
	if cfg, _ = loadConfig("", variables("HOLDFAST_JOIN", "x")); !slices.Contains(cfg.Values, ConfigValue{"mqtt.host", "", "default"}) {
		t.Errorf("with a join string that is wrong: %+v", cfg.Values)
	}
}

// A broken join string is one mistake among others: the rest holds, and the message holds nothing of it.
func TestBrokenJoin(t *testing.T) {
	t.Parallel()
	whole := strings.TrimSpace(joinString(t))
	for _, broken := range []string{"x", whole[:300], whole + "=="} {
		cfg, err := loadConfig("", variables("HOLDFAST_JOIN", broken, "MQTT_HOST", "broker", "SAMPLING_INTERVAL", "5"))
		if err == nil || !strings.Contains(err.Error(), "variable HOLDFAST_JOIN: invalid join string: ") || strings.Contains(err.Error(), broken[:1]+whole[11:20]) {
			t.Errorf("error %v", err)
		}
		if cfg.MQTTHost != "broker" || cfg.MQTTPort != 1883 || cfg.Interval.Seconds() != 5 || cfg.Join != nil || cfg.MQTTPassword != "" {
			t.Errorf("got %+v", cfg)
		}
	}
}

// Certificates and keys may be files, PEM, PEM whose ends of lines are \n, or PEM in base64: on balena there are no files.
func TestInlinePEM(t *testing.T) {
	t.Parallel()
	certFile, keyFile := certificate(t)
	broker := testenv.Mosquitto(t, "certfile "+certFile, "keyfile "+keyFile, "cafile "+certFile, "require_certificate true")
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	forms := map[string]func(file string) string{
		"file": func(file string) string { return file },
		"PEM":  read,
		"\\n":  func(file string) string { return strings.ReplaceAll(read(file), "\n", `\n`) },
		"base64": func(file string) string {
			return base64.StdEncoding.EncodeToString([]byte(read(file)))
		},
		"base64 in lines": func(file string) string {
			text := base64.StdEncoding.EncodeToString([]byte(read(file)))
			return text[:60] + "\n" + text[60:] + "\n"
		},
	}
	for name, form := range forms {
		cfg, err := loadConfig("", variables("MQTT_TLS_CA_CERTS", form(certFile), "MQTT_TLS_CERTFILE", form(certFile), "MQTT_TLS_KEYFILE", form(keyFile)))
		if err != nil {
			t.Fatal(err)
		}
		config, err := cfg.TLS.load()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		conn, err := mqtt.Connect(t.Context(), mqtt.Options{Broker: "ssl://" + broker.Addr, ClientID: "pi-7", CleanSession: true, TLS: config})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		conn.Close(t.Context())
	}
	// What is none of them is an error that does not quote it: it may be a key.
	key := base64.StdEncoding.EncodeToString([]byte(read(keyFile)))
	for _, broken := range []string{key[:len(key)-3], "-----BEGIN PRIVATE KEY-----\n" + key, read(keyFile)[:80], strings.Repeat(key, 2)} {
		_, err := TLSConfig{Certificate: certFile, Key: broken}.load()
		if err == nil || !strings.Contains(err.Error(), "mqtt.tls_keyfile") || strings.Contains(err.Error(), key[60:70]) {
			t.Errorf("error %v", err)
		}
	}
	if _, err := (TLSConfig{Certificate: certFile}).load(); err == nil || !strings.Contains(err.Error(), "mqtt.tls_keyfile is missing") {
		t.Errorf("a certificate without its key: %v", err)
	}
	block, _ := pem.Decode([]byte(read(certFile)))
	config, err := TLSConfig{Authorities: [][]byte{block.Bytes}}.load()
	if err != nil || config.RootCAs == nil {
		t.Errorf("authorities of a join string: %v", err)
	}
	if _, err := (TLSConfig{Authorities: [][]byte{bytes.Repeat([]byte{1}, 9)}}).load(); err == nil {
		t.Error("no error for an authority that is none")
	}
}
