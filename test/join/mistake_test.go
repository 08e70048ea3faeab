package join

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/internal/testenv"
)

// A variable with a slip of the pen: readings come all the same, and log, page, state and an event say what is wrong.
func TestMistakenVariable(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs both programs")
	}
	bin, dir := testenv.Programs(t), t.TempDir()
	receiver := startReceiver(t, bin, dir)
	log := filepath.Join(dir, "gateway.log")
	page := "127.0.0.1:" + testenv.FreePort(t)
	run(t, &testenv.Process{
		Name: "gateway", Binary: filepath.Join(bin, "gateway"), Args: []string{"run", "--simulate"}, Log: testenv.LogFile(t, dir, "gateway"),
		Env: []string{testenv.Join(t, receiver.Binary, "pi-7", receiver.Env...), "DATA_DIR=" + filepath.Join(dir, "gateway"), "HTTP_LISTEN=" + page, "INTERVAL_SECONDS=abc"},
	})
	testenv.Poll(t.Context(), t, limit, "the first row", func() bool { return rows(t.Context(), receiver.Address) > 0 })

	told := func(where string, said any) {
		t.Helper()
		if text := fmt.Sprint(said); !strings.Contains(text, "INTERVAL_SECONDS") || !strings.Contains(text, "abc") {
			t.Errorf("%s does not tell of it: %s", where, text)
		}
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	told("log", string(text))
	for where, url := range map[string]string{
		"page":  page + "/api/v1/status",
		"state": receiver.Address + "/api/v1/devices/pi-7",
		"event": receiver.Address + "/api/v1/devices/pi-7/events?event=config",
	} {
		var said any
		if err := get(t.Context(), "http://"+url, &said); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		told(where, said)
	}
}
