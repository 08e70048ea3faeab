package chaos

import (
	"context"
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
)

// What the watchdog states: the writer may take a minute and two windows, and its pulse is felt every five seconds; half a
// minute later the process ends, and what hangs has five more.
const (
	frozenIll  = 62*time.Second + 10*time.Second
	frozenEnds = 30*time.Second + 5*time.Second + 10*time.Second
)

// TestFrozen freezes the file system under the buffer of a gateway: its writer hangs in the kernel, where nothing but the
// thaw gets it out. The health check says so, then the process ends itself, with the reason. All that was durable is there
// after the thaw, and the ledger is whole. Another gateway, whose broker takes connections and never says a word, and whose
// page is asked by clients that never read, is well all that time.
func TestFrozen(t *testing.T) {
	if testing.Short() {
		t.Skip("a writer may hang for a minute before it is ill")
	}
	t.Parallel()
	folder, freeze, thaw := freezable(t)
	bin := testenv.Programs(t)
	hung := hungGateway(t, bin)
	b := newBench(t, bin, setup{rows: 20_000, speed: 0.25, gateway: folder})
	t.Cleanup(thaw) // before the processes are killed, for nothing else ends one of them
	b.waitStored(t, 50, recovery)
	if _, err := health(t, bin, b.gateway); err != nil {
		t.Fatalf("ill before anything is frozen: %v", err)
	}

	freeze()
	from := b.now()
	began := time.Now()
	var answer string
	testenv.Poll(t.Context(), t, frozenIll, "the gateway to be ill", func() bool {
		var err error
		answer, err = health(t, bin, b.gateway)
		return err != nil
	})
	ill := time.Since(began)
	if !strings.Contains(answer, "the buffer's writer has stood still for") {
		t.Errorf("health says %q, want what hangs", answer)
	}
	testenv.Poll(t.Context(), t, frozenEnds, "the gateway to end itself", func() bool { return ending(b.gateway) })
	t.Logf("ill after %v, ended after %v; gone by then: %t", ill.Round(time.Second), time.Since(began).Round(time.Second), b.gateway.Ended())
	if log, err := os.ReadFile(b.gateway.Log.Name()); err != nil || !strings.Contains(string(log), "gateway: the gateway is stuck, and ends to be started anew: the buffer's writer has stood still for") {
		t.Errorf("%v: the log does not say why it ended:\n%s", err, log)
	}
	if answer, err := health(t, bin, hung); err != nil {
		t.Errorf("a gateway with a broker and clients that hang is ill: %s", answer)
	}

	thaw()
	testenv.Poll(t.Context(), t, 10*time.Second, "the kernel to let go of it", b.gateway.Ended)
	b.full, b.deaths = append(b.full, span{from, b.now()}), append(b.deaths, b.now())
	b.revive(t, b.gateway)
	b.waitStored(t, b.handedOut(t)+50, recovery)
	b.finish(t).check(t)
}

// ending reports whether the process has called it a day: it is gone, or its first thread is and the kernel holds another.
func ending(p *testenv.Process) bool {
	if p.Ended() {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}

// health is `gateway health` of a process.
func health(t *testing.T, bin string, p *testenv.Process) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "gateway"), "health", "--url", "http://"+p.Address+"/healthz").CombinedOutput()
	return string(out), err
}

// freezable mounts a file system of its own and returns a folder on it, what freezes it, and what thaws it, which may be called
// again.
func freezable(t *testing.T) (folder string, freeze, thaw func()) {
	t.Helper()
	dir := testenv.LoopDisk(t, 128<<20)
	fsfreeze := testenv.NeedProgram(t, "fsfreeze")
	frozen := false
	set := func(how string) {
		if out, err := exec.Command(fsfreeze, how, dir).CombinedOutput(); err != nil {
			t.Errorf("fsfreeze %s: %v: %s", how, err, out)
		}
	}
	return filepath.Join(dir, "gateway"), func() { set("--freeze"); frozen = true }, func() {
		if frozen {
			set("--unfreeze")
			frozen = false
		}
	}
}

// hungGateway starts a gateway whose broker takes its connections and never reads, and whose page is asked by clients that say
// half of what they want, or do not listen to the answer.
func hungGateway(t *testing.T, bin string) *testenv.Process {
	t.Helper()
	broker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close() })
	go func() {
		for {
			conn, err := broker.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	_, port, _ := net.SplitHostPort(broker.Addr().String())
	dir, page := t.TempDir(), "127.0.0.1:"+testenv.FreePort(t)
	p := &testenv.Process{
		Name: "hung", Binary: filepath.Join(bin, "gateway"), Args: []string{"run", "--simulate"}, Log: testenv.LogFile(t, dir, "hung"), Address: page,
		Env: []string{"DATA_DIR=" + filepath.Join(dir, "data"), "HTTP_LISTEN=" + page, "DEVICE_ID=hung", "MQTT_HOST=127.0.0.1", "MQTT_PORT=" + port},
	}
	p.Start(t)
	t.Cleanup(p.Kill)
	p.WaitServing(t.Context(), t)
	for _, say := range []string{"GET /api/v1/status HTTP/1.1\r\nHo", "GET /api/v1/live HTTP/1.1\r\nHost: pi\r\n\r\n"} {
		conn, err := net.Dial("tcp", page)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, say); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := http.Get("http://" + page + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return p
}
