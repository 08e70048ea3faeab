package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database is read by SQL of the benchmark's own, not through the code under test

	"holdfast/internal/testenv"
)

// A plant is one gateway, and as far as it is asked for one receiver and one mosquitto. None of it runs yet.
type plant struct {
	gateway, receiver, broker *testenv.Process
	db                        *sql.DB // the receiver's database, read-only; see watch
	database                  string
	mqtt                      string // address of the broker
}

// A layout says what a plant is made of.
type layout struct {
	mosquitto bool   // in place of the broker inside the receiver
	puback    bool   // the broker's word frees a reading, and there is no receiver
	backlog   string // buffer file that the gateway begins with; empty for none
	replay    string // what the gateway measures; empty for nothing
	rules     string // file of rules; empty for none
	nodelay   bool   // mosquitto does not wait for more to send, as its default is
	redis     string // address of a Redis to mirror to; empty for none
}

// nothing is a replay whose one row never comes.
const nothing = "time,sensor,number_count\n1e6,never,0\n"

func newPlant(t *testing.T, bin string, l layout) *plant {
	t.Helper()
	dir := t.TempDir()
	mqttPort, apiPort, pagePort := testenv.FreePort(t), testenv.FreePort(t), testenv.FreePort(t)
	replay, folder, data := filepath.Join(dir, "replay.csv"), filepath.Join(dir, "gateway"), filepath.Join(dir, "receiver")
	if l.replay == "" {
		l.replay = nothing
	}
	if err := os.WriteFile(replay, []byte(l.replay), 0o644); err != nil {
		t.Fatal(err)
	}
	if l.backlog != "" {
		place(t, l.backlog, folder)
	}
	p := &plant{database: filepath.Join(data, "receiver.db"), mqtt: "127.0.0.1:" + mqttPort}
	p.gateway = &testenv.Process{
		Name: "gateway", Binary: filepath.Join(bin, "gateway"), Log: testenv.LogFile(t, dir, "gateway"), Address: "127.0.0.1:" + pagePort,
		Args: []string{"run", "--replay", replay},
		Env: []string{"DATA_DIR=" + folder, "HTTP_LISTEN=127.0.0.1:" + pagePort, "DEVICE_ID=" + deviceID,
			"MQTT_HOST=127.0.0.1", "MQTT_PORT=" + mqttPort, "MQTT_ACK=receipt", "RULES_FILE=" + l.rules, "REDIS_ADDRESS=" + l.redis},
	}
	if l.puback {
		p.gateway.Env = append(p.gateway.Env, "MQTT_ACK=puback")
	} else {
		p.receiver = &testenv.Process{
			Name: "receiver", Binary: filepath.Join(bin, "receiver"), Log: testenv.LogFile(t, dir, "receiver"), Address: "127.0.0.1:" + apiPort,
			Args: []string{"serve"},
			Env: []string{"RECEIVER_DATA=" + data, "RECEIVER_LISTEN=127.0.0.1:" + apiPort, "RECEIVER_INSTANCE=bench",
				"RECEIVER_MQTT_LISTEN=127.0.0.1:" + mqttPort},
		}
	}
	if p.receiver != nil && !l.mosquitto {
		p.gateway.Env = append(p.gateway.Env, testenv.Join(t, p.receiver.Binary, deviceID, p.receiver.Env...))
	}
	if l.mosquitto {
		p.broker = mosquitto(t, dir, mqttPort, l.nodelay)
		if p.receiver != nil {
			p.receiver.Env = append(p.receiver.Env, "MQTT_HOST=127.0.0.1", "MQTT_PORT="+mqttPort, "RECEIVER_NEW_DEVICES=active")
		}
	}
	return p
}

// mosquitto is one as Debian ships it, on a port of its own, with room for the receiver's queue.
func mosquitto(t *testing.T, dir, port string, nodelay bool) *testenv.Process {
	t.Helper()
	binary, config := testenv.NeedProgram(t, "mosquitto"), filepath.Join(dir, "mosquitto.conf")
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 10000\nset_tcp_nodelay %v\n", port, nodelay)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return &testenv.Process{
		Name: "mosquitto", Binary: binary, Args: []string{"-c", config},
		Log: testenv.LogFile(t, dir, "mosquitto"), Address: "127.0.0.1:" + port,
	}
}

// launch starts processes, one after the other serves. Each dies with the benchmark if not before.
func launch(t *testing.T, processes ...*testenv.Process) {
	t.Helper()
	for _, p := range processes {
		p.Start(t)
		t.Cleanup(p.Kill)
		p.WaitServing(t.Context(), t)
	}
}

// watch opens the receiver's database for the benchmark's own questions, once the receiver has made it.
func (p *plant) watch(t *testing.T) {
	t.Helper()
	answer, err := http.Get("http://" + p.receiver.Address + "/healthz") // answers when the database is there
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	file := url.URL{Scheme: "file", Path: p.database, RawQuery: "mode=ro&_pragma=busy_timeout(5000)"} // the path may hold a #
	db, err := sql.Open("sqlite", file.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p.db = db
}

// held is how many numbers of telemetry the ledger holds as data: a few rows to read, whatever the number.
func (p *plant) held(t *testing.T) int {
	t.Helper()
	var n int
	if err := p.db.QueryRowContext(t.Context(),
		"SELECT CAST(TOTAL(last - first + 1) AS INTEGER) FROM ledger WHERE lane = 'telemetry' AND state = 'data'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// checkSamples makes sure that the database has n readings of three quantities, each once.
func (p *plant) checkSamples(t *testing.T, n int) {
	t.Helper()
	var rows, numbers, intervals int
	if err := p.db.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(DISTINCT seq), (SELECT COUNT(*) FROM ledger
		WHERE lane = 'telemetry') FROM sample`).Scan(&rows, &numbers, &intervals); err != nil {
		t.Fatal(err)
	}
	if rows != 3*n || numbers != n || intervals != 1 {
		t.Errorf("%d samples of %d readings in %d intervals of the ledger, want %d of %d in 1", rows, numbers, intervals, 3*n, n)
	}
}

// A view is what the gateway's page says.
type view struct {
	Link struct {
		State string
		Since time.Time
	}
	Records struct{ Delivered, Waiting int }
}

// view asks the gateway. One that does not answer has no link and is not drained.
func (p *plant) view(t *testing.T) (v view) {
	t.Helper()
	v.Records.Waiting = -1
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.gateway.Address+"/api/v1/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return v
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// until polls and returns when done answered true.
func until(t *testing.T, every time.Duration, what string, done func() bool) time.Time {
	t.Helper()
	limit := time.Now().Add(3 * time.Minute)
	for !done() {
		if time.Now().After(limit) {
			t.Fatalf("waited 3 minutes for %s", what)
		}
		testenv.Pause(t.Context(), every)
	}
	return time.Now()
}
