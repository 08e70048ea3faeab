package buffer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"holdfast"
	"holdfast/wire"
)

// A block is the unit of the file: consecutive records of one lane, compressed together. It says by itself whose it is,
// so that it can be read out of a damaged file with no other page. Big-endian:
//
//	 0 magic, 8 bytes; the last is the format's version
//	 8 length of the whole block, 4
//	12 lane, what, length of the device id, zero: 1 each
//	16 stream, 16
//	32 ordinal of the stream, 4
//	36 revision of the commit, 8
//	44 first, last, 8 each
//	60 earliest and latest wall time, first and last monotonic time, µs, 8 each
//	92 device id, then one zstd frame of the records' JSON, one a line
//	 … CRC-32C of everything before, 4
const (
	blockMagic  = "HoldBlk\x01"
	blockHeader = 92

	maxBlock  = 256 << 10 // longest block that is believed
	maxRaw    = 256 << 10 // longest payload before compression
	checksize = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errBlock = errors.New("damaged block")

// laneNames gives each lane its index in the arrays of this package; a block stores the index.
var laneNames = holdfast.Lanes

// telemetry is the index of the lane that gives way first.
const telemetry = 2

var whats = [...]holdfast.What{holdfast.Data, holdfast.Thin}

func laneIndex(name holdfast.Lane) (int, error) {
	if err := name.Validate(); err != nil {
		return 0, err
	}
	return slices.Index(laneNames[:], name), nil
}

// header is what a block says of itself.
type header struct {
	stream   holdfast.Stream
	device   string
	ordinal  uint32
	revision uint64 // of two blocks that claim a number, the one of the later commit is right
	lane     int
	what     holdfast.What
	holdfast.Range
	from, to           int64 // earliest and latest wall time, µs
	monoFirst, monoEnd int64 // monotonic time of the first and the last record, µs
}

// appendBlock appends the block of h and records, none of which holds a newline, to dst.
func appendBlock(dst []byte, h *header, records [][]byte) []byte {
	start := len(dst)
	dst = append(dst, blockMagic...)
	dst = append(dst, 0, 0, 0, 0, byte(h.lane), byte(slices.Index(whats[:], h.what)), byte(len(h.device)), 0)
	dst = append(dst, h.stream[:]...)
	dst = binary.BigEndian.AppendUint32(dst, h.ordinal)
	for _, n := range []uint64{h.revision, h.First, h.Last, uint64(h.from), uint64(h.to), uint64(h.monoFirst), uint64(h.monoEnd)} {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	dst = append(dst, h.device...)
	dst = wire.Compress(dst, bytes.Join(records, []byte{'\n'}))
	return seal(dst, start)
}

// seal writes the length into the block or cell that begins at start and appends the checksum.
func seal(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start+8:], uint32(len(dst)-start+checksize))
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// setOrdinal changes, in a whole block, whose place among the streams it has.
func setOrdinal(data []byte, ordinal uint32) {
	binary.BigEndian.PutUint32(data[32:], ordinal)
	body := data[:len(data)-checksize]
	binary.BigEndian.PutUint32(data[len(body):], crc32.Checksum(body, castagnoli))
}

// sealed reports whether data is whole: magic, length and checksum.
func sealed(data []byte, magic string) bool {
	body := len(data) - checksize
	return body >= 12 && string(data[:8]) == magic &&
		binary.BigEndian.Uint32(data[8:]) == uint32(len(data)) &&
		crc32.Checksum(data[:body], castagnoli) == binary.BigEndian.Uint32(data[body:])
}

// decodeHeader reads what the block says of itself, without a look at the checksum or the records.
func decodeHeader(data []byte) (*header, error) {
	if len(data) < blockHeader+checksize || string(data[:8]) != blockMagic || binary.BigEndian.Uint32(data[8:]) != uint32(len(data)) {
		return nil, fmt.Errorf("%w: no header", errBlock)
	}
	lane, what, device := int(data[12]), int(data[13]), int(data[14])
	if lane > local || what >= len(whats) || blockHeader+device+checksize > len(data) {
		return nil, fmt.Errorf("%w: header out of range", errBlock)
	}
	number := func(i int) uint64 { return binary.BigEndian.Uint64(data[36+8*i:]) }
	h := &header{
		stream:    holdfast.Stream(data[16:32]),
		device:    string(data[blockHeader : blockHeader+device]),
		ordinal:   binary.BigEndian.Uint32(data[32:]),
		revision:  number(0),
		lane:      lane,
		what:      whats[what],
		Range:     holdfast.Range{First: number(1), Last: number(2)},
		from:      int64(number(3)),
		to:        int64(number(4)),
		monoFirst: int64(number(5)),
		monoEnd:   int64(number(6)),
	}
	if h.stream.IsZero() || h.Range.Validate() != nil || holdfast.CheckDevice(h.device) != nil {
		return nil, fmt.Errorf("%w: header out of range", errBlock)
	}
	return h, nil
}

// decodeBlock reads a whole block. The error wraps errBlock when anything about it is wrong.
func decodeBlock(data []byte) (*header, [][]byte, error) {
	if !sealed(data, blockMagic) {
		return nil, nil, fmt.Errorf("%w: checksum", errBlock)
	}
	h, err := decodeHeader(data)
	if err != nil {
		return nil, nil, err
	}
	raw, err := wire.Decompress(data[blockHeader+len(h.device):len(data)-checksize], maxRaw)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errBlock, err)
	}
	records := bytes.Split(raw, []byte{'\n'})
	if h.what == holdfast.Data && uint64(len(records)) != h.Len() {
		return nil, nil, fmt.Errorf("%w: %d records for a range of %d", errBlock, len(records), h.Len())
	}
	return h, records, nil
}

// blockKey is where a block stands in its lane's bucket.
func blockKey(ordinal uint32, first uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, ordinal), first)
}
