package buffer

import (
	"errors"
	"os"
	"testing"

	"go.etcd.io/bbolt"

	"holdfast"
)

// stopped returns the path of a file with n events that was closed well.
func stopped(t *testing.T, n int) Options {
	t.Helper()
	o := testOptionsIn(memoryDir(t))
	b := mustOpen(t, o)
	store(t, b, records(holdfast.LaneEvent, 1, n)...)
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	return o
}

// A file that is whole and not the one that was closed, as after lost writes, is noticed before anything is written.
func TestOpenKnowsTheFileThatWasClosed(t *testing.T) {
	t.Parallel()
	o := stopped(t, 3)
	older, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	b := mustOpen(t, o)
	store(t, b, record(holdfast.LaneEvent, 4))
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	digest, clean := readClean(o.Path)
	if !clean || digest != b.digest() {
		t.Fatalf("the clean stop left %q, %v, want %q", digest, clean, b.digest())
	}
	if err := errors.Join(os.WriteFile(o.Path, older, 0o600), markClean(o.Path, digest)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o); !errors.Is(err, ErrDamaged) {
		t.Errorf("Open of an older file: %v, want ErrDamaged", err)
	}
	if !NeedsCheck(o.Path) {
		t.Error("the mark of the clean stop outlived the look at the file")
	}
	if now, err := os.ReadFile(o.Path); err != nil || string(now) != string(older) {
		t.Errorf("Open wrote to a damaged file (%v)", err)
	}
}

// A database without our buckets is a damaged file, and not a new one.
func TestOpenMissesABucket(t *testing.T) {
	t.Parallel()
	o := stopped(t, 1)
	db, err := bbolt.Open(o.Path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(holdfast.LaneEvent)) })
	if err := errors.Join(err, db.Close(), markClean(o.Path, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o); !errors.Is(err, ErrDamaged) {
		t.Errorf("Open: %v, want ErrDamaged", err)
	}
}

// Of a file whose newest meta page is damaged bbolt shows the commit before. Check does not.
func TestMetaPages(t *testing.T) {
	t.Parallel()
	o := stopped(t, 2)
	whole, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkMetas(whole); err != nil {
		t.Fatal(err)
	}
	page := func(i int) []byte { return whole[i*pageSize : (i+1)*pageSize] }
	join := func(a, b []byte) []byte { return append(append([]byte{}, a...), b...) }
	for name, metas := range map[string][]byte{
		"cut":         whole[:2*pageSize-1],
		"first twice": join(page(0), page(0)), "second twice": join(page(1), page(1)), "swapped": join(page(1), page(0)),
		"first zero": join(make([]byte, pageSize), page(1)), "second zero": join(page(0), make([]byte, pageSize)),
	} {
		if err := checkMetas(metas); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
	for _, at := range []int{0, metaAt, metaTxid, metaSum - 1, metaSum, pageSize, pageSize + metaTxid} {
		damaged := append([]byte{}, whole...)
		damaged[at] ^= 2
		if err := os.WriteFile(o.Path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(t.Context(), o.Path); !errors.Is(err, ErrDamaged) {
			t.Errorf("a bit flipped in byte %d: %v, want ErrDamaged", at, err)
		}
	}
}
