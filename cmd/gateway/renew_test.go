package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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

// A broker that asks for certificates takes those of its authority, refuses others with a reason, and what is renewed on disk
// holds from the next connection on. A broken renewal changes nothing.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours, theirs := newIssuer(t, dir, "ours"), newIssuer(t, dir, "theirs")
	serverCert, serverKey := ours.issue(t, "broker")
	broker := testenv.Mosquitto(t, "cafile "+ours.file, "certfile "+serverCert, "keyfile "+serverKey, "require_certificate true", "use_identity_as_username true")

	cas, cert, key := filepath.Join(dir, "cas.pem"), filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	install := func(i *issuer) {
		from, fromKey := i.issue(t, "pi-7")
		replace(t, cert, from)
		replace(t, key, fromKey)
	}
	var told []string
	fresh := TLSConfig{CAs: cas, Certificate: cert, Key: key}.renewing(func(err error) {
		if err == nil {
			told = append(told, "right")
			return
		}
		told = append(told, err.Error())
	})
	connect := func(what string, reasons ...string) {
		t.Helper()
		conn, err := mqtt.Connect(t.Context(), mqtt.Options{Broker: "ssl://" + broker.Addr, ClientID: "pi-7", CleanSession: true, FreshTLS: fresh})
		if err == nil {
			conn.Close(t.Context())
		}
		if len(reasons) == 0 && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for _, reason := range reasons {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: %v, want %q", what, err, reason)
			}
		}
	}

	connect("without any file", "certificate")
	replace(t, cas, theirs.file)
	install(ours)
	connect("a broker of another authority", "tls: failed to verify certificate: x509: certificate signed by unknown authority")
	replace(t, cas, ours.file)
	connect("authority replaced")
	install(theirs)
	connect("a certificate of another authority", "remote error: tls: unknown certificate authority")
	install(ours)
	connect("renewed")
	if err := os.WriteFile(cert, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	connect("a broken renewal: the last one holds")
	connect("and is told once")
	install(ours)
	connect("mended")
	want := []string{"no such file", "right", "mqtt.tls_certfile", "right"}
	if len(told) != len(want) {
		t.Fatalf("told %q", told)
	}
	for i := range want {
		if !strings.Contains(told[i], want[i]) {
			t.Errorf("told %q, want %q", told[i], want[i])
		}
	}

	none := TLSConfig{CAs: cas}.renewing(func(error) {})
	_, err := mqtt.Connect(t.Context(), mqtt.Options{Broker: "ssl://" + broker.Addr, ClientID: "pi-7", CleanSession: true, FreshTLS: none})
	if err == nil || !strings.Contains(err.Error(), "tls: certificate required") {
		t.Errorf("without a certificate: %v", err)
	}
}

// A link holds certificates as text, and what is renewed on disk holds for it all the same; other text stays.
func TestLinkFollowsRenewedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours, theirs := newIssuer(t, dir, "ours"), newIssuer(t, dir, "theirs")
	certificate, key := ours.issue(t, "pi-7")
	cfg := Config{TLS: TLSConfig{Enable: true, CAs: ours.file, Certificate: certificate, Key: key}}
	l := cfg.link()
	if !strings.Contains(l.TLS.CAs, pemBegin) || !strings.Contains(l.TLS.Key, pemBegin) {
		t.Fatalf("a link names files: %+v", l.TLS)
	}
	if followed := cfg.files(l.TLS); followed.CAs != ours.file || followed.Certificate != certificate || followed.Key != key {
		t.Errorf("does not follow the files: %+v", followed)
	}
	text, err := os.ReadFile(theirs.file)
	if err != nil {
		t.Fatal(err)
	}
	l.TLS.CAs = string(text)
	if followed := cfg.files(l.TLS); followed.CAs != string(text) || followed.Certificate != certificate {
		t.Errorf("authorities of another broker: %+v", followed)
	}
}

// An issuer is an authority of a test.
type issuer struct {
	dir, name, file string
	certificate     *x509.Certificate
	key             *ecdsa.PrivateKey
	serial          int64
}

func newIssuer(t *testing.T, dir, name string) *issuer {
	t.Helper()
	i := &issuer{dir: dir, name: name}
	template := i.template(name)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	i.file, _ = i.make(t, template)
	return i
}

// issue makes a certificate for 127.0.0.1 in that name, and returns the files of it and of its key.
func (i *issuer) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	return i.make(t, i.template(name))
}

func (i *issuer) template(name string) *x509.Certificate {
	i.serial++
	return &x509.Certificate{
		SerialNumber: big.NewInt(i.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

func (i *issuer) make(t *testing.T, template *x509.Certificate) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if i.certificate == nil { // its own
		i.certificate, i.key = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.certificate, private.Public(), i.key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(i.dir, i.name+"-"+template.SerialNumber.String())
	for file, block := range map[string]*pem.Block{base + ".pem": {Type: "CERTIFICATE", Bytes: der}, base + ".key": {Type: "PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return base + ".pem", base + ".key"
}

// replace puts a copy of a file in the place of another.
func replace(t *testing.T, path, by string) {
	t.Helper()
	text, err := os.ReadFile(by)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
