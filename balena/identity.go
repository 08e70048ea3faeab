package balena

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"holdfast"
)

// IdentityOptions say where to look for an id.
type IdentityOptions struct {
	Configured string              // what the configuration says; empty: nothing
	Folder     string              // keeps the random id, in the file device-id; it is created
	Root       string              // of the file system that has /proc; default "/"
	Getenv     func(string) string // default os.Getenv
}

// A Source says where an id comes from.
type Source string

const (
	SourceConfig Source = "config"
	SourceBalena Source = "balena" // BALENA_DEVICE_UUID
	SourceSerial Source = "serial" // the Pi's, burned into its chip
	SourceRandom Source = "random" // kept in the data folder
)

// identityFile is the name of the file that keeps a random id.
const identityFile = "device-id"

// Identify returns the device's id and where it comes from: the first of configuration, BALENA_DEVICE_UUID and the Pi's
// serial number that makes a device id, else a random one that is minted once and kept. Characters that an id cannot have
// become "-". Never the machine-id, which is the same in every copy of a card's image.
//
// With an error the id is good but random and not durable: the next start would bring another one.
func Identify(o IdentityOptions) (string, Source, error) {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	for _, candidate := range []struct {
		source Source
		text   string
	}{
		{SourceConfig, o.Configured},
		{SourceBalena, o.Getenv("BALENA_DEVICE_UUID")},
		{SourceSerial, serial(o.Root)},
	} {
		if id, ok := sanitize(candidate.text); ok {
			return id, candidate.source, nil
		}
	}
	id, err := keptID(o.Folder)
	if err != nil {
		err = fmt.Errorf("keep a random device id: %w", err)
	}
	return id, SourceRandom, err
}

var foreign = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// sanitize turns text into a device id, where it can.
func sanitize(text string) (string, bool) {
	id := foreign.ReplaceAllString(strings.Trim(text, " \t\r\n\x00"), "-")
	id = id[:min(len(id), 64)]
	return id, strings.Trim(id, "-_") != "" && holdfast.CheckDevice(id) == nil
}

var cpuSerial = regexp.MustCompile(`(?m)^Serial\s*:\s*([0-9a-fA-F]+)\s*$`)

// serial returns the Pi's serial number, or "". An emulator's is all zeros, which names no device.
func serial(root string) string {
	text, err := os.ReadFile(filepath.Join(root, "proc/device-tree/serial-number"))
	if err != nil {
		cpuinfo, _ := os.ReadFile(filepath.Join(root, "proc/cpuinfo")) // absent: no match
		if m := cpuSerial.FindSubmatch(cpuinfo); m != nil {
			text = m[1]
		}
	}
	if len(bytes.Trim(text, "0\x00\n ")) == 0 {
		return ""
	}
	return string(text)
}

// keptID returns the random id of the folder, and mints it where there is none or a damaged one.
func keptID(folder string) (string, error) {
	path := filepath.Join(folder, identityFile)
	text, err := os.ReadFile(path)
	if err == nil {
		if id := strings.TrimSpace(string(text)); holdfast.CheckDevice(id) == nil {
			return id, nil
		}
	}
	var random [8]byte
	rand.Read(random[:])
	id := hex.EncodeToString(random[:])
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return id, err // it may be there and readable next time: do not replace it
	}
	return id, create(path, id+"\n")
}

// Keep makes a random id that [Identify] could not keep the folder's, unless the folder has one by now.
func Keep(folder, id string) error {
	path := filepath.Join(folder, identityFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return create(path, id+"\n")
}

// create makes a file durable under its name, whole or not at all.
func create(path, text string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(folder)
}

func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
