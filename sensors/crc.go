package sensors

import (
	"errors"
	"fmt"
)

// errChecksum is wrapped where a checksum is wrong.
var errChecksum = errors.New("checksum")

// crc8 returns the checksum of the polynomial x⁸+x⁵+x⁴+1 (0x31) that the chips of Sensirion and their like send behind
// their words. It begins with 0xff at most of them, with 0 at the HTU21 and the Si7021.
func crc8(begin byte, data []byte) byte {
	crc := begin
	for _, b := range data {
		crc ^= b
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x31
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// words returns the words of an answer in which a checksum stands behind each.
func words(answer []byte) ([]uint16, error) {
	out := make([]uint16, 0, len(answer)/3)
	for i := 0; i+3 <= len(answer); i += 3 {
		if got, want := answer[i+2], crc8(0xff, answer[i:i+2]); got != want {
			return nil, fmt.Errorf("%w of word %d is 0x%02x, want 0x%02x", errChecksum, i/3+1, got, want)
		}
		out = append(out, uint16(answer[i])<<8|uint16(answer[i+1]))
	}
	return out, nil
}
