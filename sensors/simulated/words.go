package simulated

import "encoding/binary"

// words does one transaction of a chip that has 16-bit registers, high byte first, behind a pointer: the first byte of a write
// is the pointer, two more are its register's new value. Whoever reads on behind the two bytes reads ones.
func words(pointer *byte, w, r []byte, load func(reg byte) uint16, store func(reg byte, value uint16)) {
	if len(w) > 0 {
		*pointer = w[0]
	}
	if len(w) >= 3 {
		store(*pointer, binary.BigEndian.Uint16(w[1:]))
	}
	if len(r) == 0 {
		return
	}
	for i := range r {
		r[i] = 0xff
	}
	copy(r, binary.BigEndian.AppendUint16(nil, load(*pointer)))
}
