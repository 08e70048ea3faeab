package virtualpi

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the database is read by SQL of the test's own, not through the code under test
)

// window is what may be missing before a cut: the promised second, and on this slow disk the commit that was under way
// and the growth of the file that it waited for.
const window = 3 * time.Second

// A verdict is what became of the readings, cuts and all.
type verdict struct {
	births, checks, opens int           // cuts before there was a page: of a new file, in the look at an old one, behind that
	durable, lost         int           // numbers that the page called durable before a cut; those that are missing
	backlog               int           // of the durable ones, those that were on the card only
	rows                  int           // of the replays, in the database
	changes               int64         // of settings that were confirmed
	windows               int           // cuts whose window could be measured
	oldest                time.Duration // how long before its cut the oldest missing row was taken
	broken                []string      // what contradicts the promise
}

func (v *verdict) add(o verdict) {
	v.births, v.checks, v.opens, v.changes = v.births+o.births, v.checks+o.checks, v.opens+o.opens, v.changes+o.changes
	v.durable, v.lost, v.backlog, v.rows, v.windows = v.durable+o.durable, v.lost+o.lost, v.backlog+o.backlog, v.rows+o.rows, v.windows+o.windows
	v.oldest, v.broken = max(v.oldest, o.oldest), append(v.broken, o.broken...)
}

func (v verdict) String() string {
	return fmt.Sprintf("%d cuts in the birth of the file, %d in the look at it after a cut, %d in opening it; "+
		"%d numbers durable, %d of them on the card only, %d lost; %d changes of settings confirmed; %d rows in the database; the oldest reading that %d cuts took was %v old",
		v.births, v.checks, v.opens, v.durable, v.backlog, v.lost, v.changes, v.rows, v.windows, v.oldest.Round(time.Millisecond))
}

// A judge looks into the database of a receiver that has stopped.
type judge struct {
	*card
	db *sql.DB
	verdict
}

// judge compares the database with what the page of each life vouched for.
func (c *card) judge() verdict {
	c.Helper()
	files, _ := filepath.Glob(filepath.Join(c.data, "*.db"))
	if len(files) != 1 {
		c.Fatalf("databases in %s: %v, want one", c.data, files)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?mode=ro")
	c.do(err)
	defer db.Close()
	j := &judge{card: c, db: db}
	for _, l := range c.lives {
		j.started(l)
		j.settings(l)
		j.vouched(l)
		j.replayed(l)
	}
	j.ledger()
	return j.verdict
}

func (j *judge) breach(format string, args ...any) {
	j.broken = append(j.broken, fmt.Sprintf(format, args...))
}

// started: the gateway did, and took its file for sound, as the cut before left it.
func (j *judge) started(l *life) {
	log := l.Log()
	if strings.Contains(log, "damaged") {
		j.breach("life %d: the cut before damaged the file", l.number)
	}
	_, said := l.heard()
	switch examined := strings.Contains(log, "buffer file examined"); {
	case !said.none():
	case l.number == 1:
		j.births++
	case examined:
		j.opens++
	default:
		j.checks++
	}
}

// settings: a change that the page of an earlier life confirmed is in force.
func (j *judge) settings(l *life) {
	if said, _ := l.heard(); !said.none() && said.Changes < j.changes {
		j.breach("life %d: settings stand at change %d, change %d was confirmed before", l.number, said.Changes, j.changes)
	}
	j.changes = max(j.changes, l.changes)
}

// vouched: what the page called durable is in the database.
func (j *judge) vouched(l *life) {
	_, said := l.heard() // no lanes where the page was not there
	for lane, status := range said.Buffer.Lanes {
		head := int(status.Head)
		there := j.count(`SELECT count(DISTINCT seq) FROM (SELECT stream, 'telemetry' AS lane, seq FROM sample UNION ALL SELECT stream, lane, seq FROM record)
			WHERE stream = (SELECT n FROM stream WHERE id = ?1) AND lane = ?2 AND seq <= ?3`, said.Stream[:], lane, head)
		known := j.count(`SELECT coalesce(sum(min(last, ?3) - first + 1), 0) FROM ledger
			WHERE stream = (SELECT n FROM stream WHERE id = ?1) AND lane = ?2 AND first <= ?3 AND state = 'data'`, said.Stream[:], lane, head)
		if there != head || known != head {
			j.breach("life %d: %s was durable up to %d: %d of these are in the database, %d in the ledger as data", l.number, lane, head, there, known)
		}
		j.lost += head - there
		if !l.end.IsZero() {
			j.durable, j.backlog = j.durable+head, j.backlog+int(status.Pending)
		}
	}
}

// replayed: of the rows of a life a beginning is in the database, each row once, and what is missing behind it was taken
// within the window.
func (j *judge) replayed(l *life) {
	const rows = ` FROM sample JOIN series ON series.id = sample.series WHERE series.quantity = 'number_count' AND value > ?1 AND value <= ?2`
	behind, upTo := l.number*rowsPerLife, (l.number+1)*rowsPerLife
	all, different := j.count(`SELECT count(*)`+rows, behind, upTo), j.count(`SELECT count(DISTINCT value)`+rows, behind, upTo)
	last := j.count(`SELECT coalesce(max(value), ?1) - ?1`+rows, behind, upTo)
	if all != different || all != last {
		j.breach("life %d: %d rows up to row %d, of which %d are different ones", l.number, all, last, different)
	}
	j.rows += all

	first, said := l.heard()
	if first.none() || l.end.IsZero() || l.end.Sub(first.At) < window {
		return // the file was not open for that long
	}
	newest := time.UnixMicro(int64(j.count(`SELECT coalesce(max(time_us), 0)`+rows, behind, upTo)))
	missing := said.guest(l.end).Sub(newest.Add(rowInterval))
	if missing > window {
		j.breach("life %d: a row is missing that was taken %v before the cut", l.number, missing)
	}
	j.windows, j.oldest = j.windows+1, max(j.oldest, missing)
}

// ledger: it knows every number of every lane as data, every cut as the crash that ended a stream, and nothing was odd.
func (j *judge) ledger() {
	for _, want := range []struct {
		what, query string
		n           int
	}{
		{"numbers that the ledger lacks below the end of a lane", `SELECT sum(lacks) FROM (SELECT max(last) - sum(last - first + 1) AS lacks FROM ledger GROUP BY stream, lane)`, 0},
		{"ranges that are not data", `SELECT count(*) FROM ledger WHERE state <> 'data'`, 0},
		{"numbers of telemetry without a sample", `SELECT (SELECT sum(last - first + 1) FROM ledger WHERE lane = 'telemetry') - (SELECT count(*) FROM sample)`, 0},
		{"streams that nothing ended: the newest", `SELECT count(*) FROM stream WHERE ended IS NULL`, 1},
		{"streams that ended otherwise than in a crash", `SELECT count(*) FROM stream WHERE ended <> 'crash'`, 0},
		{"dead letters", `SELECT count(*) FROM dead_letter`, 0},
	} {
		if n := j.count(want.query); n != want.n {
			j.breach("%d %s, want %d", n, want.what, want.n)
		}
	}
}

// count reads an answer that is one number.
func (j *judge) count(query string, args ...any) (n int) {
	j.Helper()
	j.do(j.db.QueryRowContext(j.Context(), query, args...).Scan(&n))
	return n
}
