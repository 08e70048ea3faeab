package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// folder holds what the two processes keep, and their binaries.
const folder = "run"

// The addresses of the demo, all on loopback. A variable moves one that is taken.
func gatewayAddress() string  { return variable("DEMO_GATEWAY", "127.0.0.1:8080") }
func receiverAddress() string { return variable("DEMO_RECEIVER", "127.0.0.1:8090") }
func brokerPort() string      { return variable("DEMO_MQTT_PORT", "18830") }

func variable(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func device() string { return variable("DEVICE_ID", "demo-pi") }

// A part is one of the two processes.
type part struct {
	name        string
	page        string // where its page is
	arguments   []string
	environment []string
}

func parts() []part {
	return []part{
		{
			name:      "receiver",
			page:      "http://" + receiverAddress() + "/",
			arguments: []string{"serve"},
			environment: []string{
				"RECEIVER_DATA=" + filepath.Join(folder, "receiver"),
				"RECEIVER_LISTEN=" + receiverAddress(),
				"RECEIVER_MQTT_LISTEN=127.0.0.1:" + brokerPort(),
			},
		},
		{
			name:      "gateway",
			page:      "http://" + gatewayAddress() + "/",
			arguments: []string{"run", "--simulate"},
			environment: []string{
				"DATA_DIR=" + filepath.Join(folder, "gateway"),
				"HTTP_LISTEN=" + gatewayAddress(),
				"DEVICE_ID=" + device(),
				"MQTT_PORT=" + brokerPort(),
				kept("device", device()),
			},
		},
	}
}

func (p part) binary() string  { return filepath.Join(folder, "bin", p.name) }
func (p part) pidFile() string { return filepath.Join(folder, p.name+".pid") }
func (p part) logFile() string { return filepath.Join(folder, p.name+".log") }

func (p part) command() *exec.Cmd {
	cmd := exec.Command(p.binary(), p.arguments...)
	cmd.Env = p.surroundings()
	return cmd
}

// surroundings are the variables of the part, without those of brokers elsewhere that somebody has set in the shell.
func (p part) surroundings() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MQTT_") || strings.HasPrefix(v, "HOLDFAST_JOIN=") || strings.HasPrefix(v, "RECEIVER_MQTT_")
	})
	return append(env, p.environment...)
}

// build compiles both binaries, without cgo as they are shipped.
func build(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(folder, "bin"), 0o755); err != nil {
		return err
	}
	fmt.Println("building gateway and receiver (the first time takes a minute or two) …")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(folder, "bin")+string(filepath.Separator), "./cmd/gateway", "./cmd/receiver")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}
