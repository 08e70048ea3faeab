package wire

import (
	"fmt"

	"holdfast"
)

// MaxBytes bounds a batch: its payload, and its JSON. Batches are cut at [holdfast.MaxBatchBytes], but one record alone
// may be larger than that.
const MaxBytes = 1 << 20

// EncodeBatch returns the payload of b: its JSON, in a zstd frame where zstd is set. It returns [ErrTooLarge] where the JSON
// is longer than [MaxBytes].
func EncodeBatch(b *holdfast.Batch, zstd bool) ([]byte, error) {
	data, err := Encode(b)
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("encode batch of %d bytes, at most %d: %w", len(data), MaxBytes, ErrTooLarge)
	}
	if zstd {
		return Compress(nil, data), nil
	}
	return data, nil
}

// DecodeBatch reads a payload that [EncodeBatch] wrote, plain or compressed. The batch shares no memory with data.
func DecodeBatch(data []byte) (*holdfast.Batch, error) {
	if compressed(data) {
		if len(data) > MaxBytes {
			return nil, fmt.Errorf("decode batch: %w: %d bytes, at most %d: %w", holdfast.ErrInvalid, len(data), MaxBytes, ErrTooLarge)
		}
		plain, err := Decompress(data, MaxBytes)
		if err != nil {
			return nil, fmt.Errorf("decode batch: %w: %w", holdfast.ErrInvalid, err)
		}
		data = plain
	}
	return decode[holdfast.Batch](data, MaxBytes)
}
