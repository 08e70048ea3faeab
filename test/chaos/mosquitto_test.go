package chaos

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"holdfast/internal/testenv"
)

// What mosquitto's file of access rules says: everything, or nothing of what gateways and receivers tell each other. A
// mosquitto that denies takes messages, acknowledges them and throws them away.
const (
	allowAll = "topic readwrite #\n"
	denyAll  = "topic readwrite nobodys\n"
)

// mosquittoProcess is a real mosquitto without persistence: what it holds when it is killed is gone.
func mosquittoProcess(t *testing.T, dir, port, access string) *testenv.Process {
	t.Helper()
	binary := testenv.NeedProgram(t, "mosquitto")
	config := filepath.Join(dir, "mosquitto.conf")
	text := "listener " + port + " 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 10000\nacl_file " + access + "\n"
	if os.Getuid() == 0 {
		text += "user root\n" // else it becomes mosquitto, and cannot read the test's files
	}
	for name, text := range map[string]string{config: text, access: allowAll} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &testenv.Process{
		Name: "mosquitto", Binary: binary, Args: []string{"-c", config},
		Log: testenv.LogFile(t, dir, "mosquitto"), Address: "127.0.0.1:" + port,
	}
}

// allow makes mosquitto read new access rules.
func (b *bench) allow(t *testing.T, rules string) {
	t.Helper()
	if err := os.WriteFile(b.access, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	b.broker.Signal(syscall.SIGHUP)
}
