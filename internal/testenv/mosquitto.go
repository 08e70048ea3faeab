package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Mosquitto runs a real mosquitto on a free loopback port; Addr is its host:port. Anybody may connect and do everything,
// unless a line of config, in mosquitto.conf's language, says otherwise.
func Mosquitto(t testing.TB, config ...string) *Server {
	t.Helper()
	program := NeedProgram(t, "mosquitto")
	dir, port := t.TempDir(), FreePort(t)
	lines := []string{
		"listener " + port + " 127.0.0.1",
		"allow_anonymous true",
		"log_dest stderr",
		"log_type all",
	}
	if os.Getuid() == 0 {
		lines = append(lines, "user root") // else it becomes mosquitto, and cannot read the test's files
	}
	lines = append(lines, config...)
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return run(t, &Server{
		Network: "tcp",
		Addr:    "127.0.0.1:" + port,
		name:    program,
		args:    []string{"-c", file},
		ready:   " running",
		dir:     dir,
	})
}
