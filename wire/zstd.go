package wire

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

const (
	window    = 128 << 10 // of the encoder: a batch or a block of the buffer fits in
	maxWindow = 8 << 20   // of a frame that somebody else wrote; its content is bounded apart
)

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// ErrTooLarge says that something is, or would become, larger than its limit.
var ErrTooLarge = errors.New("too large")

// One encoder and one decoder serve the process. They are complete when the program starts, and not at first use: both
// hold a channel, and a channel that was made inside a synctest bubble must not be touched from outside of it. Neither
// has a goroutine nor state that outlives a call.
var (
	encoder = newEncoder()
	decoder = newDecoder()
)

func newEncoder() *zstd.Encoder {
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(fmt.Sprintf("wire: zstd encoder: %v", err)) // the options are constants
	}
	e.EncodeAll(nil, nil) // makes its channel now
	return e
}

func newDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil,
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(fmt.Sprintf("wire: zstd decoder: %v", err)) // the options are constants
	}
	return d
}

// Compress appends src as one zstd frame to dst and returns it. Calls from several goroutines take turns.
func Compress(dst, src []byte) []byte { return encoder.EncodeAll(src, dst) }

// unsaid is the room for a frame that does not say how long its content is. Ours do not below 256 bytes, and most blocks
// of the buffer are so short; a longer one is from somebody else, and read twice.
const unsaid = 1 << 10

// Decompress returns the content of the one zstd frame that src is. It returns [ErrTooLarge] where the content would be
// longer than limit, and never allocates more than limit for it.
func Decompress(src []byte, limit int) ([]byte, error) {
	var header zstd.Header
	if err := header.Decode(src); err != nil {
		return nil, fmt.Errorf("zstd header: %w", err)
	}
	if header.Skippable {
		return nil, errors.New("zstd header: a skippable frame has no content")
	}
	size := min(limit, unsaid)
	if header.HasFCS {
		if header.FrameContentSize > uint64(limit) {
			return nil, fmt.Errorf("zstd content of %d bytes, at most %d: %w", header.FrameContentSize, limit, ErrTooLarge)
		}
		size = int(header.FrameContentSize)
	}
	out, err := decoder.DecodeAll(src, make([]byte, 0, size))
	if !header.HasFCS && errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		out, err = decoder.DecodeAll(src, make([]byte, 0, limit))
	}
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, fmt.Errorf("zstd content, at most %d bytes: %w", limit, ErrTooLarge)
	case err != nil:
		return nil, fmt.Errorf("zstd frame: %w", err)
	}
	return out, nil
}

// compressed reports whether data starts a zstd frame. No JSON does.
func compressed(data []byte) bool { return bytes.HasPrefix(data, zstdMagic) }
