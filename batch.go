package holdfast

import "encoding/json"

// What a batch states about its range.
type What string

const (
	Data     What = "data"     // record i has number First+i
	Thin     What = "thinned"  // the records summarise the range
	Dropped  What = "dropped"  // no records: the range is lost, for the cause
	Rejected What = "rejected" // no records: set aside by the device, for the cause
)

// A Cause says why numbers have no data.
type Cause string

const (
	CauseFull              Cause = "full"                // the buffer was full
	CauseCorrupt           Cause = "corrupt"             // the buffer file was damaged
	CauseCrash             Cause = "crash"               // not yet durable when the daemon died
	CauseTooLarge          Cause = "too_large"           // no link carries the record
	CauseReceiptedThenLost Cause = "receipted_then_lost" // a database acknowledged it, lost it, and the device no longer has it
	CauseOperator          Cause = "operator"            // deleted on an operator's word
)

var causes = []Cause{CauseFull, CauseCorrupt, CauseCrash, CauseTooLarge, CauseReceiptedThenLost, CauseOperator}

// MaxBatchRecords and MaxBatchBytes bound a batch; the bytes are those of its JSON before compression.
const (
	MaxBatchRecords = 1000
	MaxBatchBytes   = 96 << 10
)

// A Batch is a statement about the range First..Last of one lane of one stream.
type Batch struct {
	V       int               `json:"v"`
	Device  string            `json:"device"`
	Stream  Stream            `json:"stream"`
	Lane    Lane              `json:"lane"`
	First   uint64            `json:"first"`
	Last    uint64            `json:"last"`
	Head    uint64            `json:"head"` // the lane's newest number
	What    What              `json:"what"`
	Cause   Cause             `json:"cause,omitempty"`
	Records []json.RawMessage `json:"records,omitempty"` // each the JSON of one Record of the lane
}

// Range returns First..Last.
func (b *Batch) Range() Range { return Range{b.First, b.Last} }

// Validate returns an error unless the batch is a well-formed statement. It does not look into the records: each of them
// stands or falls by itself, see [DecodeRecord].
func (b *Batch) Validate() error {
	if err := checkVersion(b.V); err != nil {
		return err
	}
	if err := CheckDevice(b.Device); err != nil {
		return err
	}
	if b.Stream.IsZero() {
		return invalid("stream", "is missing: want 32 hex digits")
	}
	if err := b.Lane.Validate(); err != nil {
		return err
	}
	if err := b.Range().Validate(); err != nil {
		return err
	}
	if b.Head < b.Last || b.Head > MaxInteger {
		return invalid("head", "%d: want last (%d) to 2^53-1", b.Head, b.Last)
	}
	return b.checkWhat()
}

func (b *Batch) checkWhat() error {
	n := uint64(len(b.Records))
	if n > MaxBatchRecords {
		return invalid("records", "%d of them: at most %d", n, MaxBatchRecords)
	}
	switch b.What {
	case Data:
		if n != b.Range().Len() {
			return invalid("records", "%d of them for a range of %d", n, b.Range().Len())
		}
	case Thin:
		if n == 0 {
			return invalid("records", "none: a thinned range needs its summaries")
		}
		if b.Lane != LaneTelemetry {
			return invalid("what", "%q does not belong to lane %s", b.What, b.Lane)
		}
	case Dropped, Rejected:
		if n != 0 {
			return invalid("records", "%d of them in a %s range", n, b.What)
		}
		return oneOf("cause", b.Cause, causes...)
	default:
		return oneOf("what", b.What, Data, Thin, Dropped, Rejected)
	}
	return nil
}
