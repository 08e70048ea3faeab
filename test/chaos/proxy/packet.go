package proxy

// packets follows one direction of an MQTT connection, byte by byte, from its start.
type packets struct {
	part part
	kind byte // of the packet under way: the high half of its first byte
	size int  // of its body
	at   int  // bytes of the body that were seen
	bits int  // of size that were seen
}

// A part of a packet is what the next byte is.
type part int

const (
	first part = iota
	length
	body
)

const (
	suback       = 9
	subackCodes  = 2 // before them its body has the packet's number
	subackRefuse = 0x80
)

// next takes a byte and returns it, in a SUBACK as a refusal where deny is set.
func (p *packets) next(b byte, deny bool) byte {
	switch p.part {
	case first:
		*p = packets{part: length, kind: b >> 4}
	case length:
		p.size |= int(b&0x7f) << p.bits
		p.bits += 7
		switch {
		case b&0x80 != 0:
		case p.size == 0:
			p.part = first
		default:
			p.part = body
		}
	case body:
		if deny && p.kind == suback && p.at >= subackCodes {
			b = subackRefuse
		}
		if p.at++; p.at == p.size {
			p.part = first
		}
	}
	return b
}

// middle reports whether a packet is half through.
func (p *packets) middle() bool { return p.part == body && p.at > 0 && p.at == p.size/2 }
