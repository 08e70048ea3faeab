package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strconv"

	"holdfast"
)

// A link is where this gateway sends, and whom it trusts there. Its JSON is kept in the buffer file and holds secrets.
type link struct {
	Host     string          `json:"host"` // empty: nothing is sent
	Port     int             `json:"port"`
	TLS      TLSConfig       `json:"tls"` // with certificates instead of the names of their files
	Username string          `json:"username,omitempty"`
	Password string          `json:"password,omitempty"`
	Pin      holdfast.Stream `json:"pin,omitzero"`   // the only database to obey
	Store    holdfast.Stream `json:"store,omitzero"` // that of the join string: to be bound to, once
}

// link returns the link that the configuration describes. Another certificate in a file of the same name makes another link.
func (c *Config) link() link {
	l := link{Host: c.MQTTHost, Port: c.MQTTPort, TLS: c.TLS, Username: c.MQTTUsername, Password: c.MQTTPassword, Pin: c.Store}
	if c.Join != nil {
		l.Store = c.Join.Store
	}
	for path, value := range l.TLS.materials() {
		if text, err := material(path, *value); err == nil { // with an error it keeps the name, and nobody is trusted
			*value = string(text)
		}
	}
	return l
}

// materials returns what may be text or the name of a file, by its key.
func (c *TLSConfig) materials() map[string]*string {
	return map[string]*string{"mqtt.tls_ca_certs": &c.CAs, "mqtt.tls_certfile": &c.Certificate, "mqtt.tls_keyfile": &c.Key}
}

// files returns t with the names of configured files in place of what these hold now, so that what is renewed there holds for
// t too.
func (c *Config) files(t TLSConfig) TLSConfig {
	own := c.TLS
	names := own.materials()
	for path, value := range t.materials() {
		if text, err := material(path, *names[path]); err == nil && string(text) == *value {
			*value = *names[path]
		}
	}
	return t
}

// with returns the configuration with another link in place of its own.
func (c Config) with(l link) Config {
	c.MQTTHost, c.MQTTPort, c.TLS, c.MQTTUsername, c.MQTTPassword = l.Host, l.Port, l.TLS, l.Username, l.Password
	return c
}

// linkOf returns the link that a value of the setting uplink.broker describes. The device's own certificate, and the database
// that MQTT_STORE names, hold for every broker; that a certificate is not to be checked holds for none but the configured one.
func (c *Config) linkOf(value json.RawMessage, device string) (link, error) {
	b, err := holdfast.ParseBroker(value)
	if err != nil {
		return link{}, err
	}
	own := c.link()
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w %s: %s", holdfast.ErrInvalid, holdfast.SettingBroker, fmt.Sprintf(format, args...))
	}
	l := link{
		Host: b.Host, Port: b.Port, Username: b.Username, Password: b.Password, Pin: c.Store,
		TLS: TLSConfig{Enable: b.TLS, CAs: b.CA, Certificate: own.TLS.Certificate, Key: own.TLS.Key},
	}
	switch {
	case b == holdfast.Broker{}:
		return own, nil
	case b.Join != "":
		j, err := holdfast.ParseJoin(b.Join)
		if err != nil {
			return link{}, err
		}
		switch {
		case j.Device != device:
			return link{}, wrong("join: is that of device %s, and this is %s", j.Device, device)
		case j.Prefix != c.TopicPrefix:
			return link{}, wrong("join: topic prefix %q: this device runs with %q, which is configuration", j.Prefix, c.TopicPrefix)
		case !c.Store.IsZero() && j.Store != c.Store:
			return link{}, wrong("join: database %s, and MQTT_STORE allows %s only", j.Store, c.Store)
		}
		l.Host, l.Port, l.Username, l.Password, l.Store = j.Host, j.Port, j.Device, string(j.Secret), j.Store
		l.TLS.Enable, l.TLS.Authorities = j.TLS, j.CA
	}
	if there := c.with(l); there.refused() {
		return link{}, wrong(`host: %s is public, and without TLS everybody on the way could read readings and password and write commands: want "tls":true, `+
			"or MQTT_PLAIN_PUBLIC=true on the device to take that", l.Host)
	}
	return l, nil
}

// same reports whether both are one link.
func (l link) same(other link) bool {
	a, err := json.Marshal(l)
	b, failed := json.Marshal(other)
	return err == nil && failed == nil && bytes.Equal(a, b)
}

// String says where the link goes, without secrets.
func (l link) String() string {
	if l.Host == "" {
		return "no broker"
	}
	scheme, as := "mqtt", ""
	if l.TLS.Enable {
		scheme = "mqtts"
	}
	if l.Username != "" {
		as = " as " + l.Username
	}
	return scheme + "://" + net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) + as
}
