package damage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/internal/testenv"
)

// An outcome is what a start made of a copy.
type outcome struct {
	damaged bool           // it was set aside
	report  *buffer.Report // of the salvage; nil where there was none
	died    int            // starts that ended by themselves
	service time.Duration  // until the page answered and a row was handed out, in the last start
	rows    int            // that were handed out in the last start
}

// childLimit is how long a child may look at a file, as in cmd/gateway/open.go.
const childLimit = time.Minute

// steps does with the copy what cmd/gateway/open.go does before it opens the file.
func steps(ctx context.Context, program, path string, cap int64) (o outcome, err error) {
	if buffer.NeedsCheck(path) {
		if _, err := examine(ctx, program, cap, "check", path); err != nil {
			if _, err := buffer.Quarantine(path); err != nil {
				return o, err
			}
			o.damaged = true
		}
	}
	if damaged := buffer.Unsalvaged(path); damaged != "" {
		if o.report, err = examine(ctx, program, cap, "salvage", damaged, path); err != nil {
			return o, fmt.Errorf("salvage: %w", err)
		}
	}
	return o, nil
}

func examine(ctx context.Context, program string, cap int64, args ...string) (*buffer.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, childLimit)
	defer cancel()
	child := exec.CommandContext(ctx, program, append([]string{"buffer"}, args...)...)
	child.Env = append(os.Environ(), fmt.Sprintf("BUFFER_MAX_BYTES=%d", cap))
	out, err := child.Output()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("buffer %s did not end within %v", args[0], childLimit)
	}
	if err != nil {
		return nil, err
	}
	var report buffer.Report
	return &report, json.Unmarshal(out, &report)
}

// A daemon is a running gateway.
type daemon struct {
	cmd   *exec.Cmd
	log   string // file
	ended chan error
}

// start starts the gateway in the folder of the copy, as its supervisor does.
func start(program, replay, path string, cap int64) (*daemon, error) {
	dir := filepath.Dir(path)
	d := &daemon{log: filepath.Join(dir, "gateway.log"), ended: make(chan error, 1)}
	log, err := os.Create(d.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	os.Remove(filepath.Join(dir, "rows"))
	d.cmd = exec.Command(program, "run", "--replay", replay, "--replay-log", filepath.Join(dir, "rows"))
	d.cmd.Env = append(os.Environ(), "DATA_DIR="+dir, "HTTP_LISTEN=127.0.0.1:0", "DEVICE_ID="+device, fmt.Sprintf("BUFFER_MAX_BYTES=%d", cap))
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { d.ended <- d.cmd.Wait() }()
	return d, nil
}

func (d *daemon) tail() string {
	data, _ := os.ReadFile(d.log)
	return string(data[max(0, len(data)-1500):])
}

var (
	pageLine    = regexp.MustCompile(`msg=page address=(http://127\.0\.0\.1:\d+/)`)
	salvageLine = regexp.MustCompile(`msg="buffer file examined" how=salvage took=\S+ records=(\d+) lost=(\d+)`)
)

// answers reports whether the page answers, and whether the gateway has its buffer open: it names its stream then.
func (d *daemon) answers() (page, open bool) {
	log, _ := os.ReadFile(d.log)
	address := pageLine.FindSubmatch(log)
	if address == nil {
		return false, false
	}
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(string(address[1]) + "api/v1/status")
	if err != nil {
		return false, false
	}
	defer answer.Body.Close()
	var view struct{ Stream holdfast.Stream }
	if json.NewDecoder(answer.Body).Decode(&view) != nil {
		return false, false
	}
	return answer.StatusCode == http.StatusOK, !view.Stream.IsZero()
}

// serving reports whether the page answers and a row has been handed out.
func (d *daemon) serving() bool {
	if d.rows() == 0 {
		return false
	}
	page, _ := d.answers()
	return page
}

// keeping reports whether rows get into the buffer.
func (d *daemon) keeping() bool {
	_, open := d.answers()
	return open
}

// rows is how many rows were handed out.
func (d *daemon) rows() int {
	data, _ := os.ReadFile(filepath.Join(filepath.Dir(d.log), "rows"))
	return bytes.Count(data, []byte("\n"))
}

const (
	patience = 2 * time.Minute // longest for anything at all
	look     = 5 * time.Millisecond
)

// gateway starts the real program on the copy, a second time where the first start dies, and stops it once it serves and
// has its buffer open.
func gateway(ctx context.Context, program, replay, path string, cap int64) (o outcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		began := time.Now()
		d, err := start(program, replay, path, cap)
		if err != nil {
			return o, err
		}
		err = d.await(ctx, d.serving)
		o.service = time.Since(began)
		if err == nil {
			err = d.await(ctx, d.keeping)
		}
		if err == nil {
			err = d.stop()
			o.rows = d.rows()
		}
		if err == nil {
			return o, o.readLog(d, path)
		}
		if o.died++; o.died == 2 || ctx.Err() != nil {
			d.cmd.Process.Kill()
			return o, fmt.Errorf("start %d: %w\n%s", o.died, err, d.tail())
		}
	}
}

// await waits until done, or the gateway ends.
func (d *daemon) await(ctx context.Context, done func() bool) error {
	for !done() {
		select {
		case err := <-d.ended:
			return fmt.Errorf("it ended: %v", err)
		default:
		}
		if !testenv.Pause(ctx, look) {
			return ctx.Err()
		}
	}
	return nil
}

func (d *daemon) stop() error {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.ended:
		return err
	case <-time.After(10 * time.Second):
		return fmt.Errorf("it did not stop within 10 s")
	}
}

// readLog takes over what the gateway said of the file.
func (o *outcome) readLog(d *daemon, path string) error {
	aside, err := filepath.Glob(filepath.Join(filepath.Dir(path), "quarantine", "*"))
	o.damaged = len(aside) > 0
	log, _ := os.ReadFile(d.log)
	if said := salvageLine.FindSubmatch(log); said != nil {
		o.report = &buffer.Report{}
		fmt.Sscan(string(said[1]), &o.report.Records)
		fmt.Sscan(string(said[2]), &o.report.Lost)
	}
	return err
}
