package buffer

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
)

// Blocks and cells that are accepted come back the same. The checksum would keep a fuzzer out: it is let in.
func FuzzBlock(f *testing.F) {
	h, records := testBlock()
	f.Add(appendBlock(nil, h, records))
	f.Add((&cell{revision: 5, kind: cellState, key: "settings", value: []byte("{}")}).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, resealed(data)} {
			h, records, err := decodeBlock(data)
			if err == nil {
				if h.Range.Validate() != nil || h.stream.IsZero() {
					t.Errorf("accepted %+v", h)
				}
				again, lines, err := decodeBlock(appendBlock(nil, h, records))
				if err != nil || *again != *h || len(lines) != len(records) {
					t.Errorf("%+v with %d records comes back as %+v with %d: %v", h, len(records), again, len(lines), err)
				}
			}
			if c, err := decodeCell(data); err == nil && !bytes.Equal(c.encode(), data) {
				t.Errorf("cell %+v does not come back", c)
			}
		}
	})
}

// resealed returns data with the length and the checksum that it would have.
func resealed(data []byte) []byte {
	if len(data) <= 16 {
		return data
	}
	return seal(bytes.Clone(data[:len(data)-checksize]), 0)
}

// An entry that is accepted has sets within the numbers that exist, and is read back as the same stream.
func FuzzEntry(f *testing.F) {
	s := newStream(holdfast.Stream{1}, 3, "pi-7", new(sums))
	s.lanes[telemetry].done, s.lanes[telemetry].head = ranges(1, 5, 9, 9), 20
	s.lanes[telemetry].lose(holdfast.Range{First: 7, Last: 8}, holdfast.Dropped, holdfast.CauseFull)
	c, err := decodeCell(s.encode(7, [len(laneNames)]uint64{telemetry: 20}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.value)
	f.Add([]byte(`{"stream":"01000000000000000000000000000000","lanes":{"telemetry":{"head":3,"done":[[1,9]]}}}`))
	f.Add([]byte(`{"stream":"01000000000000000000000000000000","lanes":{"telemetry":{"head":3,"lost":[{"what":"data","cause":"x","ranges":[[1,1]]}]}}}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, revision, err := decodeEntry((&cell{revision: 7, kind: cellStream, key: "k", value: value}).encode())
		if err != nil {
			return
		}
		if revision != 7 {
			t.Errorf("revision %d, want 7", revision)
		}
		s := e.stream(new(sums))
		for i, l := range s.lanes {
			for _, set := range append([]holdfast.Ranges{l.done}, lostOf(l)...) {
				if n := len(set); n > 0 && (set.Validate() != nil || set[n-1].Last > l.head) {
					t.Errorf("lane %s with head %d accepts %v", laneNames[i], l.head, set)
				}
			}
			for _, o := range l.lost {
				if len(o.Ranges) > 0 && o.What != holdfast.Dropped && o.What != holdfast.Rejected {
					t.Errorf("lane %s accepts a loss of %q, cause %q", laneNames[i], o.What, o.Cause)
				}
			}
		}
		var heads [len(laneNames)]uint64
		for i, l := range s.lanes {
			heads[i] = l.head
		}
		again, _, err := decodeEntry(s.encode(8, heads))
		if err != nil || !bytes.Equal(again.stream(new(sums)).encode(8, heads), s.encode(8, heads)) {
			t.Errorf("entry %s does not come back: %v", value, err)
		}
	})
}

func lostOf(l *lane) (out []holdfast.Ranges) {
	for _, o := range l.lost {
		out = append(out, o.Ranges)
	}
	return out
}

// Whatever lies beside the buffer as its mark: only the one that a clean stop wrote vouches for the file.
func FuzzCleanMark(f *testing.F) {
	path := filepath.Join(memoryDir(f), "buffer.db")
	at := time.Unix(1.7e9, 5)
	if err := os.WriteFile(path, []byte("a file"), 0o600); err != nil {
		f.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		f.Fatal(err)
	}
	want, err := cleanMark(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(want))
	f.Add([]byte(want + "digest 0123456789abcdef\n"))
	f.Add([]byte("6 bytes, modified 170000000000000000\n"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, mark []byte) {
		if err := os.WriteFile(cleanPath(path), mark, 0o600); err != nil {
			t.Fatal(err)
		}
		if vouched := bytes.HasPrefix(mark, []byte(want)); NeedsCheck(path) == vouched {
			t.Errorf("mark %q beside a file that would have %q: needs a check %v", mark, want, vouched)
		}
	})
}

// Whatever a damaged file holds, salvage makes a sound file of it, and counts what it saved. The fuzzer's pieces are sealed,
// so that they are believed.
func FuzzSalvage(f *testing.F) {
	h, records := testBlock()
	block := appendBlock(nil, h, records)
	s := newStream(h.stream, h.ordinal, h.device, new(sums))
	s.lanes[telemetry].done = ranges(1, 1202)
	entry := s.encode(9, [len(laneNames)]uint64{telemetry: 1300})
	f.Add(block, entry)
	f.Add(entry, block)
	f.Add(block, block[:40])
	f.Add((&cell{revision: 5, kind: cellState, key: "settings", value: []byte("{}")}).encode(), []byte("junk"))
	f.Add((&cell{kind: cellState, value: []byte("of no key")}).encode(), (&cell{kind: cellState, key: strings.Repeat("k", maxKey+1)}).encode())
	later := bytes.Clone(block)
	binary.BigEndian.PutUint64(later[36:], h.revision+1) // revision
	binary.BigEndian.PutUint64(later[44:], h.First+1)    // of a range that overlaps
	binary.BigEndian.PutUint64(later[52:], h.Last+1)
	f.Add(block, later)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		dir := memoryDir(t)
		damaged := filepath.Join(dir, "damaged")
		if err := os.WriteFile(damaged, append(resealed(a), resealed(b)...), 0o600); err != nil {
			t.Fatal(err)
		}
		o := testOptionsIn(dir)
		o.MaxBytes = minBytes
		report, err := Salvage(t.Context(), damaged, o)
		if err != nil {
			t.Fatal(err)
		}
		sound, err := Check(t.Context(), o.Path)
		if err != nil || sound.Records != report.Records || sound.Streams != report.Streams || sound.State != report.State {
			t.Errorf("salvage says %+v, the check of what it made %+v, %v", report, sound, err)
		}
	})
}
