package kill

import (
	"os"
	"path/filepath"
	"testing"

	"holdfast/internal/testenv"
)

// mosquittoProcess is a real mosquitto without persistence: what it holds when it is killed is gone.
func mosquittoProcess(t *testing.T, dir, port string) *testenv.Process {
	t.Helper()
	binary := testenv.NeedProgram(t, "mosquitto")
	config := filepath.Join(dir, "mosquitto.conf")
	text := "listener " + port + " 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 10000\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return &testenv.Process{
		Name: "mosquitto", Binary: binary, Args: []string{"-c", config},
		Log: testenv.LogFile(t, dir, "mosquitto"), Address: "127.0.0.1:" + port,
	}
}
