package buffer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A clean stop is a tiny file beside the buffer, PATH.clean. Its first line names the size and the time of the closed
// buffer: to read it needs no bbolt, which a damaged buffer would turn against the process. Its second line is a digest of
// what memory knew at the end, so that Open notices a file that is another one than was closed, without a look at the
// records. It is written last, and removed before bbolt has the first look: a file that was damaged under it kills one
// start at most.

func cleanPath(path string) string { return path + ".clean" }

// NeedsCheck reports whether the file at path must be looked at by [Check], in a child process, before [Open]: it is
// there, and no clean stop vouches for it.
func NeedsCheck(path string) bool {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, clean := readClean(path)
	return !clean
}

// readClean returns whether a clean stop vouches for the file, and its digest; empty where it knows none.
func readClean(path string) (digest string, clean bool) {
	want, err := cleanMark(path)
	if err != nil {
		return "", false
	}
	note, err := os.ReadFile(cleanPath(path))
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(string(note), want)
}

func cleanMark(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d bytes, modified %d\n", info.Size(), info.ModTime().UnixNano()), nil
}

func markClean(path, digest string) error {
	mark, err := cleanMark(path)
	if err != nil {
		return fmt.Errorf("mark buffer clean: %w", err)
	}
	if err := writeNote(cleanPath(path), mark+digest); err != nil {
		return fmt.Errorf("mark buffer clean: %w", err)
	}
	return nil
}

func unmarkClean(path string) error { return removeNote(cleanPath(path)) }

// digest sums up all that load reads of a file: streams, blocks and state. Called where nobody else changes them.
func (b *Buffer) digest() string {
	sum := fnv.New64a()
	for _, s := range b.streams {
		var heads [len(laneNames)]uint64
		for i, l := range s.lanes {
			heads[i] = l.head
			for _, block := range l.blocks {
				binary.Write(sum, binary.BigEndian, []uint64{
					block.First, block.Last, uint64(block.from), uint64(block.to), uint64(block.size),
				})
			}
		}
		sum.Write(s.encode(0, heads))
	}
	for _, key := range slices.Sorted(maps.Keys(b.state)) {
		fmt.Fprintf(sum, "%q %q\n", key, b.state[key])
	}
	return fmt.Sprintf("digest %016x\n", sum.Sum64())
}

// sound returns an error that wraps ErrDamaged where load met damage, or found something else than the clean stop with
// that digest left. Nothing was written then, so that all can be salvaged.
func (b *Buffer) sound(digest string) error {
	if b.damage > 0 || b.count.Corrupt > 0 {
		return fmt.Errorf("%w: %d entries or blocks are not what they should be, %d numbers are unaccounted for", ErrDamaged, b.damage, b.count.Corrupt)
	}
	if digest != "" && digest != b.digest() {
		return fmt.Errorf("%w: it is not as it was closed", ErrDamaged)
	}
	return nil
}

// writeNote makes a small file durable.
func writeNote(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path)))
}

// removeNote makes it durable that there is no such file. Where there is none already, a process may have been killed
// between its removal and the sync.
func removeNote(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, syncFolder(filepath.Dir(path)))
}
