package simulated

import "time"

// A mailbox is what chips that take commands have in common: each command occupies the chip for a while, in which it
// acknowledges nothing, and leaves one answer at most, which is read once. There is nothing else to be read.
type mailbox struct {
	ready  time.Time // when power-up or the command is done
	answer []byte    // nil where there is none
}

// A reply is what comes of a command.
type reply struct {
	answer []byte        // nil for none
	takes  time.Duration // until the answer is there and the next command is taken
}

// tx hands what is written to do, which reports false where it is no command that the chip takes now.
func (m *mailbox) tx(at time.Time, w, r []byte, do func(w []byte) (reply, bool)) error {
	if at.Before(m.ready) {
		return ErrNoAnswer
	}
	if len(w) > 0 {
		m.answer = nil
		done, ok := do(w)
		if !ok {
			return ErrNoAnswer
		}
		m.answer, m.ready = done.answer, at.Add(done.takes)
	}
	if len(r) == 0 {
		return nil
	}
	if m.answer == nil || at.Before(m.ready) {
		return ErrNoAnswer
	}
	for i := range r {
		r[i] = 0xff // nobody pulls the line down behind the answer
	}
	copy(r, m.answer)
	m.answer = nil
	return nil
}

// checksummed returns the words with a checksum behind each, as Sensirion's chips send them.
func checksummed(words ...uint16) []byte {
	var out []byte
	for _, w := range words {
		b := []byte{byte(w >> 8), byte(w)}
		out = append(out, b[0], b[1], checksum(0xff, b...))
	}
	return out
}

// checksum is the remainder of the data, begun with a byte, by x⁸+x⁵+x⁴+1: long division, a bit at a time.
func checksum(begin byte, data ...byte) byte {
	remainder := uint16(begin)
	for _, b := range data {
		remainder ^= uint16(b)
		for range 8 {
			remainder <<= 1
			if remainder > 0xff {
				remainder ^= 0x131
			}
		}
	}
	return byte(remainder)
}

// scaled returns the number of 16 bits that stands for v where 0 stands for lowest and the highest for lowest+span.
func scaled(v, lowest, span float64) uint16 {
	return uint16(min(max((v-lowest)/span*65535+0.5, 0), 65535))
}

// is reports whether w is the command of 16 bits, and nothing more.
func is(w []byte, command uint16) bool {
	return len(w) == 2 && w[0] == byte(command>>8) && w[1] == byte(command)
}
