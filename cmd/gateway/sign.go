package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"

	"holdfast"
)

// commandKeys reads the configuration's list of keys. A list with a mistake opens no door: no command is taken then.
func commandKeys(cfg *Config, value string) error {
	nobodys, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	cfg.CommandKeys = []ed25519.PublicKey{nobodys}
	var keys []ed25519.PublicKey
	for text := range strings.SplitSeq(value, ",") {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || len(key) != ed25519.PublicKeySize {
			return fmt.Errorf("%.80q: want the 32 bytes of an Ed25519 public key in base64", text)
		}
		keys = append(keys, key)
	}
	cfg.CommandKeys = keys
	return nil
}

// sign signs a command for a device with the private key in a PEM file, as `openssl genpkey -algorithm ed25519` makes it.
func sign(command *holdfast.Command, device, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("%s holds no key in PEM", file)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return fmt.Errorf("%s: want an Ed25519 private key in PKCS #8", file)
	}
	command.To = device
	signed := holdfast.SigningText(device, command.ID, command.Name, command.Expires.Format(time.RFC3339Nano), command.From, command.Args)
	command.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, signed))
	return nil
}
