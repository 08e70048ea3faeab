package kill

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database is read by SQL of the test's own, not through the code under test
)

// window is what may be lost at a kill of the gateway: the stated second, and the commit that was under way.
const window = 1500 * time.Millisecond

// A verdict is the count of what became of every row.
type verdict struct {
	rows, once, twice, lost, unexplained int
	farthest                             time.Duration // how long before a kill the oldest lost row was handed out
	holes                                []string      // numbers that no ledger entry holds
}

func (v verdict) String() string {
	return fmt.Sprintf("%d rows handed out: %d in the database once, %d twice, %d lost within the window of a kill (the oldest %v before it), %d lost outside it; %d holes in the ledger",
		v.rows, v.once, v.twice, v.lost, v.farthest.Round(time.Millisecond), v.unexplained, len(v.holes))
}

// judge compares the database with the truth: at[i] is when row i+1 was handed out, kills are those of the gateway.
func judge(t *testing.T, folder string, at, kills []int64) verdict {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, "*.db"))
	if len(files) != 1 {
		t.Fatalf("databases in %s: %v, want one", folder, files)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	v := verdict{rows: len(at), holes: holes(t, db)}
	counts := countRows(t, db)
	for i, taken := range at {
		switch n := counts[i+1]; {
		case n == 1:
			v.once++
		case n > 1:
			v.twice++
		default:
			before, explained := lostBy(taken, kills)
			if !explained {
				v.unexplained++
				t.Errorf("row %d is lost, handed out %v before the next kill", i+1, before)
				continue
			}
			v.lost++
			v.farthest = max(v.farthest, before)
		}
		delete(counts, i+1)
	}
	for row, n := range counts {
		t.Errorf("row %d is in the database %d times and was never handed out", row, n)
	}
	return v
}

// lostBy tells how long before the next kill of the gateway a row was handed out, and whether that is within the window.
func lostBy(taken int64, kills []int64) (time.Duration, bool) {
	for _, kill := range kills {
		if kill >= taken {
			before := time.Duration(kill-taken) * time.Microsecond
			return before, before <= window
		}
	}
	return 0, false
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
