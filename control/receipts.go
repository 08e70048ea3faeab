package control

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"holdfast"
)

// receiptPrefix and the command's id make the key of a receipt.
const receiptPrefix = "command/"

// maxReceipts is how many commands are remembered: the newest.
const maxReceipts = 1000

// A receipt is what is kept of a command: the answer to give when its id comes again. State running is an intent.
type receipt struct {
	N      int64           `json:"n"`    // grows with each command
	Boot   string          `json:"boot"` // in which it was taken
	From   string          `json:"from,omitempty"`
	Result holdfast.Result `json:"result"`
}

// maxKept is how long a result may be to stay in the receipt.
const maxKept = 2 << 10

// short returns the result as it is kept: of a long one, which only told something and changed nothing, just its length.
func short(r holdfast.Result) holdfast.Result {
	if len(r.Result) > maxKept {
		r.Result = fmt.Appendf(nil, `{"kept":false,"bytes":%d}`, len(r.Result))
	}
	return r
}

// receipts holds the newest receipts. It belongs to the holder of the slot.
type receipts struct {
	byID  map[string]receipt
	order []string // ids, oldest first
	last  int64
}

func loadReceipts(store Store, log *slog.Logger) *receipts {
	r := &receipts{byID: make(map[string]receipt)}
	for _, key := range store.StateKeys(receiptPrefix) {
		id := strings.TrimPrefix(key, receiptPrefix)
		var kept receipt
		if err := json.Unmarshal(store.State(key), &kept); err != nil {
			// The id stays known: that the command was taken is certain, only its outcome is lost.
			log.Error("stored command receipt is damaged", "id", id, "err", err)
			fault := &holdfast.Fault{Code: holdfast.CodeInternal, Message: "the stored result is damaged"}
			kept = receipt{Result: holdfast.Result{V: holdfast.Version, ID: id, State: holdfast.Failed, Error: fault}}
		}
		r.byID[id] = kept
		r.order = append(r.order, id)
		r.last = max(r.last, kept.N)
	}
	slices.SortStableFunc(r.order, func(a, b string) int { return cmp.Compare(r.byID[a].N, r.byID[b].N) })
	return r
}

// add puts a receipt into a change, and takes out the oldest ones that are too many then. [receipts.keep] takes the change
// over once it is durable.
func (r *receipts) add(ch *change, kept receipt) {
	data, err := json.Marshal(kept)
	if err != nil {
		panic(fmt.Sprintf("control: receipt without JSON: %v", err))
	}
	if _, known := r.byID[kept.Result.ID]; !known && len(r.order) >= maxReceipts {
		for _, id := range r.order[:len(r.order)+1-maxReceipts] {
			ch.state[receiptPrefix+id] = nil
		}
	}
	ch.state[receiptPrefix+kept.Result.ID] = data
	ch.event(holdfast.EventCommand, holdfast.CommandChange{
		ID: kept.Result.ID, Name: kept.Result.Name, State: kept.Result.State, From: kept.From, Error: kept.Result.Error,
	})
}

func (r *receipts) keep(kept receipt) {
	id := kept.Result.ID
	if _, known := r.byID[id]; !known {
		for len(r.order) >= maxReceipts {
			delete(r.byID, r.order[0])
			r.order = r.order[1:]
		}
		r.order = append(r.order, id)
	}
	r.byID[id] = kept
	r.last = max(r.last, kept.N)
}
