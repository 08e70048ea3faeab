package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// own reports whether the broker is the one inside.
func (c *Config) own() bool { return c.MQTTHost == "" }

// secure reports whether the broker inside speaks TLS: wherever devices reach it from elsewhere.
func (c *Config) secure() bool { return c.own() && c.BrokerPublic != "" }

// checkBroker refuses addresses of the broker inside that nobody could join, or that would be open to others without TLS.
func (c *Config) checkBroker() error {
	if _, _, err := c.public(); err != nil {
		return err
	}
	if !c.own() || c.secure() {
		return nil
	}
	host, _, err := net.SplitHostPort(c.BrokerListen)
	if err != nil {
		return fmt.Errorf("RECEIVER_MQTT_LISTEN %q: want host:port", c.BrokerListen)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("RECEIVER_MQTT_LISTEN %q: beyond loopback the broker speaks TLS, and its certificate and the join strings need a name: "+
		"want RECEIVER_MQTT_PUBLIC=host, as devices find this machine", c.BrokerListen)
}

// public returns the names under which devices find the broker, the first for join strings, and the port, "" for the same
// as here. There are no names where nothing is set.
func (c *Config) public() (names []string, port string, err error) {
	if c.BrokerPublic == "" {
		return nil, "", nil
	}
	for i, text := range strings.Split(c.BrokerPublic, ",") {
		name := strings.TrimSpace(text)
		if host, p, err := net.SplitHostPort(name); err == nil && i == 0 {
			name, port = host, p
		}
		name = strings.Trim(name, "[]")
		if name == "" || net.ParseIP(name) == nil && strings.ContainsAny(name, ":/ \t") {
			return nil, "", fmt.Errorf("RECEIVER_MQTT_PUBLIC %q: want host or host:port, and further names of the host behind commas", c.BrokerPublic)
		}
		names = append(names, name)
	}
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) {
		return nil, "", fmt.Errorf("RECEIVER_MQTT_PUBLIC %q: port: want 1 to 65535", c.BrokerPublic)
	}
	return names, port, nil
}

// reached returns where devices find the broker.
func (c *Config) reached() (host string, port int, err error) {
	host, text := c.MQTTHost, c.MQTTPort
	if c.own() {
		if host, text, err = net.SplitHostPort(c.BrokerListen); err != nil {
			return "", 0, err
		}
	} else if text == "" {
		text = c.defaultPort()
	}
	names, public, err := c.public()
	if err != nil {
		return "", 0, err
	}
	if len(names) > 0 {
		host = names[0]
	}
	if public != "" {
		text = public
	}
	if port, err = strconv.Atoi(text); err != nil || port == 0 {
		return "", 0, fmt.Errorf("RECEIVER_MQTT_LISTEN %q: a join string needs a port that stays the same", c.BrokerListen)
	}
	return host, port, nil
}
