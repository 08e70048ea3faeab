package bench

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// TestButtonLatency times presses of the simulated Pi's button: from the contact that closes, through 30 ms of debouncing,
// until the commit of the press has returned and the page that asked is answered. Every second one stops measuring.
func TestButtonLatency(t *testing.T) {
	benchmark(t)
	const apart = 270 * time.Millisecond // longer than the window of a double press, and no divisor of a second's samples
	dir, port := t.TempDir(), testenv.FreePort(t)
	p := &testenv.Process{
		Name: "gateway", Binary: filepath.Join(testenv.Programs(t), "gateway"), Log: testenv.LogFile(t, dir, "gateway"), Address: "127.0.0.1:" + port,
		Args: []string{"run", "--simulate"},
		Env:  []string{"DATA_DIR=" + filepath.Join(dir, "data"), "HTTP_LISTEN=127.0.0.1:" + port, "BUTTON_DOUBLE_MILLIS=200"},
	}
	launch(t, p)
	testenv.Pause(t.Context(), warm)
	n := proof.Count(t, "HOLDFAST_PRESSES", 240)
	latencies := make([]time.Duration, 0, n)
	for range n {
		testenv.Pause(t.Context(), apart)
		begin := time.Now()
		answer, err := http.Post("http://127.0.0.1:"+port+"/api/v1/button", "application/json", strings.NewReader(`{"press":"short"}`))
		if err != nil {
			t.Fatal(err)
		}
		latencies = append(latencies, time.Since(begin))
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("press: %s", answer.Status)
		}
	}
	p.Stop(t)
	note := fmt.Sprintf("%d presses of the simulated button, 30 ms of debouncing included", n)
	measure(t, proof.Figure{Part: latencyPart, Name: "button to disk, p50", Unit: "ms", Note: note}, percentile(latencies, 50))
	atMost(t, 50, proof.Figure{Part: latencyPart, Name: "button to disk, p99", Unit: "ms", Note: note}, percentile(latencies, 99))
}
