package ca

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func authority(t *testing.T, dir string) *Authority {
	t.Helper()
	a, err := Open(dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// One folder has one authority, whoever opens it first, and its key is for nobody else to read.
func TestOneAuthority(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ca")
	var opened [8]*Authority
	var all sync.WaitGroup
	for i := range opened {
		all.Go(func() { opened[i], _ = Open(dir, noon) })
	}
	all.Wait()
	for _, a := range opened {
		if a == nil || string(a.Certificate()) != string(opened[0].Certificate()) {
			t.Fatal("several authorities, or none")
		}
	}
	if again := authority(t, dir); string(again.Certificate()) != string(opened[0].Certificate()) {
		t.Error("another authority after a restart")
	}
	for name, mode := range map[string]os.FileMode{"ca.key": 0o600, "ca.pem": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, mode)
		}
	}
	if years := opened[0].certificate.NotAfter.Sub(noon).Hours() / 24 / 365; years < 19.9 {
		t.Errorf("valid for %.1f years, want 20", years)
	}
}

// A certificate that devices trust is not replaced because its key is gone or damaged.
func TestDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(dir string) error{
		"no key":        func(dir string) error { return os.Remove(filepath.Join(dir, "ca.key")) },
		"a broken key":  func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.key"), []byte("x"), 0o600) },
		"a broken cert": func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600) },
		"another's key": func(dir string) error {
			other := t.TempDir()
			if _, err := Open(other, noon); err != nil {
				return err
			}
			return os.Rename(filepath.Join(other, "ca.key"), filepath.Join(dir, "ca.key"))
		},
	} {
		dir := t.TempDir()
		authority(t, dir)
		if err := damage(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, noon); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	dir := t.TempDir() // a power cut between the two files
	authority(t, dir)
	if err := os.Remove(filepath.Join(dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	authority(t, dir)
}

// A server's certificate holds for its names and for no other, and is renewed before its end.
func TestServer(t *testing.T) {
	t.Parallel()
	a := authority(t, t.TempDir())
	now := noon
	config, err := a.Server([]string{"broker.example.org", "192.0.2.7"}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	serves := func() *x509.Certificate {
		c, err := config.GetCertificate(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	first := serves()
	for name, ok := range map[string]bool{"broker.example.org": true, "192.0.2.7": true, "localhost": true, "127.0.0.1": true, "other.example.org": false} {
		_, err := first.Verify(x509.VerifyOptions{DNSName: name, Roots: a.Client().RootCAs, CurrentTime: now})
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := first.Verify(x509.VerifyOptions{Roots: authority(t, t.TempDir()).Client().RootCAs, CurrentTime: now}); err == nil {
		t.Error("another authority vouches for it")
	}
	now = noon.AddDate(0, 10, 0)
	if !serves().Equal(first) {
		t.Error("renewed after ten months")
	}
	now = noon.AddDate(0, 11, 20)
	second := serves()
	if second.Equal(first) || second.NotAfter.Before(now.AddDate(0, 11, 0)) {
		t.Errorf("not renewed ten days before its end: valid until %v", second.NotAfter)
	}
}
