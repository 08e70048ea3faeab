package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"holdfast/sensors"
	"holdfast/uplink/profile"
)

// publicHost reports whether a broker of that name is reached across networks that anybody may listen in: an address that is
// not of a local network, or a name that is not one of a local network's.
func publicHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip := net.ParseIP(host); ip != nil {
		return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified()
	}
	if !strings.Contains(host, ".") {
		return false
	}
	for _, local := range []string{".local", ".lan", ".localdomain", ".internal", ".home.arpa", ".test", ".localhost"} {
		if strings.HasSuffix(host, local) {
			return false
		}
	}
	return true
}

// exposed reports whether readings and password would cross public networks in the clear.
func (c *Config) exposed() bool { return c.MQTTHost != "" && !c.TLS.Enable && publicHost(c.MQTTHost) }

// refused reports whether that keeps the gateway from sending anything.
func (c *Config) refused() bool { return c.exposed() && !c.PlainPublic && c.Profile != profileFlat }

const (
	plainRefused = "nothing is sent: %s is a public host, and without TLS everybody on the way could read readings and password and write commands; " +
		"want MQTT_TLS_ENABLE=true, or MQTT_PLAIN_PUBLIC=true to take that"
	plainBanner = "readings and commands cross public networks in the clear, to %s: everybody on the way can read them, and steer this device; want MQTT_TLS_ENABLE=true"
)

// refusal returns what a gateway would refuse of a configuration whose values are right, each for itself.
func (c *Config) refusal() error {
	var mistakes []error
	if c.refused() {
		mistakes = append(mistakes, fmt.Errorf(plainRefused, c.MQTTHost))
	}
	if c.Profile == profileFlat || c.Profile == profileBoth {
		_, err := c.olderTopics(profile.Names{DeviceUUID: "any"})
		mistakes = append(mistakes, err)
	}
	mistakes = append(mistakes, c.buttonMistake(busesHere("/dev")))
	return errors.Join(mistakes...)
}

// buttonMistake returns why no button can be where the configuration puts it, on a Pi with these I²C buses.
func (c *Config) buttonMistake(buses []int) error {
	if c.Button.Pin == "" {
		return nil
	}
	for _, s := range c.Sensors {
		buses = append(buses, s.Bus)
	}
	_, err := sensors.NewButton(sensors.ButtonOptions{
		Chip: c.Button.Chip, Line: c.Button.Pin, Pull: c.Button.Pull, Edge: c.Button.Edge, Debounce: c.Button.Bounce,
		Buses: buses, Press: func(string) {},
	})
	if err != nil {
		return fmt.Errorf("button.pin: %w", err)
	}
	return nil
}

// busesHere returns the numbers of this machine's I²C buses. One that has none is a desk: there the bus counts as in use that
// every Pi has on its header.
func busesHere(dev string) (numbers []int) {
	nodes, _ := filepath.Glob(filepath.Join(dev, "i2c-*")) // only a pattern can be wrong
	for _, node := range nodes {
		if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(node), "i2c-")); err == nil {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		return []int{1}
	}
	return numbers
}
