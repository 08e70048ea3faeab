// Package ca is the receiver's own certificate authority, made when it is first needed, in a folder of the data: so that
// devices reach the embedded broker over TLS without anybody buying or copying a certificate. Join strings carry its
// certificate, and a device trusts that one and no other.
//
//	ca.pem    the authority's certificate, valid for 20 years; anybody may have it
//	ca.key    its key, mode 0600; whoever has it can pretend to be the receiver
//
// The broker's own certificate is not kept. A running receiver makes one for the names that it is asked for, valid for a
// year, and the next when the end comes near; so other names need a restart and nothing else. Whoever deletes the folder
// must give every device a new join string.
package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	authorityYears = 20
	// early is how long before its making a certificate is valid already: a device's clock may be late.
	early = 48 * time.Hour
)

// An Authority signs the broker's certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Open returns the authority in dir and makes it where there is none. Several processes may do so at once.
func Open(dir string, now time.Time) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("certificate authority: lock: %w", err)
	}
	a, err := load(dir)
	if errors.Is(err, os.ErrNotExist) {
		if a, err = create(now); err == nil {
			err = a.save(dir)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority in %s: %w", dir, err)
	}
	return a, nil
}

// load reads the authority. The error is os.ErrNotExist where there is no certificate: then no device trusts it yet. One
// whose key is gone is for a person to look at.
func load(dir string) (*Authority, error) {
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	keyText, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, fmt.Errorf("ca.pem is there and its key cannot be read: %s", err) // not %w: it must not look like no authority
	}
	block, _ := pem.Decode(text)
	keyBlock, _ := pem.Decode(keyText)
	if block == nil || keyBlock == nil {
		return nil, errors.New("ca.pem or ca.key holds no PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("ca.pem: %w", err)
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, errors.New("ca.key: want an EC private key") // the error may quote it
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, errors.New("ca.key does not belong to ca.pem")
	}
	return &Authority{certificate, key}, nil
}

func create(now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Holdfast receiver CA"},
		NotBefore: now.Add(-early), NotAfter: now.AddDate(authorityYears, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Authority{certificate, key}, nil
}

// save writes the key first: a certificate without one would be handed to devices.
func (a *Authority) save(dir string) error {
	der, err := x509.MarshalECPrivateKey(a.key)
	if err != nil {
		return err
	}
	if err := write(dir, "ca.key", 0o600, "EC PRIVATE KEY", der); err != nil {
		return err
	}
	return write(dir, "ca.pem", 0o644, "CERTIFICATE", a.certificate.Raw)
}

func write(dir, name string, mode os.FileMode, kind string, der []byte) error {
	file := filepath.Join(dir, name)
	half := file + ".new"
	f, err := os.OpenFile(half, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	err = errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(half, file)
}

func serial() *big.Int {
	bits := make([]byte, 16)
	rand.Read(bits)
	bits[0] &= 0x7f
	return new(big.Int).SetBytes(bits)
}

// Certificate is the authority's certificate in DER.
func (a *Authority) Certificate() []byte { return a.certificate.Raw }
