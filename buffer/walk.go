package buffer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// bbolt trusts what a page says of itself. A flipped bit that makes one point outside the file, or back at itself, ends the
// process, keeps it busy for ever, or goes unnoticed where something else lies in memory at that address. So the skeleton of
// the file is walked before bbolt has a look at it: every page that is in use, in its bounds, once.
//
// A page begins with its number (8 bytes), kind (2), count of elements (2) and of further pages that belong to it (4).
// Elements of 16 bytes follow, then keys and values, whose place an element gives as the distance from itself.

const (
	pageHead    = 16
	elementSize = 16

	branchPage = 1
	leafPage   = 2

	bucketElement = 1 // of a leaf: the value is a bucket
	bucketHead    = 16
)

// metaRoot and metaHigh are where a meta page has the root bucket's page, and the first page that was never used.
const (
	metaRoot = metaAt + 16
	metaHigh = metaAt + 40
)

// walkUnheld is walk, unless another process works on the file: bbolt says so then.
func walkUnheld(path string) error {
	if held(path) {
		return nil
	}
	return walk(path)
}

// walk returns an error that wraps ErrDamaged unless the skeleton of the file at path is whole. A file without a valid meta
// page it leaves to bbolt.
func walk(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	metas, err := readMetas(path)
	if err != nil {
		return err
	}
	meta := newestMeta(metas)
	if meta == nil {
		return nil
	}
	high := min(binary.NativeEndian.Uint64(meta[metaHigh:]), uint64(info.Size())/pageSize)
	w := walker{file: f, high: high, seen: make([]bool, high)}
	if err := w.tree(binary.NativeEndian.Uint64(meta[metaRoot:])); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// newestMeta returns the meta page that bbolt believes, nil where it believes none.
func newestMeta(metas []byte) (newest []byte) {
	for at := 0; at+pageSize <= len(metas) && at < 2*pageSize; at += pageSize {
		meta := metas[at : at+pageSize]
		if !soundMeta(meta) {
			continue
		}
		if newest == nil || binary.NativeEndian.Uint64(meta[metaTxid:]) > binary.NativeEndian.Uint64(newest[metaTxid:]) {
			newest = meta
		}
	}
	return newest
}

// A walker goes over a file's pages.
type walker struct {
	file *os.File
	high uint64 // first page that is not in use, or not in the file
	seen []bool
}

// tree walks a page and all below it.
func (w *walker) tree(number uint64) error {
	p, err := w.page(number)
	if err != nil {
		return err
	}
	for i := range p.count {
		e := p.elements[i*elementSize:]
		if p.kind == branchPage {
			if !p.holds(i, binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:]), 0) {
				return fmt.Errorf("page %d: element %d points out of it", number, i)
			}
			if err := w.tree(binary.NativeEndian.Uint64(e[8:])); err != nil {
				return err
			}
			continue
		}
		at, key, value := binary.NativeEndian.Uint32(e[4:]), binary.NativeEndian.Uint32(e[8:]), binary.NativeEndian.Uint32(e[12:])
		if !p.holds(i, at, key, value) {
			return fmt.Errorf("page %d: element %d points out of it", number, i)
		}
		if binary.NativeEndian.Uint32(e)&bucketElement == 0 {
			continue
		}
		begin := int64(number)*pageSize + int64(pageHead+i*elementSize) + int64(at) + int64(key)
		if err := w.bucket(begin, value); err != nil {
			return fmt.Errorf("page %d: element %d: %w", number, i, err)
		}
	}
	return nil
}

// A treePage is a page as far as the walk reads it.
type treePage struct {
	kind     uint16
	count    int
	size     uint64 // with the pages that belong to it
	elements []byte
}

// holds reports whether key and value of element i, at a distance from it, lie in the page.
func (p *treePage) holds(i int, at, key, value uint32) bool {
	begin := uint64(pageHead+i*elementSize) + uint64(at)
	return uint64(at) >= uint64(p.count-i)*elementSize && begin+uint64(key)+uint64(value) <= p.size
}

func (w *walker) page(number uint64) (*treePage, error) {
	if number < 2 || number >= w.high {
		return nil, fmt.Errorf("page %d is not in use", number)
	}
	var head [pageHead]byte
	if _, err := w.file.ReadAt(head[:], int64(number)*pageSize); err != nil {
		return nil, err
	}
	further := uint64(binary.NativeEndian.Uint32(head[12:]))
	if id := binary.NativeEndian.Uint64(head[:]); id != number || further >= w.high-number {
		return nil, fmt.Errorf("page %d says that it is page %d with %d more", number, id, further)
	}
	for i := number; i <= number+further; i++ {
		if w.seen[i] {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		w.seen[i] = true
	}
	p := &treePage{
		kind: binary.NativeEndian.Uint16(head[8:]), count: int(binary.NativeEndian.Uint16(head[10:])), size: (further + 1) * pageSize,
	}
	if p.kind != branchPage && p.kind != leafPage || p.kind == branchPage && p.count == 0 {
		return nil, fmt.Errorf("page %d is of kind %d and has %d elements", number, p.kind, p.count)
	}
	if uint64(pageHead+p.count*elementSize) > p.size {
		return nil, fmt.Errorf("page %d has no room for %d elements", number, p.count)
	}
	p.elements = make([]byte, p.count*elementSize)
	_, err := w.file.ReadAt(p.elements, int64(number)*pageSize+pageHead)
	return p, err
}

// bucket walks the bucket whose head lies in the file at begin, in a value of that size. A small one lies there itself.
func (w *walker) bucket(begin int64, size uint32) error {
	if size < bucketHead {
		return fmt.Errorf("%d bytes are no bucket", size)
	}
	var head [bucketHead + pageHead]byte
	n := min(int(size), len(head))
	if _, err := w.file.ReadAt(head[:n], begin); err != nil {
		return err
	}
	if root := binary.NativeEndian.Uint64(head[:]); root != 0 {
		return w.tree(root)
	}
	if n < len(head) {
		return fmt.Errorf("%d bytes are no page", size)
	}
	inside := head[bucketHead:]
	p := &treePage{
		kind: binary.NativeEndian.Uint16(inside[8:]), count: int(binary.NativeEndian.Uint16(inside[10:])), size: uint64(size) - bucketHead,
	}
	if p.kind != leafPage || uint64(pageHead+p.count*elementSize) > p.size {
		return fmt.Errorf("a page of kind %d with %d elements in %d bytes", p.kind, p.count, p.size)
	}
	p.elements = make([]byte, p.count*elementSize)
	if _, err := w.file.ReadAt(p.elements, begin+bucketHead+pageHead); err != nil {
		return err
	}
	for i := range p.count {
		e := p.elements[i*elementSize:]
		nested := binary.NativeEndian.Uint32(e)&bucketElement != 0
		if nested || !p.holds(i, binary.NativeEndian.Uint32(e[4:]), binary.NativeEndian.Uint32(e[8:]), binary.NativeEndian.Uint32(e[12:])) {
			return fmt.Errorf("element %d of the page inside it points out of it", i)
		}
	}
	return nil
}
