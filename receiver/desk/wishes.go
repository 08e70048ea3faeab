package desk

import (
	"bytes"
	"encoding/json"
	"maps"
	"time"

	"holdfast"
	"holdfast/receiver/store"
)

// A wish is a map of setting keys to values; null takes one back.
type wish = map[string]json.RawMessage

// takenBack is the wish for nothing: null for all that is desired, on the device as far as is known, or here.
func takenBack(s *store.Shadow) wish {
	nothing := make(wish)
	var doc holdfast.Shadow
	if json.Unmarshal(s.Document, &doc) == nil {
		for key := range doc.State.Desired {
			nothing[key] = json.RawMessage("null")
		}
	}
	for key := range wishes(s) {
		nothing[key] = json.RawMessage("null")
	}
	return nothing
}

// wishes returns what waits.
func wishes(s *store.Shadow) wish {
	found := make(wish)
	if json.Unmarshal(s.Desired, &found) != nil || found == nil {
		return make(wish)
	}
	return found
}

// setWishes replaces what waits; none depend on no version.
func setWishes(s *store.Shadow, all wish) {
	text, err := json.Marshal(all)
	if err != nil {
		panic("desk: wishes without JSON: " + err.Error()) // they were read from JSON
	}
	if s.Desired = text; len(all) == 0 {
		s.Version, s.Sent = 0, time.Time{}
	}
}

// merge adds a request's wishes to those that wait; for each key the last one wins.
func merge(s *store.Shadow, request holdfast.Shadow, now time.Time) error {
	next := *s
	all := wishes(s)
	for key, value := range request.State.Desired {
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil {
			return refuse(ErrInvalid, "desired: %s: %v", key, err)
		}
		all[key] = compact.Bytes()
	}
	setWishes(&next, all)
	if len(next.Desired) > maxWishes {
		return refuse(ErrFull, "the wishes that wait for %s would have %d bytes: want at most %d", s.Device, len(next.Desired), maxWishes)
	}
	if request.Version != 0 {
		next.Version = request.Version
	}
	next.Wished = now
	next.Rejection, next.Rejected = nil, time.Time{}
	*s = next
	return nil
}

// settleWishes takes out of what waits that which the device has accepted: the same values under the same keys.
func settleWishes(s *store.Shadow, answer []byte) bool {
	var done holdfast.Shadow
	if json.Unmarshal(answer, &done) != nil {
		return false
	}
	all := wishes(s)
	before := len(all)
	maps.DeleteFunc(all, func(key string, value json.RawMessage) bool {
		var compact bytes.Buffer
		if done.State.Desired[key] == nil || json.Compact(&compact, done.State.Desired[key]) != nil {
			return false
		}
		return bytes.Equal(compact.Bytes(), value)
	})
	if len(all) == before {
		return false
	}
	setWishes(s, all)
	return true
}

func dropNulls(s *store.Shadow) bool {
	all := wishes(s)
	before := len(all)
	maps.DeleteFunc(all, func(_ string, value json.RawMessage) bool { return holdfast.IsNull(value) })
	if len(all) == before {
		return false
	}
	setWishes(s, all)
	return true
}
