package buffer

import (
	"bytes"
	"maps"

	"go.etcd.io/bbolt"
)

// root is how full the root page is, as far as the last commit tells. It must not overflow: bbolt would cut it in two, write
// three pages a commit instead of one, and hardly ever put them together again.
type root struct {
	fixed int // headers of the page and its buckets, and what stands inline in those that are not named below
	live  int // bytes of the bucket live
}

// Sizes of bbolt's.
const (
	pageHeader   = 16
	leafElement  = 16
	bucketHeader = 16

	// rootSpare is for the bucket ageing, which comes and goes with commits of its own.
	rootSpare = leafElement + len("ageing") + bucketHeader
)

func (r *root) measure(tx *bbolt.Tx) {
	*r = root{fixed: pageHeader + rootSpare}
	tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error { // returns what the function does: nil
		r.fixed += leafElement + len(name) + bucketHeader
		switch {
		case bytes.HasPrefix(name, []byte("tail")):
			r.fixed += pageHeader
		case bytes.Equal(name, bucketState), bytes.Equal(name, bucketLocal): // the plan knows
		case bytes.Equal(name, bucketLive):
			r.live = elements(bucket)
		case bucket.Root() == 0:
			r.fixed += pageHeader + elements(bucket)
		}
		return nil
	})
	if tx.Bucket(bucketLocal) == nil { // the next commit may make it
		r.fixed += leafElement + len(bucketLocal) + bucketHeader
	}
}

// elements is how many bytes a small bucket's elements take.
func elements(bucket *bbolt.Bucket) int {
	n := 0
	cursor := bucket.Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		n += leafElement + len(k) + len(v)
	}
	return n
}

// inline is what a bucket with elements of n bytes takes of the root page: nothing beyond a quarter of a page, for then
// it has pages of its own.
func inline(n int) int {
	if pageHeader+n > pageSize/4 {
		return 0
	}
	return pageHeader + n
}

// tailRoom is how many bytes the plan leaves for the tail: too few only as long as its entries are not made.
func (b *Buffer) tailRoom(p *plan) int {
	live, earlier := b.writer.root.live, 0
	for i, s := range p.dirty {
		if s == p.stream {
			live = leafElement + 4 + len(p.entries[i])
		} else {
			earlier += leafElement + 4 + len(p.entries[i])
		}
	}
	return pageSize - b.writer.root.fixed - inline(live) - inline(p.stateSize) - inline(p.localSize) - min(earlier, pageSize/4)
}

// stateSize is how many bytes the elements of the bucket of state take after puts. Called with the lock held.
func (b *Buffer) stateSize(puts []put) int {
	state := b.state
	if len(puts) > 0 {
		state = maps.Clone(b.state)
	}
	for _, p := range puts {
		if p.value == nil {
			delete(state, p.key)
		} else {
			state[p.key] = p.value
		}
	}
	n := 0
	for key, value := range state {
		n += leafElement + len(key) + cellHeader + len(key) + len(value) + checksize
	}
	return n
}
