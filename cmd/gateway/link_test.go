package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

// A broker whose certificate the configured authority signed is trusted; without that authority it is not.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	broker := testenv.Mosquitto(t, "certfile "+cert, "keyfile "+key)
	connect := func(c TLSConfig) error {
		config, err := c.load()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := mqtt.Connect(t.Context(), mqtt.Options{Broker: "ssl://" + broker.Addr, ClientID: "pi-7", CleanSession: true, TLS: config})
		if err == nil {
			conn.Close(t.Context())
		}
		return err
	}
	if err := connect(TLSConfig{CAs: cert}); err != nil {
		t.Errorf("with its authority: %v", err)
	}
	if connect(TLSConfig{}) == nil {
		t.Error("a broker that nobody vouches for is trusted")
	}
	if err := connect(TLSConfig{Insecure: true}); err != nil {
		t.Errorf("without checking: %v", err)
	}
}

// A mistake opens no door: what is returned beside the error trusts nobody.
func TestTLSMistakes(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".missing"} {
		config, err := TLSConfig{CAs: file}.load()
		if err == nil || config.RootCAs == nil || config.InsecureSkipVerify {
			t.Errorf("%s: %v, roots %v", file, err, config.RootCAs)
		}
	}
}

// certificate makes a certificate for 127.0.0.1 that is its own authority, and returns the files of it and of its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret)
}

// A public broker is not spoken to in the clear, unless somebody says so, or it is the older system's profile, which had
// nothing else.
func TestPlainToPublicHosts(t *testing.T) {
	t.Parallel()
	for host, public := range map[string]bool{
		"localhost": false, "broker": false, "broker.local": false, "pi.fritz.lan": false, "127.0.0.1": false, "192.168.1.7": false, "10.1.2.3": false,
		"fd00::1": false, "fe80::1": false, "::1": false, "172.16.0.1": false,
		"test.mosquitto.org": true, "Broker.Example.COM.": true, "8.8.8.8": true, "172.32.0.1": true, "2001:db8::1": true,
	} {
		if got := publicHost(host); got != public {
			t.Errorf("%s is public: %v, want %v", host, got, public)
		}
	}
	for _, test := range []struct {
		variables []string
		broker    string
		notice    string
	}{
		{[]string{"MQTT_HOST", "mqtt.example.org"}, "", "nothing is sent"},
		{[]string{"MQTT_HOST", "mqtt.example.org", "MQTT_PROFILE", "native+flat"}, "", "nothing is sent"},
		{[]string{"MQTT_HOST", "mqtt.example.org", "MQTT_PROFILE", "flat"}, "tcp://mqtt.example.org:1883", "in the clear"},
		{[]string{"MQTT_HOST", "mqtt.example.org", "MQTT_PLAIN_PUBLIC", "yes"}, "tcp://mqtt.example.org:1883", "in the clear"},
		{[]string{"MQTT_HOST", "mqtt.example.org", "MQTT_TLS_ENABLE", "yes", "MQTT_PORT", "8883"}, "ssl://mqtt.example.org:8883", ""},
		{[]string{"MQTT_HOST", "broker.lan"}, "tcp://broker.lan:1883", ""},
	} {
		cfg, err := loadConfig("", variables(test.variables...))
		if err != nil {
			t.Fatal(err)
		}
		g := &gateway{cfg: cfg, log: slog.New(slog.DiscardHandler), notices: new(notices)}
		broker, said := g.broker(cfg.link()).Broker, strings.Join(g.notices.all(), "; ")
		if broker != test.broker || test.notice == "" && said != "" || !strings.Contains(said, test.notice) {
			t.Errorf("%v: broker %q and %q, want %q and %q", test.variables, broker, said, test.broker, test.notice)
		}
	}
}
