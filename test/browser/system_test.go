package browser

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// system runs receiver and gateway as `make run` does, on free ports, and returns the addresses of their pages.
func system(t *testing.T) (gateway, receiver string) {
	t.Helper()
	dir := testenv.Programs(t)
	mqtt, page, api := testenv.FreePort(t), testenv.FreePort(t), testenv.FreePort(t)
	cloud := []string{"RECEIVER_DATA=" + filepath.Join(dir, "r"), "RECEIVER_LISTEN=127.0.0.1:" + api, "RECEIVER_MQTT_LISTEN=127.0.0.1:" + mqtt}
	start(t, filepath.Join(dir, "receiver"), []string{"serve"}, cloud...)
	serving(t, "http://127.0.0.1:"+api+"/")
	start(t, filepath.Join(dir, "gateway"), []string{"run", "--simulate"},
		"DATA_DIR="+filepath.Join(dir, "g"), "HTTP_LISTEN=127.0.0.1:"+page,
		testenv.Join(t, filepath.Join(dir, "receiver"), "pi-demo", cloud...))
	serving(t, "http://127.0.0.1:"+page+"/")
	return "http://127.0.0.1:" + page + "/", "http://127.0.0.1:" + api + "/"
}

// start runs a program that ends with the test, and shows the end of its log if the test failed.
func start(t *testing.T, program string, args []string, env ...string) {
	t.Helper()
	log, err := os.Create(program + ".log")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
		log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(program), text[max(0, len(text)-2000):])
		}
	})
}

func serving(t *testing.T, url string) {
	t.Helper()
	client := http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if answer, err := client.Get(url); err == nil {
			answer.Body.Close()
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Fatalf("%s does not answer", url)
}
