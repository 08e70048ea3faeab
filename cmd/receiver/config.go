package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/mqtt"
	"holdfast/receiver"
)

// Config is what flags and variables say. A flag goes before its variable.
type Config struct {
	Data     string // folder of the database, and of the broker's store
	Listen   string // address of API and pages
	Public   string // "yes" allows Listen to be one that others can reach
	Instance string // names this receiver on its broker
	LogLevel string

	BrokerListen string // address of the broker inside, where MQTTHost is empty
	BrokerPublic string // where devices find the broker: host[:port], and further names of the host behind commas
	NewDevices   string // what becomes of a device that nobody registered
	MQTTHost     string // the operator's broker
	MQTTPort     string
	MQTTUsername string
	MQTTPassword string
	MQTTTLS      string // "true" for TLS
	MQTTCA       string // file of the authorities to trust; empty for the system's
	TopicPrefix  string
}

// a setting is one flag and one variable.
type setting struct {
	flag, variable, fallback, about string
	to                              func(*Config) *string
}

func settings() []setting {
	return []setting{
		{"data", "RECEIVER_DATA", "data", "folder of the database and of the broker's store", func(c *Config) *string { return &c.Data }},
		{"listen", "RECEIVER_LISTEN", "127.0.0.1:8090", "address of API and pages", func(c *Config) *string { return &c.Listen }},
		{"allow-public", "RECEIVER_ALLOW_PUBLIC", "no", "yes lets --listen be reachable for others: there is no log-in yet", func(c *Config) *string { return &c.Public }},
		{"instance", "RECEIVER_INSTANCE", instance(), "name of this receiver on its broker", func(c *Config) *string { return &c.Instance }},
		{"log-level", "RECEIVER_LOG_LEVEL", "info", "debug, info, warn or error", func(c *Config) *string { return &c.LogLevel }},
		{"mqtt-listen", "RECEIVER_MQTT_LISTEN", "127.0.0.1:18830", "address of the broker inside; beyond loopback it needs --mqtt-public", func(c *Config) *string { return &c.BrokerListen }},
		{"mqtt-public", "RECEIVER_MQTT_PUBLIC", "", "host[:port] where devices find the broker, further names behind commas; the broker inside then speaks TLS", func(c *Config) *string { return &c.BrokerPublic }},
		{"new-devices", "RECEIVER_NEW_DEVICES", string(receiver.HoldNew), "a device that nobody registered is active, pending (keeps its data until activated) or refuse", func(c *Config) *string { return &c.NewDevices }},
		{"mqtt-host", "MQTT_HOST", "", "a broker of your own, in place of the one inside", func(c *Config) *string { return &c.MQTTHost }},
		{"mqtt-port", "MQTT_PORT", "", "its port; default 1883, with TLS 8883", func(c *Config) *string { return &c.MQTTPort }},
		{"mqtt-username", "MQTT_USERNAME", "", "its user", func(c *Config) *string { return &c.MQTTUsername }},
		{"mqtt-password", "MQTT_PASSWORD", "", "the user's password; better as a variable, flags can be seen by others", func(c *Config) *string { return &c.MQTTPassword }},
		{"mqtt-tls", "MQTT_TLS_ENABLE", "false", "true for TLS to that broker", func(c *Config) *string { return &c.MQTTTLS }},
		{"mqtt-tls-ca", "MQTT_TLS_CA_CERTS", "", "file of the authorities to trust; default the system's", func(c *Config) *string { return &c.MQTTCA }},
		{"topic-prefix", "TOPIC_PREFIX", "", "stands before every topic", func(c *Config) *string { return &c.TopicPrefix }},
	}
}

// loadConfig reads variables and then flags, and returns what is left of the arguments. Its errors say all mistakes at once.
// A subcommand adds flags of its own with more. Flags may stand behind arguments too.
func loadConfig(args []string, getenv func(string) string, more ...func(*flag.FlagSet)) (Config, []string, error) {
	var cfg Config
	flags := cli.NewFlags("")
	for _, s := range settings() {
		value := s.fallback
		if v := getenv(s.variable); v != "" {
			value = v
		}
		about := s.about + " (" + s.variable + ")"
		flags.StringVar(s.to(&cfg), s.flag, value, about)
		if s.variable == "MQTT_PASSWORD" {
			flags.Lookup(s.flag).DefValue = "" // -h does not print it
		}
	}
	for _, add := range more {
		add(flags)
	}
	rest, err := cli.Mixed(flags, args)
	if err != nil {
		return cfg, nil, err
	}
	if err := cfg.check(); err != nil {
		return cfg, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return cfg, rest, nil
}

func (c *Config) check() error {
	var mistakes []error
	mistakes = append(mistakes, c.checkListen(), c.checkBroker())
	if err := receiver.NewDevices(c.NewDevices).Validate(); err != nil {
		mistakes = append(mistakes, fmt.Errorf("RECEIVER_NEW_DEVICES: %w", err))
	}
	if holdfast.CheckDevice(c.Instance) != nil {
		mistakes = append(mistakes, fmt.Errorf("RECEIVER_INSTANCE %q: want 1 to 64 of A-Z a-z 0-9 _ -", c.Instance))
	}
	if _, err := c.level(); err != nil {
		mistakes = append(mistakes, fmt.Errorf("RECEIVER_LOG_LEVEL %q: want debug, info, warn or error", c.LogLevel))
	}
	if n, err := strconv.Atoi(c.MQTTPort); c.MQTTPort != "" && (err != nil || n < 1 || n > 65535) {
		mistakes = append(mistakes, fmt.Errorf("MQTT_PORT %q: want 1 to 65535", c.MQTTPort))
	}
	if _, err := strconv.ParseBool(c.MQTTTLS); err != nil {
		mistakes = append(mistakes, fmt.Errorf("MQTT_TLS_ENABLE %q: want true or false", c.MQTTTLS))
	}
	if strings.ContainsAny(c.TopicPrefix, "+#\x00") {
		mistakes = append(mistakes, fmt.Errorf("TOPIC_PREFIX %q: none of + # NUL may be in it", c.TopicPrefix))
	}
	return errors.Join(mistakes...)
}

// checkListen refuses an address that others can reach, unless the operator says that he knows.
func (c *Config) checkListen() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("RECEIVER_LISTEN %q: want host:port", c.Listen)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() || c.Public == "yes" {
		return nil
	}
	return fmt.Errorf("RECEIVER_LISTEN %q: API and pages have no log-in yet, so anybody who reaches this address could read everything: "+
		"want 127.0.0.1:port behind a proxy that has one, or RECEIVER_ALLOW_PUBLIC=yes", c.Listen)
}

func (c *Config) level() (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(c.LogLevel))
	return level, err
}

// database is the path of the database.
func (c *Config) database() string { return filepath.Join(c.Data, "receiver.db") }

// ca is the folder of the authority that signs for the broker inside.
func (c *Config) ca() string { return filepath.Join(c.Data, "ca") }

// link says how the operator's broker is reached.
func (c *Config) link() (mqtt.Options, error) {
	o := mqtt.Options{Username: c.MQTTUsername, Password: c.MQTTPassword}
	scheme, port := "tcp", c.defaultPort()
	if secure, _ := strconv.ParseBool(c.MQTTTLS); secure {
		scheme = "ssl"
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.MQTTPort != "" {
		port = c.MQTTPort
	}
	o.Broker = scheme + "://" + net.JoinHostPort(c.MQTTHost, port)
	if o.TLS == nil || c.MQTTCA == "" {
		return o, nil
	}
	pem, err := os.ReadFile(c.MQTTCA)
	if err != nil {
		return o, fmt.Errorf("MQTT_TLS_CA_CERTS: %w", err)
	}
	o.TLS.RootCAs = x509.NewCertPool()
	if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return o, fmt.Errorf("MQTT_TLS_CA_CERTS %s: want certificates in PEM", c.MQTTCA)
	}
	return o, nil
}

// defaultPort is the port of the operator's broker where none is said.
func (c *Config) defaultPort() string {
	if secure, _ := strconv.ParseBool(c.MQTTTLS); secure {
		return "8883"
	}
	return "1883"
}

// instance is the host's name, as far as it can be in a topic.
func instance() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "receiver"
	}
	name = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
	return name[:min(len(name), 64)]
}
