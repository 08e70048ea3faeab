package buffer

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// filler is how much one step of grow adds. A commit that came at the same time waits for that long.
const filler = 1 << 20

// grow lets the file reach its working size while nobody waits, one step a call: a file that grows makes its file system
// write more than the records, at each commit. Filler is put into the file until it is long enough, then deleted all at
// once: what stays are free pages. When the disk is full before that, the filler goes at once, for
// its pages are what there is for readings. Each filler has a bucket of its own, for bbolt would write neighbours again.
func (b *Buffer) grow() {
	b.mu.Lock()
	failing := b.health.failing != nil
	inMemory := b.memory != nil
	b.mu.Unlock()
	full := !b.writer.full.IsZero()
	if b.writer.aged || inMemory || failing && !full {
		return
	}
	if !b.o.Grow {
		b.writer.aged = true
		return
	}
	grown := false
	err := b.db.Update(func(tx *bbolt.Tx) error {
		grown = full || tx.Size() >= workingSize(b.o.MaxBytes)
		switch {
		case !grown:
			return addFiller(tx)
		case tx.Bucket(bucketAgeing) == nil:
			return nil
		}
		return tx.DeleteBucket(bucketAgeing)
	})
	switch {
	case err != nil && full: // the next tick tries again
	case err != nil:
		b.writer.full = time.Now()
		b.o.Log.Warn("buffer does not grow ahead", "err", err)
	case grown:
		b.writer.aged, b.writer.filler = true, 0
	default:
		b.writer.filler += filler + pageSize // its header makes it one page longer
	}
}

// workingSize is how long a file becomes that is full of blocks.
func workingSize(maxBytes int64) int64 { return pageLimit(maxBytes) / 10 * 11 }

func addFiller(tx *bbolt.Tx) error {
	ageing, err := tx.CreateBucketIfNotExists(bucketAgeing)
	if err != nil {
		return err
	}
	n, err := ageing.NextSequence()
	if err != nil {
		return err
	}
	bucket, err := ageing.CreateBucket(binary.BigEndian.AppendUint64(nil, n))
	if err != nil {
		return err
	}
	return bucket.Put([]byte("filler"), make([]byte, filler))
}
