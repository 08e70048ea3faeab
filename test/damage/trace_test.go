package damage

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"

	"holdfast"
)

// A trace is what a damaged file still tells of one lane, found by code that shares nothing with the buffer's.
type trace struct {
	held holdfast.Ranges // in whole blocks
	head uint64          // highest number that any whole block or the newest whole entry of its stream names
	done holdfast.Ranges // as the newest whole entry says
}

// traces reads every whole block and entry out of a file. Their format stands in buffer/block.go and buffer/cell.go.
func traces(data []byte) map[holdfast.Stream]map[holdfast.Lane]*trace {
	out := map[holdfast.Stream]map[holdfast.Lane]*trace{}
	newest := map[holdfast.Stream]uint64{}
	of := func(id holdfast.Stream, lane holdfast.Lane) *trace {
		if out[id] == nil {
			out[id] = map[holdfast.Lane]*trace{}
			for _, lane := range holdfast.Lanes {
				out[id][lane] = &trace{}
			}
		}
		return out[id][lane]
	}
	for _, d := range sealed(data, "HoldBlk\x01") {
		t := of(holdfast.Stream(d[16:32]), holdfast.Lanes[d[12]])
		r := holdfast.Range{First: binary.BigEndian.Uint64(d[44:]), Last: binary.BigEndian.Uint64(d[52:])}
		t.held.Add(r)
		t.head = max(t.head, r.Last)
	}
	for _, d := range sealed(data, "HoldCel\x01") {
		revision, kind, value := binary.BigEndian.Uint64(d[12:]), d[20], d[23+int(binary.BigEndian.Uint16(d[21:])):len(d)-4]
		var e struct {
			Stream holdfast.Stream
			Lanes  map[holdfast.Lane]struct {
				Head uint64
				Done holdfast.Ranges
			}
		}
		if kind != 1 || json.Unmarshal(value, &e) != nil || revision < newest[e.Stream] {
			continue
		}
		newest[e.Stream] = revision
		for lane, said := range e.Lanes {
			t := of(e.Stream, lane)
			t.head, t.done = max(t.head, said.Head), said.Done
		}
	}
	return out
}

// sealed returns every stretch that begins with the magic and whose length and checksum are right.
func sealed(data []byte, magic string) (out [][]byte) {
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte(magic))
		if i < 0 {
			return out
		}
		at += i
		if len(data)-at < 12 {
			return out
		}
		n := int(binary.BigEndian.Uint32(data[at+8:]))
		if n < 27 || n > len(data)-at {
			continue
		}
		d := data[at : at+n]
		if crc32.Checksum(d[:n-4], crc32.MakeTable(crc32.Castagnoli)) == binary.BigEndian.Uint32(d[n-4:]) {
			out = append(out, d)
		}
	}
}
