package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// operator is who may send commands.
const operator = "you"

// provision registers the device and an operator, as a user would, before the receiver runs for the first time. What the
// receiver prints once is kept with the receiver's data, for nobody else to read.
func provision(ctx context.Context) error {
	for _, p := range []struct{ kind, name string }{{"device", device()}, {"operator", operator}} {
		if kept(p.kind, p.name) != "" {
			continue
		}
		text, err := receiver(ctx, p.kind, "add", p.name)
		if err != nil { // it is registered, and what was kept is gone
			text, err = receiver(ctx, p.kind, "secret", p.name)
		}
		if err != nil {
			return fmt.Errorf("register %s: %w", p.name, err)
		}
		if err := os.WriteFile(keptFile(p.kind, p.name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// receiver runs a subcommand of the receiver in its environment, and returns what it prints.
func receiver(ctx context.Context, args ...string) (string, error) {
	p := parts()[0]
	cmd := exec.CommandContext(ctx, p.binary(), args...)
	cmd.Env = p.surroundings()
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

func keptFile(kind, name string) string {
	return filepath.Join(folder, "receiver", kind+"-"+name+".env")
}

// kept is what provision has kept of somebody, "" for nothing.
func kept(kind, name string) string {
	text, _ := os.ReadFile(keptFile(kind, name))
	return strings.TrimSpace(string(text))
}

// password is the operator's.
func password() string {
	for line := range strings.Lines(kept("operator", operator)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "MQTT_PASSWORD="); ok {
			return value
		}
	}
	return ""
}
