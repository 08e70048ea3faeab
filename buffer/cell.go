package buffer

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A cell holds one small value that must survive damage as well as blocks do: a stream's entry, or a value of state.
// Like a block it says by itself what it is, and the highest revision of a key is its newest value. Big-endian:
//
//	 0 magic, 8 bytes; the last is the format's version
//	 8 length of the whole cell, 4
//	12 revision of the commit, 8
//	20 kind, 1; length of the key, 2
//	23 key, value
//	 … CRC-32C of everything before, 4
const (
	cellMagic  = "HoldCel\x01"
	cellHeader = 23

	maxCell = 4 << 20 // longest cell that is believed
)

const (
	cellStream byte = iota + 1 // key: the stream's 16 bytes; value: the JSON of an entry
	cellState                  // key and value as the caller of Append gave them
)

var errCell = errors.New("damaged cell")

type cell struct {
	revision uint64
	kind     byte
	key      string
	value    []byte
}

func (c *cell) encode() []byte {
	data := make([]byte, 0, cellHeader+len(c.key)+len(c.value)+checksize)
	data = append(data, cellMagic...)
	data = append(data, 0, 0, 0, 0)
	data = binary.BigEndian.AppendUint64(data, c.revision)
	data = append(data, c.kind)
	data = binary.BigEndian.AppendUint16(data, uint16(len(c.key)))
	data = append(data, c.key...)
	data = append(data, c.value...)
	return seal(data, 0)
}

// decodeCell reads a whole cell. The error wraps errCell when anything about it is wrong. The value is a part of data.
func decodeCell(data []byte) (*cell, error) {
	if len(data) < cellHeader+checksize || !sealed(data, cellMagic) {
		return nil, fmt.Errorf("%w: checksum", errCell)
	}
	behind := cellHeader + int(binary.BigEndian.Uint16(data[21:]))
	if behind+checksize > len(data) {
		return nil, fmt.Errorf("%w: key", errCell)
	}
	c := &cell{
		revision: binary.BigEndian.Uint64(data[12:]),
		kind:     data[20],
		key:      string(data[cellHeader:behind]),
		value:    data[behind : len(data)-checksize],
	}
	if c.kind == cellState && !fits(c.key, c.value) {
		return nil, fmt.Errorf("%w: a key of %d bytes, a value of %d", errCell, len(c.key), len(c.value))
	}
	return c, nil
}
