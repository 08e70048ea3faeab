package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// load reads certificates and keys. With an error it returns a configuration that trusts nothing, so that a mistake opens no
// door.
func (c TLSConfig) load() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.Insecure}
	var mistakes []error
	switch {
	case c.CAs != "":
		config.RootCAs = x509.NewCertPool()
		text, err := material("mqtt.tls_ca_certs", c.CAs)
		if err == nil && !config.RootCAs.AppendCertsFromPEM(text) {
			err = errors.New("mqtt.tls_ca_certs: no certificate in PEM")
		}
		mistakes = append(mistakes, err)
	case len(c.Authorities) > 0:
		config.RootCAs = x509.NewCertPool()
		for _, der := range c.Authorities {
			authority, err := x509.ParseCertificate(der)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("holdfast.join: authority: %w", err))
				continue
			}
			config.RootCAs.AddCert(authority)
		}
	}
	if c.Certificate != "" || c.Key != "" {
		pair, err := c.pair()
		config.Certificates = []tls.Certificate{pair}
		mistakes = append(mistakes, err)
	}
	return config, errors.Join(mistakes...)
}

// renewing returns a function that reads certificates and keys anew, for each connection: what was renewed on disk holds
// from the next one on. Where something is wrong, what was right last holds; before that, a configuration that trusts nothing.
// tell is told what is wrong when that changes, and nil when all is right again.
func (c TLSConfig) renewing(tell func(error)) func() *tls.Config {
	var mu sync.Mutex
	var told string
	config, err := c.load()
	note := func(err error) {
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != told {
			told = text
			tell(err)
		}
	}
	note(err)
	return func() *tls.Config {
		mu.Lock()
		defer mu.Unlock()
		fresh, err := c.load()
		note(err)
		if err == nil {
			config = fresh
		}
		return config
	}
}

const tlsMistake = "TLS is not set up as configured; what was right last, if anything was, holds"

// tellTLS tells a person of mistakes in certificates, by log and page.
func (g *gateway) tellTLS(err error) {
	g.notices.removeAll(tlsMistake)
	if err == nil {
		g.log.Info("TLS is set up as configured again")
		return
	}
	g.notices.add(tlsMistake + ": " + err.Error())
	g.log.Error(tlsMistake, "err", err)
}

func (c TLSConfig) pair() (tls.Certificate, error) {
	certificate, err := material("mqtt.tls_certfile", c.Certificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := material("mqtt.tls_keyfile", c.Key)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("mqtt.tls_certfile, mqtt.tls_keyfile: %w", err)
	}
	return pair, nil
}

// pemBegin is how every PEM begins, and maxFileName bounds what can be a file's name: what is longer is text, which may be a
// key, and errors must not quote it.
const (
	pemBegin    = "-----BEGIN "
	maxFileName = 255
)

// material returns the PEM that value is, holds in base64, or names the file of: on balena there are variables and no files.
// In a variable the ends of lines may have become \n.
func material(path, value string) ([]byte, error) {
	if strings.Contains(value, pemBegin) {
		return []byte(strings.ReplaceAll(value, `\n`, "\n")), nil
	}
	if text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), "")); err == nil && bytes.Contains(text, []byte(pemBegin)) {
		return text, nil
	}
	if value == "" {
		return nil, fmt.Errorf("%s is missing: certificate and key belong together", path)
	}
	if len(value) > maxFileName || strings.ContainsAny(value, "\n\x00") {
		return nil, fmt.Errorf("%s: neither PEM, nor PEM in base64, nor a file's name", path)
	}
	text, err := os.ReadFile(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}
