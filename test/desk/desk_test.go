package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

const limit = 60 * time.Second

// A fleet is a gateway, its receiver, and an operator's connection.
type fleet struct {
	*testing.T
	gateway, receiver *testenv.Process
	operator          mqtt.Options
	own               bool // the broker is the receiver's
}

func newFleet(t *testing.T, own bool) *fleet {
	bin, dir := testenv.Programs(t), t.TempDir()
	f := &fleet{T: t, own: own, operator: mqtt.Options{ClientID: "ops", CleanSession: true}}
	f.receiver = &testenv.Process{
		Name: "receiver", Binary: filepath.Join(bin, "receiver"), Args: []string{"serve"},
		Address: "127.0.0.1:" + testenv.FreePort(t), Log: testenv.LogFile(t, dir, "receiver"),
	}
	f.gateway = &testenv.Process{
		Name: "gateway", Binary: filepath.Join(bin, "gateway"), Args: []string{"run", "--simulate"}, Log: testenv.LogFile(t, dir, "gateway"),
		Env: []string{"DATA_DIR=" + filepath.Join(dir, "gateway"), "HTTP_LISTEN=off", "DEVICE_ID=pi-7"},
	}
	f.receiver.Env = []string{"RECEIVER_DATA=" + filepath.Join(dir, "receiver"), "RECEIVER_LISTEN=" + f.receiver.Address, "RECEIVER_NEW_DEVICES=active"}
	var address string
	if own {
		address = "127.0.0.1:" + testenv.FreePort(t)
		f.receiver.Env = append(f.receiver.Env, "RECEIVER_MQTT_LISTEN="+address, "MQTT_HOST=")
		f.gateway.Env = append(f.gateway.Env, testenv.Join(t, f.receiver.Binary, "pi-7", f.receiver.Env...))
		_, password, _ := strings.Cut(f.tell("operator", "add", "ops"), "MQTT_PASSWORD=")
		f.operator.Username, f.operator.Password = "ops", strings.TrimSpace(password)
	} else {
		address = testenv.Mosquitto(t).Addr
		host, port, _ := net.SplitHostPort(address)
		f.receiver.Env = append(f.receiver.Env, "MQTT_HOST="+host, "MQTT_PORT="+port)
		f.gateway.Env = append(f.gateway.Env, "MQTT_HOST="+host, "MQTT_PORT="+port)
	}
	f.operator.Broker = "tcp://" + address
	for _, p := range []*testenv.Process{f.receiver, f.gateway} {
		p.Start(t)
		t.Cleanup(func() { p.Kill() })
	}
	f.receiver.WaitServing(t.Context(), t)
	return f
}

// tell runs a subcommand of the receiver.
func (f *fleet) tell(args ...string) string {
	f.Helper()
	cmd := exec.CommandContext(f.Context(), f.receiver.Binary, args...)
	cmd.Env = append(os.Environ(), f.receiver.Env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// ask sends a request about the device and returns status and body.
func (f *fleet) ask(method, path, body string) (int, string) {
	f.Helper()
	request, err := http.NewRequestWithContext(f.Context(), method, "http://"+f.receiver.Address+"/api/v1/devices/pi-7"+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(bytes.TrimSpace(text))
}

// until asks until the answer holds what it should.
func (f *fleet) until(path string, holds ...string) {
	f.Helper()
	last := ""
	defer func() {
		if f.Failed() {
			f.Logf("%s: %s", path, last)
		}
	}()
	testenv.Poll(f.Context(), f, limit, fmt.Sprintf("%s to hold %q", path, holds), func() bool {
		_, last = f.ask(http.MethodGet, path, "")
		for _, part := range holds {
			if !strings.Contains(last, part) {
				return false
			}
		}
		return true
	})
}

// publish publishes as an operator with no tool of ours does.
func (f *fleet) publish(leaf, payload string) {
	f.Helper()
	var conn *mqtt.Conn
	testenv.Poll(f.Context(), f, limit, "the broker to take "+f.operator.ClientID, func() (done bool) { // it may be starting
		var err error
		conn, err = mqtt.Connect(f.Context(), f.operator)
		return err == nil
	})
	defer conn.Close(context.Background())
	if err := conn.Publish(f.Context(), mqtt.Message{Topic: "devices/pi-7/" + leaf, Payload: []byte(payload)}); err != nil {
		f.Fatal(err)
	}
}

func TestKept(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs both programs")
	}
	for name, own := range map[string]bool{"own broker": true, "mosquitto": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, own)
			f.until("", `"online":true`)
			f.until("/shadow", `"reported"`)
			f.gateway.Stop(t)
			f.until("", `"online":false`)

			if status, text := f.ask(http.MethodPost, "/commands", `{"id":"by-api","name":"set_interval","args":{"seconds":7}}`); status != 200 || !strings.Contains(text, `"state":"kept"`) {
				t.Errorf("command: %d %s", status, text)
			}
			if status, text := f.ask(http.MethodPatch, "/shadow", `{"desired":{"log.level":"debug"}}`); status != 200 || !strings.Contains(text, `"waiting":{"desired":{"log.level":"debug"}`) {
				t.Errorf("wish: %d %s", status, text)
			}
			if status, text := f.ask(http.MethodPatch, "/shadow", `{"desired":{"measuring":false},"version":9}`); status != 409 || !strings.Contains(text, "the current one is 0") {
				t.Errorf("wish on another version: %d %s", status, text)
			}
			f.receiver.Kill()
			if own {
				f.receiver.Start(t)
				f.receiver.WaitServing(t.Context(), t)
			}
			soon := time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano)
			f.publish("command", `{"v":1,"id":"by-mqtt","name":"set_interval","args":{"seconds":8}}`)
			f.publish("command", `{"v":1,"id":"too-late","name":"stop","expires":"`+soon+`"}`)
			f.publish("shadow/update", `{"state":{"desired":{"groups":["roof"]}}}`)
			if !own {
				f.receiver.Start(t)
				f.receiver.WaitServing(t.Context(), t)
			}
			f.until("/commands", `"by-api"`, `"by-mqtt"`)
			f.until("/shadow", `"groups":["roof"]`, `"log.level":"debug"`)
			f.receiver.Kill()
			f.receiver.Start(t)
			f.receiver.WaitServing(t.Context(), t)
			testenv.Pause(t.Context(), 1100*time.Millisecond)

			f.gateway.Start(t)
			f.until("/commands/by-api", `"state":"succeeded"`, `"result":{"revision":`)
			f.until("/commands/by-mqtt", `"state":"succeeded"`)
			f.until("/shadow", `"desired":{"groups":["roof"],"log.level":"debug"}},"metadata"`) // in the document
			testenv.Poll(t.Context(), t, limit, "the wishes to be settled", func() bool {
				status, text := f.ask(http.MethodGet, "/shadow", "")
				return status == http.StatusOK && !strings.Contains(text, `"waiting"`)
			})
			if _, text := f.ask(http.MethodGet, "/commands", ""); strings.Contains(text, `"too-late"`) { // a mosquitto may have kept it too long
				f.until("/commands/too-late", `"state":"expired"`)
			}
			f.once()
			if own {
				f.stale()
			}
		})
	}
}

// once checks that each change of a setting happened once, and no other. Events travel in order, so the one of a last command
// comes behind all that.
func (f *fleet) once() {
	f.Helper()
	f.ask(http.MethodPost, "/commands", `{"id":"last","name":"set_interval","args":{"seconds":9}}`)
	f.until("/events?event=setting", `"value":9`)
	_, text := f.ask(http.MethodGet, "/events?event=setting", "")
	var found struct {
		Events []struct {
			Data struct {
				Key   string
				Value json.RawMessage
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		f.Fatal(err)
	}
	count := make(map[string]int)
	for _, e := range found.Events {
		count[e.Data.Key+"="+string(e.Data.Value)]++
	}
	want := map[string]int{"sampling.interval=7": 1, "sampling.interval=8": 1, "sampling.interval=9": 1, "log.level=\"debug\"": 1, "groups=[\"roof\"]": 1}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		f.Errorf("settings %v, want %v", count, want)
	}
}

// stale wishes for settings of a shadow that has moved on: the device says no when it is back, and nothing changes.
func (f *fleet) stale() {
	f.Helper()
	f.gateway.Stop(f)
	f.until("", `"online":false`)
	f.publish("shadow/update", `{"state":{"desired":{"measuring":false}},"version":99}`)
	f.until("/shadow", `"waiting":{"desired":{"measuring":false},"version":99`)
	f.gateway.Start(f)
	f.until("/shadow", `"rejected":{"code":409,"message":"version 99: the current one is `)
	if _, text := f.ask(http.MethodGet, "/shadow", ""); strings.Contains(text, `"waiting"`) || !strings.Contains(text, `"measuring":true`) {
		f.Errorf("after the rejection: %s", text)
	}
}
