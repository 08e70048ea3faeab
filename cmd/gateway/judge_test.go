package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"holdfast"
	"holdfast/receiver"
)

// A judge compares what is in a database with what a Pi's sensors handed out, by SQL and rules of the test's own.
type judge struct {
	*system
	pi    *pi
	cloud *cloud

	readings, aggregates, alerts, events int           // in the database
	lost                                 int           // readings in memory when the gateway was killed
	oldest                               time.Duration // of them, before the kill
}

// window is how long a reading may be in memory only. A chip is read for a few milliseconds before.
const window = time.Second + 50*time.Millisecond

// A sampled names a reading: no sensor is read twice at one instant.
type sampled struct {
	sensor string
	us     int64
}

// A stored reading is one as the database has it.
type stored struct {
	number number
	values map[string]float64
}

// A number is that of a record of the lane telemetry.
type number struct {
	stream string
	seq    uint64
}

// calm is how long after the last fault the gateway may take until it owes nothing: the longest pauses of both sides, one
// after the other.
const calm = 25 * time.Minute

// drain waits until the gateway owes nothing.
func (j *judge) drain() {
	j.t.Helper()
	for start := time.Now(); j.pi.pending() > 0 && time.Since(start) < calm; {
		wait(time.Second)
	}
	if n := j.pi.pending(); n > 0 {
		j.t.Errorf("%d numbers are owed after %v of calm\nthe link: %+v\nthe receiver: %v", n, calm, j.pi.life.gateway.uplink.Status(), j.cloud.receiver.Connected())
	}
}

// everything expects every number stored, every reading once, and of the rules what follows from the readings.
func (j *judge) everything() {
	j.t.Helper()
	readings := j.stored()
	j.judgeReadings(readings)
	j.judgeLedger()
	j.judgeStarts()
	if n := j.cloud.number("SELECT count(*) FROM dead_letter"); n > 0 {
		j.t.Errorf("%d dead letters", n)
	}
	if slices.Contains(j.pi.config, "RULES_FILE") {
		j.judgeAlerts(readings)
		j.judgeAggregates(readings)
	}
}

// stored returns every reading of the database. A reading that is there under two numbers is an error.
func (j *judge) stored() map[sampled]stored {
	j.t.Helper()
	found := map[sampled]stored{}
	var at sampled
	var n number
	var quantity string
	var value float64
	j.cloud.query([]any{&at.sensor, &at.us, &n.stream, &n.seq, &quantity, &value}, func() {
		r, known := found[at]
		if !known {
			r = stored{n, map[string]float64{}}
			found[at] = r
		}
		if _, twice := r.values[quantity]; twice || r.number != n {
			j.t.Errorf("%v is in the database twice: numbers %v and %v", at, r.number, n)
		}
		r.values[quantity] = value
	}, `SELECT sensor, time_us, lower(hex(stream.id)), seq, quantity, value FROM sample
		JOIN series ON series.id = sample.series JOIN stream ON stream.n = sample.stream`)
	j.readings = len(found)
	return found
}

// judgeReadings expects every reading that was taken, but for the window of a kill, with its values, and no other.
func (j *judge) judgeReadings(found map[sampled]stored) {
	j.t.Helper()
	for at, before := range j.missing(found) {
		if before < 0 || before > window {
			j.t.Errorf("%v is lost, %v before its process was killed", at, before)
		}
		j.lost++
		j.oldest = max(j.oldest, before)
	}
}

// missing returns which of the readings that were taken are not there, with how long before a kill that was, negative where
// there was none. It expects of the others the values that were taken, and that there is nothing else.
func (j *judge) missing(found map[sampled]stored) map[sampled]time.Duration {
	j.t.Helper()
	rest, missing := maps.Clone(found), map[sampled]time.Duration{}
	for _, l := range j.pi.lives {
		for _, r := range l.readings() {
			at := sampled{r.Sensor, r.Time.UnixMicro()}
			got, ok := rest[at]
			delete(rest, at)
			switch {
			case ok && !maps.Equal(got.values, r.Values):
				j.t.Errorf("%v: stored %v, taken %v", at, got.values, r.Values)
			case !ok && l.killed.IsZero():
				missing[at] = -1
			case !ok:
				missing[at] = l.killed.Sub(r.Time)
			}
		}
	}
	for at := range rest {
		j.t.Errorf("%v is in the database and was never taken", at)
	}
	return missing
}

// judgeLedger expects as many rows as numbers with data, and no number without.
func (j *judge) judgeLedger() {
	j.t.Helper()
	j.events = j.cloud.number("SELECT count(*) FROM record WHERE kind = 'event'")
	rows := j.readings + j.cloud.number("SELECT count(*) FROM record")
	if data := j.cloud.number("SELECT sum(last - first + 1) FROM ledger WHERE state = 'data'"); data != rows {
		j.t.Errorf("%d numbers are in the ledger as stored, %d records are stored", data, rows)
	}
	totals := j.cloud.completeness("bubble").Totals
	if (totals != receiver.Totals{Head: uint64(rows), Data: uint64(rows)}) {
		j.t.Errorf("completeness %+v, want all of %d stored", totals, rows)
	}
}

// judgeAlerts expects the steps that follow from the stored readings, each once.
func (j *judge) judgeAlerts(found map[sampled]stored) {
	j.t.Helper()
	var want []string
	raised := false
	for _, at := range inTime(found, "bme280-1-76") {
		value := found[at].values["temperature_celsius"]
		if step := map[bool]holdfast.AlertState{true: holdfast.Cleared, false: holdfast.Raised}[raised]; !raised && value > 26 || raised && value <= 25 {
			want = append(want, fmt.Sprint(step, " ", at.us))
			raised = !raised
		}
	}
	var got, ids []string
	var text string
	j.cloud.query([]any{&text}, func() {
		var a holdfast.Alert
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			j.t.Error(err)
		}
		got = append(got, fmt.Sprint(a.State, " ", a.Time.UnixMicro()))
		ids = append(ids, a.ID)
	}, "SELECT json FROM record WHERE kind = 'alert' ORDER BY time_us")
	if !slices.Equal(got, want) {
		j.t.Errorf("%d steps of alerts are stored, %d follow from the readings:\n%v\n%v", len(got), len(want), got, want)
	}
	for i := 1; i < len(ids); i++ {
		if same := ids[i] == ids[i-1]; same != (i%2 == 1) {
			j.t.Errorf("step %d and the one before have ids %s and %s", i, ids[i], ids[i-1])
		}
	}
	j.alerts = len(got)
}

// inTime returns the readings of a sensor in order of time.
func inTime(found map[sampled]stored, sensor string) (all []sampled) {
	for at := range found {
		if at.sensor == sensor {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, func(a, b sampled) int { return int(a.us - b.us) })
	return all
}

// judgeAggregates expects every stored reading in exactly one window, but for those of the window that is open at the end,
// and every window to say what follows from its readings.
func (j *judge) judgeAggregates(found map[sampled]stored) {
	j.t.Helper()
	windows := map[string][]holdfast.Aggregate{}
	var text string
	j.cloud.query([]any{&text}, func() {
		var a holdfast.Aggregate
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			j.t.Error(err)
		}
		windows[a.Sensor] = append(windows[a.Sensor], a)
		j.aggregates++
	}, "SELECT json FROM record WHERE kind = 'aggregate' ORDER BY json ->> 'from'")
	if n := j.cloud.number("SELECT count(*) FROM aggregate"); n != j.aggregates {
		j.t.Errorf("%d aggregates were stored, in %d windows", j.aggregates, n)
	}
	for _, sensor := range []string{"bme280-1-76", "tmp102-1-48"} {
		readings := inTime(found, sensor)
		for _, w := range windows[sensor] {
			var within []sampled
			for len(readings) > 0 && readings[0].us < w.To.UnixMicro() {
				if readings[0].us < w.From.UnixMicro() {
					j.t.Errorf("%v is in no window, the next one is %v to %v", readings[0], w.From, w.To)
				} else {
					within = append(within, readings[0])
				}
				readings = readings[1:]
			}
			j.judgeWindow(w, found, within)
		}
		if len(readings) > 0 {
			if open := time.Duration(readings[len(readings)-1].us-readings[0].us) * time.Microsecond; open >= time.Minute {
				j.t.Errorf("%s: the last %v of readings are in no window", sensor, open)
			}
		}
	}
}

// judgeWindow compares a window with its readings.
func (j *judge) judgeWindow(w holdfast.Aggregate, found map[sampled]stored, within []sampled) {
	j.t.Helper()
	want := map[string]float64{}
	for i, at := range within {
		for quantity, v := range found[at].values {
			if i == 0 {
				want[quantity+"_min"], want[quantity+"_max"] = v, v
			}
			want[quantity+"_count"]++
			want[quantity+"_sum"] += v
			want[quantity+"_mean"] = want[quantity+"_sum"] / want[quantity+"_count"]
			want[quantity+"_min"] = min(want[quantity+"_min"], v)
			want[quantity+"_max"] = max(want[quantity+"_max"], v)
		}
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a)) }
	if w.Count != uint64(len(within)) || !maps.EqualFunc(w.Values, want, near) {
		j.t.Errorf("%s %v to %v: %d readings, %v; the database has %d, %v", w.Sensor, w.From, w.To, w.Count, w.Values, len(within), want)
	}
}

// judgeStarts expects one boot event of each life, and how each one ended.
func (j *judge) judgeStarts() {
	j.t.Helper()
	if n := j.cloud.number("SELECT count(*) FROM record WHERE json ->> 'event' = 'boot'"); n != len(j.pi.lives) {
		j.t.Errorf("%d boot events of %d starts", n, len(j.pi.lives))
	}
	ended := map[string]string{}
	for _, s := range j.cloud.completeness("bubble").Streams {
		ended[s.Stream] = s.Ended
	}
	for _, l := range j.pi.lives[:len(j.pi.lives)-1] {
		want := "clean"
		if !l.killed.IsZero() {
			want = "crash"
		}
		if got := ended[l.last.Stream.String()]; got != want {
			j.t.Errorf("stream %s ended %q, want %s", l.last.Stream, got, want)
		}
	}
}

// A place is a lane of a stream.
type place struct {
	stream string
	lane   holdfast.Lane
}

// ledger returns what the database accounts for.
func (j *judge) ledger() map[place]holdfast.Ranges {
	j.t.Helper()
	ledger := map[place]holdfast.Ranges{}
	var p place
	var r holdfast.Range
	j.cloud.query([]any{&p.stream, &p.lane, &r.First, &r.Last}, func() {
		ranges := ledger[p]
		ranges.Add(r)
		ledger[p] = ranges
	}, "SELECT lower(hex(stream.id)), lane, first, last FROM ledger JOIN stream ON stream.n = ledger.stream ORDER BY first")
	return ledger
}

// owed reads from the buffer what it owes, number by number.
func (j *judge) owed() map[place]holdfast.Ranges {
	j.t.Helper()
	owed := map[place]holdfast.Ranges{}
	for _, lane := range holdfast.Lanes {
		var at holdfast.Position
		for {
			b, ok, err := j.pi.life.gateway.buffer.Next(lane, at, holdfast.MaxBatchRecords, holdfast.MaxBatchBytes)
			if err != nil {
				j.t.Fatal(err)
			}
			if !ok {
				break
			}
			p := place{b.Stream.String(), lane}
			ranges := owed[p]
			ranges.Add(b.Range())
			owed[p] = ranges
			at = holdfast.Position{Stream: b.Stream, Seq: b.Last}
		}
	}
	return owed
}
