package buffer

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// The first two pages of the file are bbolt's meta pages. Commits write them in turn, and of those that are whole the one
// of the later commit is believed. That is right after a power cut in a commit, and wrong where the newest page was damaged
// later: bbolt then shows the commit before, and nothing tells that what was durable is gone. So both must be whole.

const (
	metaAt   = 16          // behind the head of the page, which begins with its number
	metaTxid = metaAt + 48 // number of the commit
	metaSum  = metaAt + 56 // FNV-1a of what lies between
)

// readMetas returns the meta pages of the file at path; what there is of them where it is too short.
func readMetas(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 2*pageSize))
}

// soundMeta reports whether the checksum of a meta page is right.
func soundMeta(meta []byte) bool {
	sum := fnv.New64a()
	sum.Write(meta[metaAt:metaSum])
	return sum.Sum64() == binary.NativeEndian.Uint64(meta[metaSum:])
}

// checkMetas returns an error that wraps ErrDamaged unless the meta pages are those of two commits that follow each other.
func checkMetas(metas []byte) error {
	if len(metas) < 2*pageSize {
		return fmt.Errorf("%w: %d bytes are no database", ErrDamaged, len(metas))
	}
	var commits [2]uint64
	for i := range commits {
		meta := metas[i*pageSize : (i+1)*pageSize]
		commits[i] = binary.NativeEndian.Uint64(meta[metaTxid:])
		if !soundMeta(meta) || binary.NativeEndian.Uint64(meta) != uint64(i) {
			return fmt.Errorf("%w: meta page %d", ErrDamaged, i)
		}
	}
	if commits[0]%2 != 0 || commits[0]+1 != commits[1] && commits[1]+1 != commits[0] {
		return fmt.Errorf("%w: meta pages of commits %d and %d", ErrDamaged, commits[0], commits[1])
	}
	return nil
}
