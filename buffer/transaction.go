package buffer

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// write is the transaction.
func (p *plan) write(tx *bbolt.Tx) error {
	for i := range local + 1 {
		bucket, err := laneBucket(tx, i, len(p.local) > 0)
		if err != nil {
			return err
		}
		if bucket == nil {
			continue
		}
		bucket.FillPercent = fill
		for _, key := range p.deletes[i] {
			if err := bucket.Delete(key); err != nil {
				return err
			}
		}
		if p.wipe {
			if err := wipe(bucket, p.stream.ordinal, p.stream.lane(i).settled()); err != nil {
				return err
			}
		}
	}
	for _, c := range p.pieces {
		if err := tx.Bucket(bucketName(c.lane)).Put(blockKey(c.stream.ordinal, c.first), c.value); err != nil {
			return err
		}
	}
	if err := p.writeTail(tx); err != nil {
		return err
	}
	if err := p.writeState(tx.Bucket(bucketState)); err != nil {
		return err
	}
	return p.writeEntries(tx)
}

// wipe deletes the blocks of a stream that begin behind last.
func wipe(bucket *bbolt.Bucket, ordinal uint32, last uint64) error {
	return deleteFrom(bucket, blockKey(ordinal, last+1), blockKey(ordinal, 0)[:4])
}

// deleteFrom deletes the keys from first on that begin with prefix.
func deleteFrom(bucket *bbolt.Bucket, first, prefix []byte) error {
	var keys [][]byte // bbolt's cursor loses its place at a deletion
	cursor := bucket.Cursor()
	for k, _ := cursor.Seek(first); k != nil && bytes.HasPrefix(k, prefix); k, _ = cursor.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := bucket.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeState(bucket *bbolt.Bucket) error {
	for _, s := range p.state {
		if s.value == nil {
			if err := bucket.Delete([]byte(s.key)); err != nil {
				return err
			}
			continue
		}
		c := cell{revision: p.revision, kind: cellState, key: s.key, value: s.value}
		if err := bucket.Put([]byte(s.key), c.encode()); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeEntries(tx *bbolt.Tx) error {
	live, streams := tx.Bucket(bucketLive), tx.Bucket(bucketStreams)
	if p.mint {
		if err := deleteFrom(live, nil, nil); err != nil {
			return err
		}
	}
	for _, ordinal := range p.forget {
		if err := streams.Delete(blockKey(ordinal, 0)[:4]); err != nil {
			return err
		}
	}
	for i, s := range p.dirty {
		bucket := streams
		if s == p.stream {
			bucket = live
		}
		if err := bucket.Put(blockKey(s.ordinal, 0)[:4], p.entries[i]); err != nil {
			return err
		}
	}
	return nil
}
