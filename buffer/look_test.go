package buffer

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"holdfast"
)

// Look reads what is in a file that nobody holds, changes nothing in it, and says who keeps it from reading.
func TestLook(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneTelemetry, 1, 5)...)
	store(t, b, record(holdfast.LaneEvent, 6))
	if err := Look(o.Path, func(*Buffer) error { return nil }); !errors.Is(err, ErrHeld) {
		t.Errorf("a file that is held: %v, want %v", err, ErrHeld)
	}
	b.Close()
	before, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[holdfast.Lane]int)
	err = Look(o.Path, func(b *Buffer) error {
		for _, lane := range holdfast.Lanes {
			err := b.Browse(lane, holdfast.Position{}, time.Time{}, time.Time{}, func(holdfast.Stream, uint64, []byte) bool {
				seen[lane]++
				return true
			})
			if err != nil {
				return err
			}
		}
		return b.History(epoch, epoch.Add(3*time.Second), func(holdfast.Lane, []byte) bool { seen["history"]++; return true })
	})
	if err != nil || seen[holdfast.LaneTelemetry] != 5 || seen[holdfast.LaneEvent] != 1 || seen["history"] != 3 {
		t.Errorf("%v, %v", seen, err)
	}
	if after, err := os.ReadFile(o.Path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file has changed, %v", err)
	}
	if err := Look(o.Path+".none", func(*Buffer) error { return nil }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
