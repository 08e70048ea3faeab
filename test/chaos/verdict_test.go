package chaos

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database is read by SQL of the test's own, not through the code under test
)

// window is what may be lost at a kill of the gateway: the stated second, and the commit that was under way. Where the machine
// stood still meanwhile, see probe, it is longer by that.
const window = 1500 * time.Millisecond

// A verdict is the count of what became of every row.
type verdict struct {
	rows, once, twice int
	lost              int           // before a kill of the gateway, and not held yet
	farthest          time.Duration // how long before the kill the oldest of them was handed out
	outside           int           // lost otherwise
	oldest            time.Duration // how long before the next kill, where one came, the oldest of those was handed out
	stated            int           // numbers of telemetry that the ledger holds as dropped, cause full
	strange           []string      // what the ledger says that nothing here accounts for, and rows nobody handed out
	holes             []string      // numbers that no ledger entry holds
}

func (v verdict) String() string {
	text := fmt.Sprintf("%d rows, %d stored once", v.rows, v.once)
	for _, c := range []struct {
		n    int
		what string
	}{
		{v.twice, "twice"},
		{v.lost, fmt.Sprintf("lost within the window of a kill (the oldest %v before it)", v.farthest.Round(time.Millisecond))},
		{v.outside, "not stored otherwise"},
		{v.stated, "stated as dropped (full)"},
		{len(v.holes), "holes in the ledger"},
		{len(v.strange), "strange statements"},
	} {
		if c.n > 0 {
			text += fmt.Sprintf(", %d %s", c.n, c.what)
		}
	}
	return text
}

// broken counts what breaks the promise.
func (v verdict) broken() int {
	return v.twice + max(v.outside-v.stated, 0) + len(v.strange) + len(v.holes)
}

// check fails the test where the promise is broken, or nothing was tried.
func (v verdict) check(t *testing.T) {
	t.Helper()
	t.Log(v)
	if v.once == 0 || v.broken() > 0 {
		t.Errorf("the promise is broken: %v\n%v\n%v", v, v.holes, v.strange)
	}
}

// judge compares the database with the truth: at[i] is when row i+1 was handed out, losses say what may be lost.
func judge(t *testing.T, folder string, at []int64, l losses) verdict {
	t.Helper()
	db := openDatabase(t, folder)
	defer db.Close()

	v := verdict{rows: len(at), holes: holes(t, db)}
	v.stated, v.strange = statements(t, db)
	counts := countRows(t, db)
	var missing []int
	for i, taken := range at {
		switch n := counts[i+1]; {
		case n == 1:
			v.once++
		case n > 1:
			v.twice++
		default:
			before, explained := l.explain(taken)
			if !explained {
				v.outside++
				v.oldest = max(v.oldest, before)
				missing = append(missing, i+1)
				continue
			}
			v.lost++
			v.farthest = max(v.farthest, before)
		}
		delete(counts, i+1)
	}
	for row, n := range counts {
		v.strange = append(v.strange, fmt.Sprintf("row %d is in the database %d times and was never handed out", row, n))
	}
	if v.outside > v.stated {
		t.Errorf("%d rows are lost outside of every window, the oldest %v before a kill, %d of them stated: %v…\nfrom 10 s before the first was handed out to 10 s after it:\n%s",
			v.outside, v.oldest, v.stated, missing[:min(len(missing), 50)], l.around(at[missing[0]-1]))
	}
	return v
}

// losses are the kills of the gateway, and the times in which it could make nothing durable.
type losses struct {
	deaths []int64
	full   []span
	events []happening
	probe  *probe
}

func (b *bench) losses() losses { return losses{b.deaths, b.full, b.events, b.probe} }

// around tells what was done 10 s before and behind an instant, in ms.
func (l losses) around(at int64) string {
	var b strings.Builder
	for _, e := range l.events {
		if ms := (e.at - at) / 1000; ms > -10_000 && ms < 10_000 {
			fmt.Fprintf(&b, "%+6d ms %s\n", ms, e.what)
		}
	}
	return b.String()
}

// explain tells how long before the next kill of the gateway a row was handed out, and whether it need not have been held
// then: it was younger than the window, or the disk has taken nothing since.
func (l losses) explain(taken int64) (time.Duration, bool) {
	for _, death := range l.deaths {
		if death < taken {
			continue
		}
		for _, s := range l.full {
			if taken > s.from-window.Microseconds() && death < s.to+window.Microseconds() && death > s.from {
				return 0, true
			}
		}
		before := time.Duration(death-taken) * time.Microsecond
		return before, before <= window+l.probe.stalled(death)
	}
	return 0, false
}

func openDatabase(t *testing.T, folder string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, database)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// database is the receiver's file in its folder.
const database = "receiver.db"

// newestRow returns the number of the newest row in the database, 0 where it cannot be read yet.
func newestRow(folder string) int {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, database)+"?mode=ro")
	if err != nil {
		return 0
	}
	defer db.Close()
	var value float64
	if db.QueryRow(`SELECT coalesce(max(sample.value), 0) FROM sample JOIN series ON series.id = sample.series
		WHERE series.sensor = 'numbers'`).Scan(&value) != nil {
		return 0
	}
	return int(value)
}

// statements returns how many numbers of telemetry were dropped for want of space, and every statement of a loss beside that.
func statements(t *testing.T, db *sql.DB) (full int, strange []string) {
	t.Helper()
	rows, err := db.Query(`SELECT lane, state, cause, sum(last - first + 1) FROM ledger WHERE state != 'data' GROUP BY lane, state, cause`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var lane, state, cause string
		var n int
		if err := rows.Scan(&lane, &state, &cause, &n); err != nil {
			t.Fatal(err)
		}
		if lane == "telemetry" && state == "dropped" && cause == "full" {
			full = n
			continue
		}
		strange = append(strange, fmt.Sprintf("%d numbers of %s are %s (%s)", n, lane, state, cause))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return full, strange
}

func countRows(t *testing.T, db *sql.DB) map[int]int {
	t.Helper()
	rows, err := db.Query(`SELECT sample.value, count(*) FROM sample JOIN series ON series.id = sample.series
		WHERE series.sensor = 'numbers' AND series.quantity = 'number_count' GROUP BY sample.value`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	counts := map[int]int{}
	for rows.Next() {
		var value float64
		var n int
		if err := rows.Scan(&value, &n); err != nil {
			t.Fatal(err)
		}
		counts[int(value)] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return counts
}

// holes returns every place where the ledger of a lane does not run from 1 to its end without a gap or an overlap.
func holes(t *testing.T, db *sql.DB) []string {
	t.Helper()
	rows, err := db.Query(`SELECT hex(stream), lane, first, last FROM ledger ORDER BY stream, lane, first`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var found []string
	next := map[string]int64{}
	for rows.Next() {
		var stream, lane string
		var first, last int64
		if err := rows.Scan(&stream, &lane, &first, &last); err != nil {
			t.Fatal(err)
		}
		place := stream + " " + lane
		if want := max(next[place], 1); first != want {
			found = append(found, fmt.Sprintf("%s: after %d comes %d", place, want-1, first))
		}
		next[place] = last + 1
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}
