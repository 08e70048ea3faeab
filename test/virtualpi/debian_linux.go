package virtualpi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// debian downloads packages of a foreign architecture with a package state of its own, in a folder that the caller
// removes; the system's sources, lists and architectures stay as they are. It needs no root.
type debian struct {
	dir string
}

const (
	suite   = "bookworm" // whose kernel the device list of this package was tried with
	keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
)

func newDebian(ctx context.Context, dir string) (*debian, error) {
	d := &debian{dir}
	for _, sub := range []string{"lists/partial", "cache/archives/partial", "packages"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	source := fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, mirror(os.DirFS("/etc/apt")), suite)
	for name, text := range map[string]string{"sources.list": source, "status": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	_, err := d.apt(ctx, "apt-get", "update")
	return d, err
}

// apt runs apt-get or apt-cache on the private state and returns what it printed.
func (d *debian) apt(ctx context.Context, command string, args ...string) (string, error) {
	options := []string{
		"-q", "-oDir::Etc::sourcelist=" + d.dir + "/sources.list", "-oDir::Etc::sourceparts=-",
		"-oDir::State=" + d.dir, "-oDir::State::status=" + d.dir + "/status", "-oDir::Cache=" + d.dir + "/cache",
		"-oAPT::Architecture=armhf", "-oAPT::Architectures=armhf", "-oAPT::Sandbox::User=",
		"-oAcquire::Languages=none", "-oAcquire::Retries=3", "-oAcquire::http::Timeout=30",
		"-oAPT::Update::Error-Mode=any", // else an update without network is a success
	}
	return run(ctx, filepath.Join(d.dir, "packages"), command, append(options, args...)...)
}

var kernelPackage = regexp.MustCompile(`(?m)^Depends: (linux-image-[0-9][^ ,]*-armmp)\b`)

// kernel returns the name of the package that holds the suite's current kernel.
func (d *debian) kernel(ctx context.Context) (string, error) {
	text, err := d.apt(ctx, "apt-cache", "show", "linux-image-armmp")
	if err != nil {
		return "", err
	}
	found := kernelPackage.FindStringSubmatch(text)
	if found == nil {
		return "", errors.New("apt-cache show linux-image-armmp: names no kernel package")
	}
	return found[1], nil
}

// unpack downloads a package, whose signature apt-get checks, and unpacks its files into the folder to.
func (d *debian) unpack(ctx context.Context, pkg, to string) error {
	if _, err := d.apt(ctx, "apt-get", "download", pkg); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(d.dir, "packages", pkg+"_*.deb"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("package %s: %d files, want 1 (%v)", pkg, len(files), err)
	}
	_, err = run(ctx, d.dir, "dpkg", "-x", files[0], to)
	return err
}

// mirror returns the address from which this machine installs Debian packages, as its own configuration (etc: /etc/apt)
// has it, or Debian's own address where there is none.
func mirror(etc fs.FS) string {
	for _, source := range []struct {
		file    string
		address *regexp.Regexp
	}{
		{"sources.list.d/debian.sources", regexp.MustCompile(`(?m)^URIs:\s*(\S+)`)},
		{"sources.list", regexp.MustCompile(`(?m)^deb\s+(?:\[[^]]*\]\s+)?(\S+/debian/?)\s`)},
	} {
		text, err := fs.ReadFile(etc, source.file)
		if found := source.address.FindSubmatch(text); err == nil && found != nil {
			return string(found[1])
		}
	}
	return "http://deb.debian.org/debian"
}

// run runs a command in a folder and returns its standard output. The error holds what it said.
func run(ctx context.Context, dir, command string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, command, args...)
	c.Dir, c.Stdout, c.Stderr = dir, &stdout, &stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", command, args[len(args)-1], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
