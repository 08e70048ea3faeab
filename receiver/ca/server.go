package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	serverYears = 1
	renewBefore = 30 * 24 * time.Hour
)

// Server returns the TLS configuration of a server that devices reach under names: DNS names and IP addresses. localhost and
// the loopback addresses are always among them. Its certificate is renewed while it runs, by the clock now.
func (a *Authority) Server(names []string, now func() time.Time) (*tls.Config, error) {
	s := &serving{authority: a, names: append([]string{"localhost", "127.0.0.1", "::1"}, names...), now: now}
	if _, err := s.certificate(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.certificate}, nil
}

// Client returns the TLS configuration of a client on the same machine: it trusts this authority and no other.
func (a *Authority) Client() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: "localhost"}
}

// serving keeps the certificate of a running server.
type serving struct {
	authority *Authority
	names     []string
	now       func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	ends    time.Time
}

func (s *serving) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.current != nil && now.Before(s.ends.Add(-renewBefore)) {
		return s.current, nil
	}
	made, ends, err := s.authority.sign(s.names, now)
	if err != nil {
		return nil, fmt.Errorf("certificate of the broker: %w", err)
	}
	s.current, s.ends = made, ends
	return made, nil
}

func (a *Authority) sign(names []string, now time.Time) (*tls.Certificate, time.Time, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, time.Time{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Holdfast receiver"},
		NotBefore: now.Add(-early), NotAfter: now.AddDate(serverYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, time.Time{}, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, template.NotAfter, nil
}
