package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/internal/proof"
	"holdfast/internal/testenv"
	"holdfast/rules"
)

// everyKind are rules of every kind over three sensors of a replay: wave swings and jumps, calm is withheld but for a few
// readings, gone falls silent for a while. The last one tells of each reading that is withheld that the rules have seen it.
const everyKind = `version: 1
rules:
  - {name: high, threshold: {sensor: wave, quantity: temperature_celsius, above: 5, clear: 4}}
  - {name: second, aggregate: {sensor: "*", quantities: [row_count], window: 1s, functions: [sum]}}
  - {name: twenty, aggregate: {sensor: "*", quantities: [row_count], count: 20, functions: [sum, p50, stddev]}}
  - {name: band, deadband: {sensor: calm, quantities: [temperature_celsius], absolute: 2}}
  - {name: steep, rate: {sensor: wave, quantity: temperature_celsius, above: 20, clear: 10, per: 1s}}
  - {name: silent, absence: {sensor: gone, after: 1s}}
  - {name: odd, anomaly: {sensor: wave, quantity: temperature_celsius, window: 15, warmup: 9, deviations: 6}}
  - {name: rising, trend: {sensor: wave, quantity: trend_celsius, window: 10s, rise: 5, per: 1s, clear: 2, least: 3}}
  - {name: minute, schedule: {cron: "* * * * *"}}
  - {name: seen, expression: {sensor: calm, derive: seen_count, value: row_count}}
`

const (
	killedRows  = 690
	rowInterval = 10 * time.Millisecond
)

// killedRow returns what row i of the replay has, from 1 on; no sensor for one that is not measured.
func killedRow(i int) (sensor string, temperature float64) {
	switch at := float64(i) * rowInterval.Seconds(); i % 3 {
	case 0:
		temperature = math.Round(1000*math.Sin(math.Pi*at)) / 100
		if i%150 == 0 {
			temperature += 200
		}
		return "wave", temperature
	case 1:
		return "calm", 20 + float64(i%7)/10 + float64(i/200)*3
	default:
		if i > 150 && i < 450 {
			return "", 0
		}
		return "gone", 1
	}
}

// A lives is a gateway on a replay, and what it was through.
type lives struct {
	t      *testing.T
	truth  string
	folder string
	rows   []int // the row of the table above that each one of the replay is
	ends   []int // how many rows of the replay had been handed out at the end of each life
}

// The same replay through rules of every kind, in a real process that is killed never and three times: what the rules made is
// what an engine makes of the readings that became durable. No reading is in a window twice, no window and no alert comes
// twice, and what each kill takes are the newest rows of its life.
func TestRulesThroughKills(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: runs real processes for ten seconds")
	}
	t.Parallel()
	for _, kills := range []int{0, 3} {
		t.Run(fmt.Sprint(kills, " kills"), func(t *testing.T) {
			t.Parallel()
			failed := 1
			note := ""
			defer func() {
				proof.Record(t, proof.Trial{
					Part: "Processes", Fault: "gateway killed (SIGKILL) while rules of every kind run",
					Holds: "aggregates, alerts and derived readings are what the rules make of the readings that are durable; none comes twice",
					Tried: max(kills, 1), Unit: "lives", Failed: failed, Note: note,
				})
			}()
			l := live(t, kills)
			note = l.judge(l.durable())
			if !t.Failed() {
				failed = 0
			}
		})
	}
}

// live runs the replay to its end.
func live(t *testing.T, kills int) *lives {
	dir := t.TempDir()
	l := &lives{t: t, truth: filepath.Join(dir, "truth.log"), folder: filepath.Join(dir, "data")}
	var csv strings.Builder
	csv.WriteString("time,sensor,row_count,temperature_celsius,trend_celsius\n")
	for i := 1; i <= killedRows; i++ {
		if sensor, v := killedRow(i); sensor != "" {
			l.rows = append(l.rows, i)
			fmt.Fprintf(&csv, "%.3f,%s,%d,%g,%g\n", (time.Duration(i) * rowInterval).Seconds(), sensor, i, v, max(0, float64(i-300)))
		}
	}
	file, set := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "rules.yaml")
	for name, text := range map[string]string{file: csv.String(), set: everyKind} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.prove()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &testenv.Process{
		Name: "gateway", Binary: self, Args: []string{"run", "--replay", file, "--replay-log", l.truth}, Log: testenv.LogFile(t, dir, "gateway"),
		Env: []string{"DATA_DIR=" + l.folder, "HTTP_LISTEN=off", "DEVICE_ID=pi-7", "RULES_FILE=" + set, "BUFFER_WINDOW_SECONDS=0.3", "GATEWAY_RESTART=supervised"},
	}
	p.Start(t)
	t.Cleanup(p.Kill)
	until := func(n int) {
		testenv.Poll(t.Context(), t, time.Minute, fmt.Sprint("row ", n), func() bool { return len(l.handedOut()) >= n })
	}
	random := rand.New(rand.NewPCG(6, uint64(time.Now().UnixNano())))
	for i := range kills {
		until(len(l.rows) * (i + 1) / (kills + 1))
		testenv.Pause(t.Context(), time.Duration(random.Int64N(int64(400*time.Millisecond))))
		p.Kill()
		l.ends = append(l.ends, len(l.handedOut()))
		p.Start(t)
	}
	until(len(l.rows))
	testenv.Pause(t.Context(), 2200*time.Millisecond) // what ends with time ends
	p.Stop(t)
	l.ends = append(l.ends, len(l.rows))
	return l
}

// prove lets the rules have proven themselves: a set that has not is taken back after three starts that do not end well.
func (l *lives) prove() {
	l.t.Helper()
	text, err := json.Marshal(book{Good: &ruleSet{Origin: originFile, Version: 1, Text: everyKind}, Proven: true})
	if err == nil {
		err = os.MkdirAll(l.folder, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(l.folder, rulesFile), text, 0o600)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// handedOut returns when each row was stamped.
func (l *lives) handedOut() (monos []int64) {
	text, err := os.ReadFile(l.truth)
	if err != nil {
		return nil // not yet
	}
	whole := string(text[:strings.LastIndexByte(string(text), '\n')+1])
	for line := range strings.Lines(whole) {
		var n int
		var mono int64
		if _, err := fmt.Sscan(line, &n, &mono); err != nil || n != len(monos)+1 {
			l.t.Fatalf("row %d of the log: %q", len(monos)+1, line)
		}
		monos = append(monos, mono)
	}
	return monos
}

// durable returns all records of the file, and of readings that were withheld those that a rule has seen.
func (l *lives) durable() (records []holdfast.Record) {
	l.t.Helper()
	b, err := buffer.Open(buffer.Options{Path: filepath.Join(l.folder, bufferFile), Device: "pi-7", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		l.t.Fatal(err)
	}
	defer b.Close()
	for _, lane := range holdfast.Lanes {
		err := b.Browse(lane, holdfast.Position{}, time.Time{}, time.Time{}, func(_ holdfast.Stream, _ uint64, data []byte) bool {
			r, err := holdfast.DecodeRecord(lane, data)
			if err != nil {
				l.t.Errorf("%s: %v", data, err)
			}
			records = append(records, r)
			return err == nil
		})
		if err != nil {
			l.t.Fatal(err)
		}
	}
	return records
}

// judge compares the records with what an engine makes of the readings among them.
func (l *lives) judge(records []holdfast.Record) string {
	t := l.t
	readings := make(map[int]*holdfast.Reading) // by row
	twice := func(what string, row int) {
		if readings[row] != nil {
			t.Errorf("%s of row %d is there twice", what, row)
		}
	}
	seen := make(map[int]*holdfast.Reading)
	for _, r := range records {
		reading, ok := r.(*holdfast.Reading)
		if !ok {
			continue
		}
		if row, ok := reading.Values["seen_count"]; ok {
			if seen[int(row)] != nil {
				t.Errorf("row %v was seen twice", row)
			}
			seen[int(row)] = reading
			continue
		}
		row := int(reading.Values["row_count"])
		twice("the reading", row)
		readings[row] = reading
	}
	withheld := 0
	for row, by := range seen {
		if readings[row] == nil {
			withheld++
			_, v := killedRow(row)
			readings[row] = &holdfast.Reading{Time: by.Time, Mono: by.Mono, Clock: by.Clock, Sensor: "calm",
				Values: map[string]float64{"row_count": float64(row), "temperature_celsius": v, "trend_celsius": max(0, float64(row-300))}}
		}
	}
	lost := l.prefixes(readings)
	for n, mono := range l.handedOut() {
		if r := readings[l.rows[n]]; r != nil {
			r.Mono = mono // which a record does not tell
		}
	}

	set, err := rules.Parse("every", []byte(everyKind))
	if err != nil {
		t.Fatal(err)
	}
	e := rules.New(set, rules.Options{Broken: func(rule string, err error) { t.Errorf("rule %s: %v", rule, err) }})
	var want []holdfast.Record
	held := 0
	for _, row := range slices.Sorted(maps.Keys(readings)) {
		r := readings[row]
		want = append(want, e.Apply(r, holdfast.Instant{Time: r.Time, Boot: "b", Mono: r.Mono, Synchronized: r.Clock == nil})...)
		if e.Fate().Withheld != "" {
			held++
		}
	}
	if held != withheld || held < 100 {
		t.Errorf("%d readings were withheld, want %d", withheld, held)
	}
	got, reference := account(t, records), account(t, want)
	for rule, lines := range reference {
		if rule == "second" || rule == "silent" {
			continue // as much as time passing has a part in them they are looked at below
		}
		if !slices.Equal(got[rule], lines) {
			t.Errorf("%s: %d records\n%s\nwant %d\n%s", rule, len(got[rule]), strings.Join(got[rule], "\n"), len(lines), strings.Join(lines, "\n"))
		}
	}
	for _, rule := range []string{"high", "twenty", "steep", "odd", "rising", "seen", "silent", "second"} {
		if len(got[rule]) == 0 {
			t.Errorf("nothing came of %s", rule)
		}
	}
	l.once(records, readings)
	return fmt.Sprintf("%d readings, %d of them withheld, %d lost with the kills; %d records of rules", len(readings), withheld, lost, len(records)-len(readings)+withheld)
}

// prefixes expects of each life the rows from its first one on, but for the newest, and returns how many are not there.
func (l *lives) prefixes(readings map[int]*holdfast.Reading) (lost int) {
	l.t.Helper()
	monos := l.handedOut()
	first := 0
	for life, end := range l.ends {
		n := first
		for n < end && readings[l.rows[n]] != nil {
			n++
		}
		for _, row := range l.rows[n:end] {
			if readings[row] != nil {
				l.t.Errorf("life %d: row %d is not there, and %d is", life, l.rows[n], row)
				break
			}
		}
		lost += end - n
		if took := time.Duration(monos[end-1]-monos[min(n, end-1)]) * time.Microsecond; took > 2*time.Second { // window and commit, on a busy machine
			l.t.Errorf("life %d: %v were lost", life, took)
		}
		if life == len(l.ends)-1 && n < end {
			l.t.Errorf("%d rows are missing after a stop", end-n)
		}
		first = end
	}
	return lost
}

// account writes what each rule made, one line a record. Names of alerts are drawn, and left out.
func account(t *testing.T, records []holdfast.Record) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	for _, record := range records {
		rule := ""
		switch r := record.(type) {
		case *holdfast.Alert:
			nameless := *r
			nameless.ID = ""
			nameless.Clock = nil // tells the boot
			rule, record = r.Rule, &nameless
		case *holdfast.Aggregate:
			nameless := *r
			nameless.Clock = nil
			rule, record = r.Rule+" "+r.Sensor, &nameless
			if r.Rule == "second" {
				rule = "second"
			}
		case *holdfast.Reading:
			if _, ok := r.Values["seen_count"]; ok {
				rule = "seen"
			}
		}
		if rule == "" {
			continue
		}
		line, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		out[rule] = append(out[rule], string(line))
		if name, _, ok := strings.Cut(rule, " "); ok {
			out[name] = append(out[name], "")
		}
	}
	return out
}

// once expects each reading in one window, each window and each step of an alert once, and each firing of a schedule.
func (l *lives) once(records []holdfast.Record, readings map[int]*holdfast.Reading) {
	t := l.t
	t.Helper()
	counts, sums := make(map[string]uint64), make(map[string]float64)
	ends := make(map[string]time.Time)
	steps, raised := make(map[string]bool), make(map[string]string)
	for _, record := range records {
		switch r := record.(type) {
		case *holdfast.Aggregate:
			if r.Rule != "second" {
				continue
			}
			// A window that time ended and a reading that was on its way then may overlap by as much as that took.
			if ends[r.Sensor].Sub(r.From) > 500*time.Millisecond || !r.To.After(ends[r.Sensor]) || r.Partial {
				t.Errorf("window of %s from %v to %v, partial %v, behind one to %v", r.Sensor, r.From, r.To, r.Partial, ends[r.Sensor])
			}
			ends[r.Sensor] = r.To
			counts[r.Sensor] += r.Count
			sums[r.Sensor] += r.Values["row_count_sum"]
		case *holdfast.Alert:
			step := r.ID + " " + string(r.State)
			if steps[step] || r.State == holdfast.Raised == (raised[r.Rule] == r.ID) || r.State == holdfast.Raised && raised[r.Rule] != "" {
				t.Errorf("alert %s of %s is %s, and raised is %q", r.ID, r.Rule, r.State, raised[r.Rule])
			}
			steps[step] = true
			if raised[r.Rule] = r.ID; r.State == holdfast.Cleared {
				raised[r.Rule] = ""
			}
		case *holdfast.Event:
			if r.Event == holdfast.EventSchedule && steps[string(r.Data)] {
				t.Errorf("a schedule fired twice: %s", r.Data)
			}
			if r.Event == holdfast.EventSchedule {
				steps[string(r.Data)] = true
			}
		}
	}
	for row, r := range readings {
		counts[r.Sensor]--
		sums[r.Sensor] -= float64(row)
	}
	for sensor, n := range counts {
		if n != 0 || sums[sensor] != 0 {
			t.Errorf("the windows of %s hold %d readings more than there are, of %v more", sensor, int64(n), sums[sensor])
		}
	}
}
