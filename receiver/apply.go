package receiver

import (
	"fmt"
	"strings"
	"time"

	"holdfast"
	"holdfast/receiver/store"
)

// lastTry is the arrival at which a batch that is no statement is given up: its range is held in state rejected.
const lastTry = 3

// After how many seconds a device may try again.
const (
	holdRetry    = 60  // one that is not active
	foreignRetry = 600 // with a stream that belongs to another
)

// maxReason bounds the text of one rejection in bytes, so that a receipt for a whole batch of them stays small.
const maxReason = 128

// An outcome is what follows from a transaction, once it is committed.
type outcome struct {
	receipts  []addressed
	live      []Live
	letters   []store.Letter
	newcomers []string                 // devices that nobody registered: told to keep their data, or not answered at all
	stored    map[holdfast.What]uint64 // numbers newly in the ledger, by state
	repeated  uint64                   // numbers that were in it already
}

// addressed is a receipt for a device.
type addressed struct {
	device string
	holdfast.Receipt
}

// writer puts deliveries into one transaction.
type writer struct {
	*store.Tx
	outcome
	now    time.Time
	fresh  string // status of a device that nobody registered
	closed bool   // takes nothing from such a device
	replay bool   // of a dead letter: what was set aside gives way
}

// put applies one delivery. An error ends the transaction.
func (w *writer) put(d *delivery) error {
	if stranger, err := w.stranger(d); stranger || err != nil {
		return err
	}
	switch {
	case d.letter != nil:
		return w.refuse(d)
	case d.batch != nil:
		return w.putBatch(d)
	case d.status != nil:
		return w.putStatus(d)
	case d.catalog != nil:
		return w.putCatalog(d)
	}
	w.live = append(w.live, Live{Kind: LiveResponse, Device: d.device, Result: d.result})
	return nil
}

// refuse stores a dead letter. A batch that is no statement and comes for the last time has its range rejected.
func (w *writer) refuse(d *delivery) error {
	l := *d.letter
	count, err := w.letter(l)
	if err != nil || count < lastTry || l.First == 0 || (l.Code != codeInvalidBatch && l.Code != codeConflict) {
		return err
	}
	s, err := w.streamOf(l.Stream, l.Device)
	if err != nil || s == nil {
		return err
	}
	r := holdfast.Range{First: l.First, Last: l.Through}
	held, _, err := w.settle(*s, l.Lane, r, []store.Interval{{Range: r, State: holdfast.Rejected, Cause: CauseInvalid}})
	if err != nil {
		return err
	}
	if _, err := w.Raise(s.N, l.Lane, l.Through); err != nil {
		return err
	}
	reason := func(uint64) (code, text string) { return l.Code, l.Text }
	w.receipt(l.Device, *s, l.Lane, r, rejections(held, r, reason))
	return nil
}

func (w *writer) letter(l store.Letter) (count int, err error) {
	w.letters = append(w.letters, l)
	return w.AddLetter(l, w.now)
}

// putBatch settles the range of a batch in the ledger, stores what is new of it, and receipts it.
func (w *writer) putBatch(d *delivery) error {
	b := d.batch
	status, err := w.Seen(d.device, w.fresh, true, w.now)
	if err != nil {
		return err
	}
	if status != store.StatusActive {
		if status == store.StatusPending {
			w.newcomers = append(w.newcomers, d.device)
		}
		w.receipts = append(w.receipts, addressed{d.device, holdfast.Receipt{Hold: true, RetryS: holdRetry, Reason: status}})
		return nil
	}
	s, err := w.Stream(b.Stream, d.device, w.now)
	if err != nil {
		return err
	}
	if may, err := w.MayBring(d.device, s.Device); err != nil {
		return err
	} else if !may {
		return w.refuseStream(d, s)
	}
	held, added, err := w.settle(s, b.Lane, b.Range(), d.stated())
	if err != nil {
		return err
	}
	w.repeated += b.Range().Len() - added.Count()
	if err := w.putRecords(s, d, added); err != nil {
		return err
	}
	head, err := w.Raise(s.N, b.Lane, b.Head)
	if err != nil {
		return err
	}
	if err := w.presume(s, b.Lane, head); err != nil {
		return err
	}
	w.receipt(d.device, s, b.Lane, b.Range(), rejections(held, b.Range(), d.reason))
	return nil
}

// refuseStream makes a dead letter of what speaks of another device's stream, and tells the device to keep that stream's
// records and go on with the others: an operator may yet say that the one device was the other.
func (w *writer) refuseStream(d *delivery, s store.Stream) error {
	w.receipts = append(w.receipts, addressed{d.device, holdfast.Receipt{
		Stream: s.ID, Hold: true, RetryS: foreignRetry, Reason: codeForeignStream,
	}})
	return w.refuse(d.refused(codeForeignStream, fmt.Errorf("stream %s belongs to device %s", s.ID, s.Device)))
}

// streamOf returns the stream of that id if device may bring it, nil if not.
func (w *writer) streamOf(id holdfast.Stream, device string) (*store.Stream, error) {
	s, err := w.Stream(id, device, w.now)
	if err != nil {
		return nil, err
	}
	may, err := w.MayBring(device, s.Device)
	if err != nil || !may {
		return nil, err
	}
	return &s, nil
}

// stated returns what a batch says about its range, number by number.
func (d *delivery) stated() []store.Interval {
	b := d.batch
	whole := store.Interval{Range: b.Range(), State: b.What, Cause: b.Cause}
	rejected := store.Interval{Range: b.Range(), State: holdfast.Rejected, Cause: CauseInvalid}
	switch b.What {
	case holdfast.Data:
		var all []store.Interval
		for i := range d.records {
			one := store.Interval{Range: holdfast.Range{First: b.First + uint64(i), Last: b.First + uint64(i)}, State: holdfast.Data}
			if d.faults[i] != nil {
				one.State, one.Cause = holdfast.Rejected, CauseInvalid
			}
			all = append(all, one)
		}
		return coalesce(all)
	case holdfast.Thin:
		whole.Cause = ""
		for _, fault := range d.faults {
			if fault == nil {
				return []store.Interval{whole}
			}
		}
		return []store.Interval{rejected}
	}
	return []store.Interval{whole}
}

// reason says why the receiver set a number of the batch aside.
func (d *delivery) reason(seq uint64) (code, text string) {
	if i := seq - d.batch.First; d.batch.What == holdfast.Data && i < uint64(len(d.faults)) && d.faults[i] != nil {
		return codeInvalidRecord, d.faults[i].Error()
	}
	return codeInvalidRecord, ""
}

// settle enters a statement about r in a lane's ledger. It returns what the ledger then holds there, and what of that is new.
func (w *writer) settle(s store.Stream, lane holdfast.Lane, r holdfast.Range, stated []store.Interval) (held []store.Interval, added holdfast.Ranges, err error) {
	held, err = w.Held(s.N, lane, r)
	if err != nil {
		return nil, nil, err
	}
	added, out, in := settle(held, stated, w.replay)
	if len(added) == 0 {
		return held, nil, nil
	}
	for _, i := range stated {
		w.stored[i.State] += added.Within(i.Range).Count()
	}
	if err := w.Replace(s.N, lane, out, in, w.now); err != nil {
		return nil, nil, err
	}
	return append(without(held, out), in...), added, nil
}

// receipt notes that device is to hear that a range is held now.
func (w *writer) receipt(device string, s store.Stream, lane holdfast.Lane, r holdfast.Range, rejected []holdfast.Rejection) {
	w.receipts = append(w.receipts, addressed{device, holdfast.Receipt{
		Stream: s.ID, Lane: lane, Ranges: holdfast.Ranges{r}, Rejected: rejected,
	}})
}

// rejections lists the numbers of r that the receiver itself set aside, now or earlier.
func rejections(held []store.Interval, r holdfast.Range, reason func(seq uint64) (code, text string)) []holdfast.Rejection {
	var list []holdfast.Rejection
	for _, h := range held {
		if !setAside(h) {
			continue
		}
		for seq := max(h.First, r.First); seq <= min(h.Last, r.Last) && len(list) < holdfast.MaxBatchRecords; seq++ {
			code, text := reason(seq)
			list = append(list, holdfast.Rejection{Seq: seq, Code: code, Reason: strings.ToValidUTF8(text[:min(len(text), maxReason)], "")})
		}
	}
	return list
}
