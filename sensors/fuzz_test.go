package sensors

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"holdfast"
)

// Rows that are accepted can be handed out as valid readings, in order of time; every mistake says where it stands.
func FuzzReplay(f *testing.F) {
	f.Add("time,sensor,temperature_celsius\n0,a,1.5\n1,a,\n1,b,2\n")
	f.Add("# a comment\ntime,sensor,x_count,x_count\n0,a,1,2\n")
	f.Add("time,sensor,x_count\n1e300,a,1\n-1,a,NaN\n0,A B,inf\n")
	f.Add("time,sensor,x_count\n2,a,1\n1,a,2\n\"0\n")
	place := regexp.MustCompile(`^f\.csv:(\d+:\d+: | parse error on line \d+, column \d+| record on line \d+| no rows)`)
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := parseReplay("f.csv", strings.NewReader(text))
		if err != nil {
			lines := strings.Split(err.Error(), "\n")
			if !place.MatchString(lines[0]) || len(lines) > maxReplayMistakes+2 {
				t.Errorf("%d mistakes, the first %q says no place", len(lines), lines[0])
			}
			return
		}
		for i, r := range rows {
			if i > 0 && r.offset < rows[i-1].offset || r.offset < 0 {
				t.Errorf("row %d is at %v", i+1, r.offset)
			}
			if err := holdfast.CheckSensor(r.sensor); err != nil {
				t.Errorf("row %d: %v", i+1, err)
			}
			for name, v := range r.values {
				if holdfast.CheckQuantity(name) != nil || math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("row %d: %s=%v", i+1, name, v)
				}
			}
		}
	})
}

// A truth file, whatever a kill left of it, is gone on with behind its last whole line, or refused.
func FuzzTruth(f *testing.F) {
	f.Add([]byte("1 100\n2 200\n3 3"))
	f.Add([]byte("1 100\nx\n"))
	f.Add([]byte("\n"))
	f.Add([]byte("99999999999999999999 1\n"))
	path := filepath.Join(f.TempDir(), "truth")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		truth, row, err := openTruth(path)
		if err != nil {
			return
		}
		defer truth.close()
		left, err := os.ReadFile(path)
		if err != nil || row < 0 || len(left) > 0 && left[len(left)-1] != '\n' || !strings.HasPrefix(string(data), string(left)) {
			t.Errorf("of %q are left %q, row %d, %v", data, left, row, err)
		}
	})
}
