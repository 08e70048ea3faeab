package sensors

import (
	"context"
	"encoding/binary"
)

// word16 reads a register of 16 bits, high byte first.
func (d Device) word16(ctx context.Context, register byte) (uint16, error) {
	var b [2]byte
	if err := d.read(ctx, register, b[:]); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(b[:]), nil
}

// words16 reads several, one after the other.
func (d Device) words16(ctx context.Context, registers ...byte) ([]uint16, error) {
	out := make([]uint16, len(registers))
	for i, register := range registers {
		v, err := d.word16(ctx, register)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// writeWord16 writes such a register.
func (d Device) writeWord16(ctx context.Context, register byte, v uint16) error {
	return d.write(ctx, register, byte(v>>8), byte(v))
}
