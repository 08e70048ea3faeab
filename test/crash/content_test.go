package crash

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// Every record follows from its place: whoever finds one at a number knows, byte by byte, what it must be.

// A place is a number of a lane of a stream, and how long the records of that stream may be.
type place struct {
	stream holdfast.Stream
	lane   holdfast.Lane
	n      uint64
	pad    int
}

// tooLarge reports whether the record of p is one that no batch can carry.
func (p place) tooLarge() bool { return p.lane == holdfast.LaneTelemetry && p.n%61 == 60 }

func (p place) data() []byte {
	if p.tooLarge() {
		return fmt.Appendf(nil, `"%s"`, bytes.Repeat([]byte("x"), holdfast.MaxBatchBytes))
	}
	random := rand.New(rand.NewPCG(binary.BigEndian.Uint64(p.stream[:]), p.n<<8|uint64(len(p.lane))))
	pad := make([]byte, random.IntN(p.pad)) // hardly to be compressed, so that blocks are as long as records
	for i := range pad {
		if pad[i] = byte(random.Uint64()) | ' '; pad[i] == '"' || pad[i] == '\\' {
			pad[i] = ' '
		}
	}
	return fmt.Appendf(nil, `{"stream":%q,"lane":%q,"n":%d,"pad":"%s"}`, p.stream, p.lane, p.n, pad)
}

func (p place) record() buffer.Record {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(p.n) * time.Second)
	return buffer.Record{Lane: p.lane, Time: at, Mono: int64(p.n) * 1e6, Data: p.data()}
}
