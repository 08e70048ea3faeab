package buffer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
)

// scan calls f with every whole block and cell that lies anywhere in the first size bytes of r, in order of place. It
// believes nothing but magic, length and checksum. What it hands out is valid during the call.
func scan(ctx context.Context, r io.ReaderAt, size int64, f func(offset int64, data []byte)) error {
	const step = 1 << 20
	buf := make([]byte, step+len(blockMagic)-1) // a magic across the border belongs to the step that it begins in
	for at := int64(0); at < size; at += step {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			continue // an unreadable part of a dying card: what lies behind may be whole
		}
		for _, magic := range []string{blockMagic, cellMagic} {
			for i := 0; ; i++ {
				j := bytes.Index(buf[i:n], []byte(magic))
				if j < 0 {
					break
				}
				i += j
				if data := whole(r, size, at+int64(i), magic); data != nil {
					f(at+int64(i), data)
				}
			}
		}
	}
	return nil
}

// whole returns the block or cell at offset, or nil.
func whole(r io.ReaderAt, size, offset int64, magic string) []byte {
	most := int64(maxBlock)
	if magic == cellMagic {
		most = maxCell
	}
	var head [12]byte
	if _, err := r.ReadAt(head[:], offset); err != nil {
		return nil
	}
	length := int64(binary.BigEndian.Uint32(head[8:]))
	if length < int64(len(head)) || length > min(most, size-offset) {
		return nil
	}
	data := make([]byte, length)
	if _, err := r.ReadAt(data, offset); err != nil || !sealed(data, magic) {
		return nil
	}
	return data
}
