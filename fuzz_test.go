package holdfast

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A record that is accepted is valid, says its lane, and is written so that it reads the same again.
func FuzzDecodeRecord(f *testing.F) {
	files, err := filepath.Glob("testdata/batch_*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		var b Batch
		if err == nil {
			err = json.Unmarshal(data, &b)
		}
		if err != nil {
			f.Fatal(err)
		}
		for _, r := range b.Records {
			f.Add(byte(slices.Index(Lanes[:], b.Lane)), []byte(r))
		}
	}
	f.Fuzz(func(t *testing.T, lane byte, data []byte) {
		name := Lanes[int(lane)%len(Lanes)]
		r, err := DecodeRecord(name, data)
		if err != nil {
			if r != nil || !errors.Is(err, ErrInvalid) {
				t.Errorf("refused as %v with %v, want an error that wraps ErrInvalid", r, err)
			}
			return
		}
		if err := r.Validate(); err != nil || r.Lane() != name || r.When().IsZero() {
			t.Fatalf("accepted in lane %s: lane %s, time %v, %v", name, r.Lane(), r.When(), err)
		}
		first, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("decoded, but not encoded: %v", err)
		}
		again, err := DecodeRecord(name, first)
		if err != nil {
			t.Fatalf("encoded, but not decoded: %v\n%s", err, first)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(first, second) {
			t.Errorf("not stable, %v:\n%s\n%s", err, first, second)
		}
	})
}

// Ranges that were read and brought into normal form are a set: their methods say what a map of numbers says.
func FuzzRanges(f *testing.F) {
	f.Add([]byte(`[[1,2],[4,9],[3,3]]`), uint64(2), uint64(5))
	f.Add([]byte(`[[9007199254740990,9007199254740991]]`), uint64(9007199254740991), uint64(9007199254740991))
	f.Add([]byte(`[[0,1]]`), uint64(1), uint64(1))
	f.Add([]byte(`[[1,18446744073709551615],[1.5,2],[],null]`), uint64(1), uint64(1))
	f.Fuzz(func(t *testing.T, data []byte, first, last uint64) {
		var s Ranges
		if json.Unmarshal(data, &s) != nil || s.Validate() != nil {
			return
		}
		given := slices.Clone(s)
		s = s.Normal()
		for i, r := range s {
			if r.Validate() != nil || i > 0 && r.First <= s[i-1].Last+1 {
				t.Fatalf("%v is %v, which is no normal form", given, s)
			}
		}
		if !slices.Equal(s.Normal(), s) {
			t.Errorf("the normal form of %v is %v", s, s.Normal())
		}
		r := Range{first, last}
		if r.Validate() != nil {
			return
		}
		inside, outside := s.Within(r), s.Missing(r)
		if inside.Count()+outside.Count() != r.Len() {
			t.Errorf("%v in %v: %v, and %v are missing", s, r, inside, outside)
		}
		for _, given := range given { // every border, and what lies beside it
			for _, seq := range []uint64{given.First, given.Last, given.Last + 1} {
				member := slices.ContainsFunc(s, func(r Range) bool { return r.First <= seq && seq <= r.Last })
				if s.Contains(seq) != member {
					t.Errorf("%v holds %d: %v", s, seq, !member)
				}
			}
		}
		with, without := slices.Clone(s), slices.Clone(s)
		with.Add(r)
		without.Remove(r)
		if !with.Covers(r) || len(without.Within(r)) > 0 || with.Count() != s.Count()+outside.Count() || without.Count() != s.Count()-inside.Count() {
			t.Errorf("%v with %v is %v, without it %v", s, r, with, without)
		}
	})
}
