package buffer

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"holdfast"
)

// The skeleton of a whole file is whole; each pointer in it that is bent is noticed, whichever page it is in.
func TestWalk(t *testing.T) {
	t.Parallel()
	o := stopped(t, 3)
	b := mustOpen(t, o)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		r := record(holdfast.LaneTelemetry, i)
		r.Data = append(r.Data[:len(r.Data)-1], `,"x":"`...)
		for range random.IntN(9000) {
			r.Data = append(r.Data, byte('a'+random.IntN(26)))
		}
		r.Data = append(r.Data, `"}`...)
		store(t, b, r)
	}
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := walk(o.Path); err != nil {
		t.Fatal(err)
	}
	meta := newestMeta(whole)
	high := binary.NativeEndian.Uint64(meta[metaHigh:])
	f, err := os.Open(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := walker{file: f, high: high, seen: make([]bool, high)}
	if err := w.tree(binary.NativeEndian.Uint64(meta[metaRoot:])); err != nil {
		t.Fatal(err)
	}
	bent, branches, further := 0, 0, 0
	bend := func(what string, at int, bits uint64) {
		data := append([]byte(nil), whole...)
		binary.NativeEndian.PutUint64(data[at:], binary.NativeEndian.Uint64(data[at:])^bits)
		if err := os.WriteFile(o.Path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if bent++; !errors.Is(walk(o.Path), ErrDamaged) {
			t.Errorf("%s at %d: %v, want ErrDamaged", what, at, walk(o.Path))
		}
	}
	for n := range high {
		head := whole[n*pageSize:]
		if !w.seen[n] || binary.NativeEndian.Uint64(head) != n {
			continue
		}
		kind, count := binary.NativeEndian.Uint16(head[8:]), int(binary.NativeEndian.Uint16(head[10:]))
		at := int(n) * pageSize
		bend("number", at, 1)
		bend("kind", at+8, 4)
		if binary.NativeEndian.Uint32(head[12:]) > 0 {
			further++
		}
		bend("further pages", at+8, 1<<56)
		bend("count", at+8, 1<<31)
		if kind == branchPage {
			branches++
			bend("child", at+pageHead+8, 1<<40)
			bend("child twice", at+pageHead+8, binary.NativeEndian.Uint64(head[pageHead+8:])^n)
			bend("place of a key", at+pageHead, 1<<20)
		} else if count > 0 {
			bend("place of the last element", at+pageHead+(count-1)*elementSize, 1<<(32+14))
			bend("size of its value", at+pageHead+(count-1)*elementSize+8, 1<<(32+25))
		}
	}
	if branches == 0 || further == 0 || bent < 500 {
		t.Errorf("%d pointers bent, %d branch pages, %d pages with more behind them: the file is too small", bent, branches, further)
	}
	if err := os.WriteFile(o.Path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := walk(o.Path); !errors.Is(err, ErrDamaged) {
		t.Errorf("half a file: %v, want ErrDamaged", err)
	}
}
