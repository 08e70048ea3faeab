package buffer

import (
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"holdfast"
)

// The local lane ([holdfast.LaneLocal]) has the readings that were withheld. It is history and nothing else: no link carries
// it and nobody is owed anything of it, so it stands beside the lanes of [holdfast.Lanes]. Its records have numbers of their
// own, per stream, by which [Buffer.Browse] pages; what is trimmed or was damaged leaves a hole, which nothing states.
//
// Nothing depends on them, so they wait for company: whole blocks go with whatever is committed next, all of them with a
// Commit that waits and at the end, and by themselves they cause a commit when the oldest has waited for localAfter or
// localBytes wait. While the card takes nothing, the oldest beyond localMost are let go, and counted; and so is one that no
// block could hold.
const (
	localAfter = 30 * time.Second
	localBytes = 256 << 10 // of JSON
	localMost  = 4 * localBytes
)

// local is the index of that lane, behind those that are sent.
const local = len(laneNames)

var bucketLocal = []byte(holdfast.LaneLocal)

// bucketName is where the blocks of a lane stand.
func bucketName(lane int) []byte {
	if lane == local {
		return bucketLocal
	}
	return []byte(laneNames[lane])
}

// lane returns a lane by its index.
func (s *stream) lane(i int) *lane {
	if i == local {
		return s.local
	}
	return s.lanes[i]
}

// newLocal is a lane of which all is done at any time: all of its blocks are history.
func newLocal(sum *sums) *lane {
	return &lane{sum: sum, done: holdfast.Ranges{{First: 1, Last: holdfast.MaxInteger}}}
}

// A shelf is what waits for its place in the local lane, oldest first.
type shelf struct {
	items  []shelved
	flying int // how many at the front the running commit carries
	bytes  int // of their JSON
	kept   uint64
	lost   uint64 // that went from memory
}

type shelved struct {
	Record
	since time.Time
}

// put takes records. It reports whether they are so many that they want a commit.
func (s *shelf) put(records []Record) bool {
	before := s.bytes
	for _, r := range records {
		if len(r.Data) > maxRecord { // no block holds it
			s.lost++
			continue
		}
		s.items = append(s.items, shelved{r, time.Now()})
		s.bytes += len(r.Data)
	}
	over := s.flying
	for ; s.bytes > localMost && over < len(s.items); over++ {
		s.bytes -= len(s.items[over].Data)
	}
	s.lost += uint64(over - s.flying)
	s.items = slices.Delete(s.items, s.flying, over)
	return before < localBytes && s.bytes >= localBytes
}

// ripe reports whether the oldest has waited for so long that all go.
func (s *shelf) ripe() bool { return len(s.items) > 0 && time.Since(s.items[0].since) >= localAfter }

// due reports whether there is reason for a commit.
func (s *shelf) due() bool { return s.ripe() || s.bytes >= localBytes }

// land takes what flew off the shelf, so many of it into the file, or leaves it there.
func (s *shelf) land(success bool, kept uint64) {
	if success {
		for _, item := range s.items[:s.flying] {
			s.bytes -= len(item.Data)
		}
		s.kept, s.lost = s.kept+kept, s.lost+uint64(s.flying)-kept
		s.items = slices.Delete(s.items, 0, s.flying)
	}
	s.flying = 0
}

// takeLocal gives numbers to what waits for the local lane, and cuts it into blocks: all of it, or else whole blocks only.
// Called with the lock held.
func (b *Buffer) takeLocal(p *plan, all bool) {
	p.localHead = p.stream.local.head
	for _, item := range b.shelf.items {
		p.localHead++
		p.local = appendRecord(p.local, p.stream, local, p.localHead, item.Record)
	}
	if n := len(p.local); n > 0 && !all {
		p.localHead -= uint64(len(p.local[n-1].records))
		p.local = p.local[:n-1]
	}
	b.shelf.flying = int(p.localHead - p.stream.local.head)
}

// localSize is how many bytes the elements of the bucket take after the commit, as long as these are few. Called by the
// writer.
func (b *Buffer) localSize(p *plan) (n int) {
	for _, c := range p.local {
		n += leafElement + tailKeySize - 1 + len(c.value)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.streams {
		for _, block := range s.local.blocks {
			if n += leafElement + tailKeySize - 1 + int(block.size); n > pageSize {
				return n
			}
		}
	}
	return n
}

// laneBucket returns the bucket of a lane. That of the local lane is made when there is need; nil where it is not there.
func laneBucket(tx *bbolt.Tx, lane int, need bool) (*bbolt.Bucket, error) {
	if lane == local && need {
		return tx.CreateBucketIfNotExists(bucketLocal)
	}
	return tx.Bucket(bucketName(lane)), nil
}

// makeRoomForLocal lets go older history so that the plan's blocks of the local lane fit beside what needs so many bytes; what
// is owed never goes for them. Where there is no room they go themselves. Called by the writer with the lock held.
func (b *Buffer) makeRoomForLocal(p *plan, need int64) {
	for _, c := range p.local {
		need += int64(len(c.value)) + overhead
	}
	over := b.over(need)
	if len(p.local) == 0 || over <= 0 || b.trim(over) >= over {
		return
	}
	p.local, p.localHead = nil, p.stream.local.head
	p.pieces = slices.DeleteFunc(p.pieces, func(c piece) bool { return c.lane == local })
}

// trimByAge lets go history of at least want bytes of a stream's telemetry and local lanes, as far as there is any: of both
// what is older. It returns how many bytes went.
func (b *Buffer) trimByAge(s *stream, want int64) int64 {
	sent, kept := s.lanes[telemetry].blocks, s.local.blocks
	i, j := 0, 0
	for found := int64(0); found < want; {
		for i < len(sent) && (!sent[i].spent || sent[i].tail) {
			i++
		}
		switch {
		case i == len(sent) && j == len(kept):
			found = want
		case j == len(kept) || i < len(sent) && sent[i].from <= kept[j].from:
			found += int64(sent[i].size) + overhead
			i++
		default:
			found += int64(kept[j].size) + overhead
			j++
		}
	}
	before := func(blocks []block, n int) func(block) bool {
		last := uint64(0)
		if n > 0 {
			last = blocks[n-1].Last
		}
		return func(b block) bool { return b.spent && b.Last <= last }
	}
	oldSent, oldKept := before(sent, i), before(kept, j)
	freed := b.release(s, telemetry, want, oldSent)
	return freed + b.release(s, local, want-freed, oldKept)
}
