package virtualpi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// A receiver is the real `receiver serve` on the host, with its embedded broker.
type receiver struct {
	api  string // address of its HTTP API
	join string // the device's variable, with the broker's port
}

// startReceiver starts a receiver with an empty database. It is gone when the test ends.
func startReceiver(t *testing.T, file string) *receiver {
	t.Helper()
	dir := t.TempDir()
	api, mqtt := freeAddress(t), freeAddress(t)
	log, err := os.Create(filepath.Join(dir, "receiver.log"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), file, "serve") // killed when the test's context ends, right before clean-up
	environment := []string{"RECEIVER_DATA=" + filepath.Join(dir, "data"), "RECEIVER_LISTEN=" + api, "RECEIVER_MQTT_LISTEN=" + mqtt, "MQTT_HOST="}
	c.Env = append(os.Environ(), environment...)
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Wait()
		log.Close()
		if text, err := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("log of the receiver (%v):\n%s", err, text)
		}
	})
	r := &receiver{"http://" + api, testenv.Join(t, file, device, environment...)}
	eventually(t, 30*time.Second, func(ctx context.Context) error {
		return r.get(ctx, "/healthz", &struct{}{})
	})
	return r
}

// get reads one answer of the API into v.
func (r *receiver) get(ctx context.Context, path string, v any) error {
	request, err := http.NewRequestWithContext(ctx, "GET", r.api+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// eventually calls check until it returns nil, and fails the test with its last error if that takes longer than limit.
func eventually(t *testing.T, limit time.Duration, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			last = err // the one that tells more than "deadline exceeded"
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("after %v: %v", limit, last)
		}
	}
}

// program compiles one of the project's programs as it is shipped, for the host or, with environment, for another machine.
func program(t *testing.T, name string, environment ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	c := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", file, "holdfast/cmd/"+name)
	c.Env = append(append(os.Environ(), "CGO_ENABLED=0"), environment...)
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", name, err, said)
	}
	return file
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
}
