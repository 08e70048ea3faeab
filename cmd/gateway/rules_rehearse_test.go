package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/dashboard"
	"holdfast/rehearse"
	"holdfast/rules"
)

const (
	activeRules = `version: 1
rules:
  - {name: warm, threshold: {quantity: temperature_celsius, above: 30}}
  - {name: double, expression: {derive: double, value: temperature_celsius * 2}}
  - {name: minute, aggregate: {quantities: [temperature_celsius], window: 1m, functions: [mean]}}
  - {name: quiet, deadband: {quantities: [temperature_celsius], absolute: 1}}
`
	newRules = `version: 2
rules:
  - {name: warm, threshold: {quantity: temperature_celsius, above: 25}}
  - {name: double, expression: {derive: double, value: temperature_celsius * 2}}
  - {name: news, deadband: {quantities: [temperature_celsius], absolute: 3}}
`
)

// lived writes the buffer of an hour in which a gateway had the active rules: a reading in ten seconds, between 10 and 40.
func lived(t *testing.T, path string) {
	t.Helper()
	b, err := buffer.Open(buffer.Options{Path: path, Device: "pi-7", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse("active", []byte(activeRules))
	if err != nil {
		t.Fatal(err)
	}
	e := rules.New(set, rules.Options{})
	begin := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	for i := range 360 {
		d := time.Duration(i) * 10 * time.Second
		at := holdfast.Instant{Time: begin.Add(d), Boot: "b", Mono: (time.Hour + d).Microseconds(), Synchronized: true}
		r := &holdfast.Reading{Time: at.Time, Mono: at.Mono, Sensor: "s", Values: map[string]float64{"temperature_celsius": float64(10 + i%31)}}
		var change buffer.Change
		encoded := func(record holdfast.Record) buffer.Record {
			data, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			return buffer.Record{Lane: record.Lane(), Time: record.When(), Data: data}
		}
		for _, record := range append(e.Tick(at), e.Apply(r, at)...) {
			change.Records = append(change.Records, encoded(record))
		}
		if e.Fate().Withheld != "" {
			change.Local = append(change.Local, encoded(r))
		} else {
			change.Records = append(change.Records, encoded(r))
		}
		if err := b.Append(change); err != nil {
			t.Fatal(err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := b.Run(ended); err != nil { // its end makes all durable
		t.Fatal(err)
	}
}

// A set is rehearsed on what a gateway holds, by its page while it runs and by its file while it does not, and the set in force,
// rehearsed on the same readings, does what it did.
func TestRehearseHistory(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	set, active := file("new.yaml", newRules), file("active.yaml", activeRules)
	t.Setenv("DATA_DIR", dir)
	t.Setenv("RULES_FILE", active)
	check := func(name string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if err := rulesRehearse(t.Context(), append([]string{set, "--last", "2h", "--json"}, args...), &out); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		var c rehearse.Comparison
		if err := json.Unmarshal(out.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		fired := func(r *rehearse.Report) (counts []uint64) {
			for _, rule := range r.Rules {
				counts = append(counts, rule.Fired)
			}
			return counts
		}
		if c.Active == nil || c.History == nil || c.Rehearsed.Readings != 360 {
			t.Fatalf("%s: %s", name, out.Bytes())
		}
		// 10 to 40 in 31 readings: 12 times beyond 25, of which the last is cut off at 28; 11 times beyond
		// 30. Of 31 readings 8 go up, each more than 3 from the one before.
		if got := fmt.Sprint(fired(&c.Rehearsed)); got != "[12 360 267]" {
			t.Errorf("%s: the new set fired %s", name, got)
		}
		really := c.History
		if got, want := fmt.Sprint(fired(c.Active)), fmt.Sprintf("[%d %d %d %d]", really.Fired["warm"], really.Fired["double"], really.Fired["minute"], really.Withheld); got != want || really.Fired["warm"] != 11 {
			t.Errorf("%s: the active set fired %s, and really %s", name, got, want)
		}
		if really.Readings != c.Active.Traffic.Readings || really.Withheld < 100 || really.Derived != 360 || really.Alerts != c.Active.Traffic.Alerts {
			t.Errorf("%s: %+v, want what %+v has", name, really, c.Active.Traffic)
		}
	}

	path := filepath.Join(dir, bufferFile)
	lived(t, path)
	check("file", "--url", "http://127.0.0.1:1")

	b, err := buffer.Open(buffer.Options{Path: path, Device: "pi-7", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var none bytes.Buffer
	if err := rulesRehearse(t.Context(), []string{set, "--last", "2h", "--url", "http://127.0.0.1:1"}, &none); !errors.Is(err, buffer.ErrHeld) {
		t.Errorf("a gateway without a page: %v", err)
	}
	g := &gateway{buffer: b, opened: make(chan struct{})}
	close(g.opened)
	page := httptest.NewServer(dashboard.New(dashboard.Options{Archive: history{g}, Rules: inForce{}, Log: slog.New(slog.DiscardHandler)}))
	defer page.Close()
	t.Setenv("RULES_FILE", "") // the page tells what is in force
	check("page", "--url", page.URL)
	check("page and a file", "--url", page.URL, "--active", active)
}

// inForce is a gateway that runs the active rules.
type inForce struct{ dashboard.Rules }

func (inForce) State(context.Context) (dashboard.RulesView, error) {
	return dashboard.RulesView{Text: activeRules}, nil
}

// What rehearse cannot do it says, with exit code 2 where the command line is wrong.
func TestRehearseMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad, csv := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml"), filepath.Join(dir, "r.csv")
	for file, text := range map[string]string{
		good: newRules, bad: "version: 1\nrules: [{name: x, treshold: {}}]\n", csv: "time,sensor,temperature_celsius\n0,s,1\nx,s,2\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args string
		want string
	}{
		{good, "want gateway rules rehearse"},
		{good + " --csv " + csv + " --last 1h", "want gateway rules rehearse"},
		{good + " --last 1s", "want 1m to 744h"},
		{bad + " --csv " + csv, "did you mean threshold"},
		{good + " --csv " + csv, "r.csv:3:1: time \"x\""},
		{good + " --csv " + csv + ".none", "no such file"},
		{good + " --csv " + csv + " --active " + bad, "did you mean threshold"},
		{good + " --csv " + csv + " --start noon", `--start "noon": want RFC 3339`},
		{good + " --last 1h --url http://127.0.0.1:1 --config " + dir + "/none.yaml", "no gateway answers"},
	} {
		var out bytes.Buffer
		err := rulesRehearse(t.Context(), strings.Fields(test.args), &out)
		if err == nil || !errors.Is(err, errUsage) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.args, err, test.want)
		}
	}
}
