package proxy

// packets follows one direction of an MQTT connection, byte by byte, from its start.
type packets struct {
	part part
	kind byte // of the packet under way: the high half of its first byte
	size int  // of its body
	at   int  // bytes of the body that were seen
	bits int  // of size that were seen

	filter filter // of a SUBSCRIBE
}

// A part of a packet is what the next byte is.
type part int

const (
	first part = iota
	length
	body
)

const (
	subscribe = 8
	suback    = 9
	number    = 2 // bytes of the packet's number, with which either body begins
	refusal   = 0x80
)

// next takes a byte and returns it. Where deny is set a SUBSCRIBE asks for topics that nobody uses, and a SUBACK refuses.
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
		switch {
		case p.at < number:
		case p.kind == subscribe && p.filter.begins(b) && deny:
			b = 'x'
		case p.kind == suback && deny:
			b = refusal
		}
		if p.at++; p.at == p.size {
			p.part = first
		}
	}
	return b
}

// A filter follows the topic filters of a SUBSCRIBE: of each the length in two bytes, the text, the QoS.
type filter struct {
	head   int // bytes of the length that were seen
	length int
	seen   int // bytes of the text and the QoS
}

// begins takes the next byte and reports whether it is the first of a filter's text.
func (f *filter) begins(b byte) bool {
	if f.head < 2 {
		f.head++
		f.length = f.length<<8 | int(b)
		return false
	}
	f.seen++
	first := f.seen == 1 && f.length > 0
	if f.seen > f.length {
		*f = filter{}
	}
	return first
}

// middle reports whether a packet is half through.
func (p *packets) middle() bool { return p.part == body && p.at > 0 && p.at == p.size/2 }
