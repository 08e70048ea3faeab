package holdfast

import "time"

// A Receipt is the receiver's word about one lane of one stream, given after the commit and never before. Exactly one of
// Ranges, Hold and Want says what it is: numbers held, an order to keep the data, a request for numbers.
type Receipt struct {
	V        int         `json:"v"`
	Store    Stream      `json:"store"` // names the database: 128 random bits, minted at its first migration
	Stream   Stream      `json:"stream,omitzero"`
	Lane     Lane        `json:"lane,omitempty"`
	Ranges   Ranges      `json:"ranges,omitempty"`   // numbers that the database holds, in whatever state
	Rejected []Rejection `json:"rejected,omitempty"` // those of Ranges that it set aside
	Want     Ranges      `json:"want,omitempty"`     // numbers that it lacks
	Hold     bool        `json:"hold,omitempty"`     // the device is pending or suspended and keeps its data
	RetryS   int         `json:"retry_s,omitempty"`  // with Hold: seconds until the next try
	Reason   string      `json:"reason,omitempty"`   // with Hold
	Time     time.Time   `json:"time,omitzero"`      // the receiver's wall time
}

// A Rejection tells which number was set aside, and why.
type Rejection struct {
	Seq    uint64 `json:"seq"`
	Code   string `json:"code"`
	Reason string `json:"reason,omitempty"`
}

// Validate returns an error unless the receipt is one of the three kinds and its ranges are valid.
func (r *Receipt) Validate() error {
	if err := checkVersion(r.V); err != nil {
		return err
	}
	if r.Store.IsZero() {
		return invalid("store", "is missing: want 32 hex digits")
	}
	if r.Hold {
		if r.RetryS < 0 || r.RetryS > 86400 {
			return invalid("retry_s", "%d: want 0 to 86400", r.RetryS)
		}
		return nil
	}
	if r.Stream.IsZero() {
		return invalid("stream", "is missing: want 32 hex digits")
	}
	if err := r.Lane.Validate(); err != nil {
		return err
	}
	if len(r.Ranges) == 0 && len(r.Want) == 0 {
		return invalid("ranges", "none, and neither want nor hold")
	}
	if err := r.Ranges.Validate(); err != nil {
		return inside("ranges", err)
	}
	return inside("want", r.Want.Validate())
}
