package browser

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/testenv"
)

// A device that is not there yet: its page shows the commands and settings that wait for it, and then that they were carried out.
func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: runs a real browser")
	}
	browser := chromium(t)
	dir := testenv.Programs(t)
	mqtt, api := testenv.FreePort(t), testenv.FreePort(t)
	cloud := []string{"RECEIVER_DATA=" + filepath.Join(dir, "r"), "RECEIVER_LISTEN=127.0.0.1:" + api, "RECEIVER_MQTT_LISTEN=127.0.0.1:" + mqtt}
	start(t, filepath.Join(dir, "receiver"), []string{"serve"}, cloud...)
	url := "http://127.0.0.1:" + api + "/"
	serving(t, url)
	join := testenv.Join(t, filepath.Join(dir, "receiver"), "pi-demo", cloud...)
	for _, body := range []string{
		`{"name":"set_interval","args":{"seconds":5,"sensor":"bme280-1-76"},"from":"ops@example.org"}`, `{"name":"set_interval","args":{"seconds":0}}`, `{"name":"ping"}`,
	} {
		send(t, http.MethodPost, url+"api/v1/devices/pi-demo/commands", body)
	}
	send(t, http.MethodPatch, url+"api/v1/devices/pi-demo/shadow", `{"desired":{"groups":["roof"],"log.level":"debug"}}`)

	p := open(t, browser, url+"devices/pi-demo")
	states := func(state string) int { return len(p.texts(`[data-test="command"][data-state="` + state + `"]`)) }
	p.await(10*time.Second, "three commands that wait", func() bool { return states("kept") == 3 })
	p.await(10*time.Second, "the settings that wait", func() bool { return strings.Contains(p.text(`[data-test="wishes"]`), "groups, log.level") })
	p.keep("receiver-commands-kept")

	start(t, filepath.Join(dir, "gateway"), []string{"run", "--simulate"}, "DATA_DIR="+filepath.Join(dir, "g"), "HTTP_LISTEN=off", join)
	p.await(30*time.Second, "two commands to succeed and one to fail", func() bool { return states("succeeded") == 2 && states("failed") == 1 })
	p.keep("receiver-commands")
	inOtherSizes(p, "receiver-commands")
}

func send(t *testing.T, method, url, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d", method, url, answer.StatusCode)
	}
}
