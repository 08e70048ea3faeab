package buffer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
)

const (
	pageSize = 4096 // the same on every machine: a Pi 5's own 16 KiB would cost three times the bytes
	lockWait = time.Second
	fill     = 0.95 // of a page: keys only ascend
)

// The buckets of the file. The three lanes have theirs too, by name.
var (
	bucketLive    = []byte("live")    // the current stream's entry: alone, so that bbolt keeps it inside the root page
	bucketStreams = []byte("streams") // the entries of earlier streams by ordinal
	bucketState   = []byte("state")   // cells of state by key
	bucketAgeing  = []byte("ageing")  // filler, see grow
)

// pageLimit is how much of a file of that cap may be pages in use. The rest is room for the copies that a transaction
// makes before it frees the originals, and for free pages that lie too scattered for a large block. DESIGN.md has the
// measurement.
func pageLimit(maxBytes int64) int64 { return maxBytes - maxBytes/5 - 256<<10 }

// allocSize is by how much bbolt grows the file. Its own 16 MiB would be lost for the blocks: bbolt refuses to grow when
// the new size with this on top is beyond the cap.
func allocSize(maxBytes int64) int { return int(min(1<<20, maxBytes/16)) }

func boltOptions(maxBytes int64) *bbolt.Options {
	return &bbolt.Options{
		Timeout:         lockWait,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		PageSize:        pageSize,
		MaxSize:         int(maxBytes),
		InitialMmapSize: int(maxBytes), // mapped once: a commit never waits for a reader
	}
}

// A file is the bbolt file between open and the first commit.
type file struct {
	db    *bbolt.DB
	path  string
	fresh bool // it lies under a temporary name until it holds a stream
}

// openFile opens the file at path, or makes one under a temporary name.
func openFile(path string, maxBytes int64) (*file, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f := &file{path: path}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f.fresh = true
	} else if err != nil {
		return nil, err
	}
	if err := f.open(maxBytes); err != nil {
		return nil, err
	}
	if err := f.prepare(); err != nil {
		return nil, errors.Join(err, f.abandon())
	}
	return f, nil
}

// name is where the file lies now.
func (f *file) name() string {
	if f.fresh {
		return f.path + ".new"
	}
	return f.path
}

func (f *file) open(maxBytes int64) error {
	if f.fresh {
		if err := os.Remove(f.name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	db, err := bbolt.Open(f.name(), 0o600, boltOptions(maxBytes))
	if errors.Is(err, bberrors.ErrTimeout) {
		return fmt.Errorf("another process holds %s", f.name())
	}
	if err != nil {
		return err
	}
	db.AllocSize = allocSize(maxBytes)
	f.db = db
	return nil
}

// prepare makes the file ours: from here on it is not clean, and it has its buckets and no filler.
func (f *file) prepare() error {
	if err := unmarkClean(f.path); err != nil {
		return err
	}
	ready := true
	err := f.db.View(func(tx *bbolt.Tx) error {
		ready = tx.Bucket(bucketAgeing) == nil
		for _, name := range bucketNames() {
			ready = ready && tx.Bucket(name) != nil
		}
		return nil
	})
	if err != nil || ready {
		return err
	}
	return f.db.Update(makeBuckets)
}

func bucketNames() [][]byte {
	names := [][]byte{bucketLive, bucketStreams, bucketState}
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
	if tx.Bucket(bucketAgeing) == nil {
		return nil
	}
	return tx.DeleteBucket(bucketAgeing)
}

// settle gives a fresh file its name, after its first commit. From the return on a power cut leaves the whole file.
func (f *file) settle() error {
	if !f.fresh {
		return nil
	}
	if err := os.Rename(f.name(), f.path); err != nil {
		return err
	}
	f.fresh = false
	return syncFolder(filepath.Dir(f.path))
}

// abandon closes the file, and removes one that nobody has seen.
func (f *file) abandon() error {
	err := f.db.Close()
	if f.fresh {
		return errors.Join(err, os.Remove(f.name()))
	}
	return err
}

// syncFolder makes names that came, went or changed in the folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
