package buffer

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
)

const (
	pageSize = 4096 // the same on every machine: a Pi 5's own 16 KiB would cost three times the bytes
	lockWait = time.Second
	fill     = 1.0 // of a page: keys only ascend
)

// The buckets of the file. The three lanes have theirs too, by name.
var (
	bucketLive    = []byte("live")    // the current stream's entry, alone so that bbolt keeps it inside the root page; its sequence is the layout
	bucketStreams = []byte("streams") // the entries of earlier streams by ordinal
	bucketState   = []byte("state")   // cells of state by key
	bucketAgeing  = []byte("ageing")  // filler, see grow
)

// layout is the version of the buckets and keys; blocks and cells have one of their own, in their magic.
const layout = 2

// pageLimit is how much of a file of that cap may be pages in use. The rest is room for the copies that a transaction
// makes before it frees the originals, and for free pages that lie too scattered for a large block. DESIGN.md has the
// measurement.
func pageLimit(maxBytes int64) int64 { return maxBytes - maxBytes/5 - 256<<10 }

// allocSize is by how much bbolt grows the file. Its own 16 MiB would be lost for the blocks: bbolt refuses to grow when
// the new size with this on top is beyond the cap.
func allocSize(maxBytes int64) int { return int(min(1<<20, maxBytes/16)) }

// A file is the bbolt file between open and the first commit.
type file struct {
	db    *bbolt.DB
	path  string
	birth string // its temporary name, until it holds a stream; empty for a file that was there

	digest string // of the clean stop that vouched for the file; empty where none did
}

// openFile opens the file at path, or makes one under a temporary name. From here on it is not clean, before bbolt has a
// look at it: should that kill the process, the next start must check.
func openFile(path string, maxBytes int64) (*file, error) {
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f := &file{path: path}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f.birth = fmt.Sprintf("%s.new-%08x", path, rand.Uint32()) // of one's own: another process may be giving birth too
	} else if err != nil {
		return nil, err
	}
	f.digest, _ = readClean(path)
	if err := unmarkClean(path); err != nil {
		return nil, err
	}
	if err := walkUnheld(path); err != nil {
		return nil, err
	}
	db, err := openBolt(cmp.Or(f.birth, path), maxBytes)
	if err != nil && f.birth != "" {
		os.Remove(f.birth) // bbolt may have begun it
	}
	if err != nil {
		return nil, err
	}
	f.db = db
	if err := f.prepare(); err != nil {
		return nil, errors.Join(err, f.abandon())
	}
	return f, nil
}

func openBolt(path string, maxBytes int64) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         lockWait,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		PageSize:        pageSize,
		MaxSize:         int(maxBytes),
		InitialMmapSize: int(maxBytes), // mapped once: a commit never waits for a reader
	})
	if errors.Is(err, bberrors.ErrTimeout) {
		return nil, fmt.Errorf("another process holds %s", path)
	}
	if err != nil {
		return nil, err
	}
	db.AllocSize = allocSize(maxBytes)
	return db, nil
}

// prepare makes the file ours: it has its buckets and no filler. A file that was there and lacks a bucket is damaged.
//
// A process that was killed may have left its last meta page unsynced. It goes to the card first: the next transaction
// writes over pages that only this meta page says are free, and the one before it is still what a power cut would leave.
// Names that it left so went there when openFile looked for the clean mark.
func (f *file) prepare() error {
	if err := f.db.Sync(); err != nil {
		return err
	}
	whole, filler := true, false
	err := f.db.View(func(tx *bbolt.Tx) error {
		if err := checkLayout(tx); err != nil {
			return err
		}
		filler = tx.Bucket(bucketAgeing) != nil
		for _, name := range bucketNames() {
			whole = whole && tx.Bucket(name) != nil
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case !whole && f.birth == "":
		return fmt.Errorf("%w: it lacks a bucket", ErrDamaged)
	case whole && !filler:
		return nil
	}
	err = f.db.Update(makeBuckets)
	if whole {
		return nil // where the card takes nothing, filler stays; the file is as good without that
	}
	return err
}

// checkLayout refuses a file of another layout, which would be misread. Salvage, which reads no buckets, brings it over.
func checkLayout(tx *bbolt.Tx) error {
	if live := tx.Bucket(bucketLive); live != nil && live.Sequence() != layout {
		return fmt.Errorf("%w: it has layout %d, not %d", ErrDamaged, live.Sequence(), layout)
	}
	return nil
}

func bucketNames() [][]byte {
	names := append([][]byte{bucketLive, bucketStreams, bucketState}, tailNames[:]...)
	for _, lane := range laneNames {
		names = append(names, []byte(lane))
	}
	return names
}

func makeBuckets(tx *bbolt.Tx) error {
	for _, name := range bucketNames() {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	if err := tx.Bucket(bucketLive).SetSequence(layout); err != nil {
		return err
	}
	if tx.Bucket(bucketAgeing) == nil {
		return nil
	}
	return tx.DeleteBucket(bucketAgeing)
}

// settle gives a file that was born its name, after its first commit: from the return on a power cut leaves it whole. It
// removes what births that never came to this point left.
func (f *file) settle(maxBytes int64) error {
	if f.birth != "" {
		if err := f.name(maxBytes); err != nil {
			return err
		}
	}
	left, err := filepath.Glob(f.path + ".new-*")
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	return errors.Join(err, removeNote(notePath(f.path)))
}

// name moves the file to its path, unless another process was faster there. It opens it again under that name: who asks
// the system what the daemon holds open is told the right one.
func (f *file) name(maxBytes int64) error {
	err := os.Link(f.birth, f.path)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) { // the faster one removes what it finds of others
		return fmt.Errorf("another process holds %s", f.path)
	}
	if err != nil {
		err = os.Rename(f.birth, f.path) // on a file system without links
	}
	if err := errors.Join(err, syncFolder(filepath.Dir(f.path)), f.db.Close()); err != nil {
		return err
	}
	f.birth = ""
	f.db, err = openBolt(f.path, maxBytes)
	return err
}

// abandon closes the file, and removes one that nobody has seen.
func (f *file) abandon() error {
	var err error
	if f.db != nil {
		err = f.db.Close()
	}
	if f.birth != "" {
		return errors.Join(err, os.Remove(f.birth))
	}
	return err
}

// makeFolder makes a folder, and those above it, as durable as what will be put into it.
func makeFolder(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(path)
	if err := makeFolder(above); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { // another process may be faster
		return err
	}
	return syncFolder(above)
}

// syncFolder makes names that came, went or changed in the folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
