package join

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
)

// limit is for everything from the start of the receiver to the first row.
const limit = 30 * time.Second

// From an empty folder to the first row in the receiver, with one variable. The programs are built before the clock starts.
func TestOneVariable(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs both programs")
	}
	bin, dir := testenv.Programs(t), t.TempDir()
	began := time.Now()
	receiver := startReceiver(t, bin, dir)
	variable := testenv.Join(t, receiver.Binary, "pi-7", receiver.Env...)
	joined, err := holdfast.ParseJoin(variable)
	if err != nil || !joined.TLS || len(joined.CA) != 1 {
		t.Fatalf("join %v, %v: want TLS with the receiver's own authority", joined, err)
	}
	run(t, &testenv.Process{
		Name: "gateway", Binary: filepath.Join(bin, "gateway"), Args: []string{"run", "--simulate"}, Log: testenv.LogFile(t, dir, "gateway"),
		Env: []string{variable, "DATA_DIR=" + filepath.Join(dir, "gateway"), "HTTP_LISTEN=off"},
	})
	testenv.Poll(t.Context(), t, limit-time.Since(began), "the first row", func() bool { return rows(t.Context(), receiver.Address) > 0 })
	t.Logf("from an empty folder to the first row: %v", time.Since(began).Round(time.Millisecond))

	login, err := tell(t, receiver.Env, receiver.Binary, "operator", "add", "ops")
	if err != nil {
		t.Fatal(err)
	}
	desk := append(strings.Fields(login), "MQTT_HOST=localhost", fmt.Sprint("MQTT_PORT=", joined.Port), "MQTT_TLS_ENABLE=true",
		"MQTT_TLS_CA_CERTS="+filepath.Join(dir, "receiver", "ca", "ca.pem"))
	if answer, err := tell(t, desk, filepath.Join(bin, "gateway"), "command", "pi-7", "ping"); err != nil || !strings.Contains(answer, "succeeded") {
		t.Errorf("a command from a desk: %s, %v", answer, err)
	}
	elsewhere := []string{receiver.Env[0], "MQTT_HOST="}
	if answer, err := tell(t, elsewhere, receiver.Binary, "device", "secret", "pi-7"); err == nil || !strings.Contains(answer, "this join string would say mqtt://127.0.0.1:18830") {
		t.Errorf("a join string that leads nowhere: %s, %v", answer, err)
	}

	authority := filepath.Join(dir, "receiver", "ca", "ca.key")
	if info, err := os.Stat(authority); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the authority's key: %v, %v", info, err)
	}
}

// startReceiver starts a receiver and waits until it answers.
func startReceiver(t *testing.T, bin, dir string) *testenv.Process {
	t.Helper()
	receiver := &testenv.Process{
		Name: "receiver", Binary: filepath.Join(bin, "receiver"), Args: []string{"serve"},
		Address: "127.0.0.1:" + testenv.FreePort(t), Log: testenv.LogFile(t, dir, "receiver"),
	}
	receiver.Env = []string{
		"RECEIVER_DATA=" + filepath.Join(dir, "receiver"), "RECEIVER_LISTEN=" + receiver.Address,
		"RECEIVER_MQTT_LISTEN=127.0.0.1:" + testenv.FreePort(t), "RECEIVER_MQTT_PUBLIC=localhost", "MQTT_HOST=",
	}
	run(t, receiver)
	receiver.WaitServing(t.Context(), t)
	return receiver
}

// tell runs a program to its end and returns what it says.
func tell(t *testing.T, env []string, program string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func run(t *testing.T, p *testenv.Process) {
	t.Helper()
	p.Start(t)
	t.Cleanup(p.Kill)
}

// rows is how many series of the device the receiver's API shows.
func rows(ctx context.Context, address string) int {
	var got struct{ Latest []json.RawMessage } // the newest sample of each
	if get(ctx, "http://"+address+"/api/v1/devices/pi-7", &got) != nil {
		return 0
	}
	return len(got.Latest)
}

// get asks for a JSON document.
func get(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(answer.Body).Decode(into)
}
