package chaos

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// interval is the time between two rows of the replay; one row is one reading, its value is its own number.
const interval = 5 * time.Millisecond

// writeReplay writes a replay of the numbers 1..n and returns its path.
func writeReplay(t *testing.T, dir string, n int) string {
	t.Helper()
	path := filepath.Join(dir, "numbers.csv")
	var b strings.Builder
	b.WriteString("time,sensor,number_count\n")
	for i := range n {
		fmt.Fprintf(&b, "%.3f,numbers,%d\n", (time.Duration(i) * interval).Seconds(), i+1)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// cutReplay leaves the first n rows of the replay, so that a gateway that is started again finds nothing more to hand out.
func cutReplay(t *testing.T, path string, n int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	if err := os.WriteFile(path, []byte(strings.Join(lines[:n+1], "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lastRow returns the number of the row that stands last in the log, 0 for none.
func lastRow(t *testing.T, f *os.File) int {
	t.Helper()
	const enough = 256 // bytes: several lines
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, min(size, enough))
	if _, err := f.ReadAt(text, size-int64(len(text))); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 2 {
		return 0
	}
	row, _, _ := strings.Cut(lines[len(lines)-2], " ") // behind the last line's end there is nothing, or what a kill tore
	n, err := strconv.Atoi(row)
	if err != nil {
		t.Fatalf("truth log ends with %q: %v", text, err)
	}
	return n
}

// readTruth returns when each row was handed out, in µs of the boot's monotonic clock; row i stands at i-1.
func readTruth(t *testing.T, path string) []int64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var at []int64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		row, mono, ok := strings.Cut(lines.Text(), " ")
		n, err1 := strconv.Atoi(row)
		us, err2 := strconv.ParseInt(mono, 10, 64)
		if !ok || err1 != nil || err2 != nil || n != len(at)+1 {
			t.Fatalf("truth log, line %d: %q: want row %d and µs", len(at)+1, lines.Text(), len(at)+1)
		}
		at = append(at, us)
	}
	return at
}
