package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"holdfast"
	"holdfast/receiver/store"
)

// Leaves of the shadow's topics.
const (
	document = "shadow/document"
	get      = "shadow/" + holdfast.ShadowGet
	update   = "shadow/" + holdfast.ShadowUpdate
	remove   = "shadow/" + holdfast.ShadowDelete
	accepted = "/accepted"
	rejected = "/rejected"
)

const (
	ownToken    = "kept-"                         // begins the client token of what the desk sends
	maxDocument = 512 << 10                       // bytes of a shadow that is kept
	maxWishes   = holdfast.MaxCommandBytes - 1024 // bytes of wishes that wait: they go in one request
)

// putShadow applies what was published about a shadow.
func (d *Desk) putShadow(tx *store.Tx, m *delivery) error {
	known, err := tx.Known(m.device)
	if err != nil || !known || m.Retained {
		return err
	}
	_, there := d.online[m.device]
	s, err := tx.Shadow(m.device)
	if err != nil {
		return err
	}
	changed := false
	switch m.leaf {
	case document, get + accepted:
		changed = d.putDocument(&s, m)
	case update, remove:
		changed, err = d.putRequest(&s, m, there)
	case update + accepted:
		changed = settleWishes(&s, m.Payload)
	case remove + accepted:
		changed = dropNulls(&s)
	case update + rejected:
		changed = rejectWishes(&s, m)
	}
	if err != nil || !changed {
		return err
	}
	return tx.PutShadow(s)
}

// putDocument keeps what a device told of its shadow, and not what it told somebody who asked with a token.
func (d *Desk) putDocument(s *store.Shadow, m *delivery) bool {
	var doc holdfast.Shadow
	if len(m.Payload) > maxDocument || json.Unmarshal(m.Payload, &doc) != nil || doc.ClientToken != "" {
		return false
	}
	if p, there := d.online[m.device]; there {
		p.learned = true
		d.online[m.device] = p
	}
	if bytes.Equal(m.Payload, s.Document) {
		return false
	}
	s.Document, s.Published = m.Payload, m.arrived
	return true
}

// putRequest keeps what an operator published. What the desk itself sent comes back here too.
func (d *Desk) putRequest(s *store.Shadow, m *delivery, there bool) (bool, error) {
	var request holdfast.Shadow
	if len(m.Payload) > holdfast.MaxCommandBytes || len(m.Payload) > 0 && json.Unmarshal(m.Payload, &request) != nil || request.Validate() != nil {
		return false, nil // the device says what is wrong, when it is there
	}
	if strings.HasPrefix(request.ClientToken, ownToken) {
		return false, nil
	}
	if m.leaf == remove {
		request.State.Desired = takenBack(s)
	}
	if len(request.State.Desired) == 0 {
		return false, nil
	}
	if err := merge(s, request, m.arrived); err != nil {
		d.unwanted.about(d.Log, m.arrived, m.device, err.Error())
		return false, nil
	}
	s.Token, s.Sent = request.ClientToken, time.Time{}
	if there {
		s.Sent = m.arrived
	}
	return true, nil
}

// rejectWishes drops what waits because the device does not want it, and keeps why. Rejections that pass by themselves do
// not count, and neither do those of other requests than the last.
func rejectWishes(s *store.Shadow, m *delivery) bool {
	var why holdfast.ShadowRejection
	if json.Unmarshal(m.Payload, &why) != nil || why.ClientToken != s.Token || string(s.Desired) == "{}" {
		return false
	}
	if why.Code == http.StatusTooManyRequests || why.Code >= http.StatusInternalServerError {
		return false
	}
	why.Current = nil // the document tells
	text, err := json.Marshal(why)
	if err != nil {
		return false
	}
	setWishes(s, wish{})
	s.Rejection, s.Rejected = text, m.arrived
	return true
}

// sendWishes notes that the wishes go to the device, under a new token, and returns the request.
func sendWishes(tx *store.Tx, device string, now time.Time) ([]byte, error) {
	s, err := tx.Shadow(device)
	if err != nil || string(s.Desired) == "{}" {
		return nil, err
	}
	s.Token, s.Sent = ownToken+rand.Text(), now
	request, err := json.Marshal(holdfast.Shadow{State: holdfast.ShadowState{Desired: wishes(&s)}, Version: s.Version, ClientToken: s.Token})
	if err != nil {
		return nil, err
	}
	return request, tx.PutShadow(s)
}

// Wish keeps wishes for a device until it has answered them; none take back all that is desired. A version other than 0 must
// be the one of the device's shadow: where the last that is known has another, the error is a [*Refusal] with [ErrVersion].
func Wish(ctx context.Context, s *store.Store, device string, desired wish, version int64, now time.Time) error {
	request := holdfast.Shadow{State: holdfast.ShadowState{Desired: desired}, Version: version}
	if err := request.Validate(); err != nil {
		return refuse(ErrInvalid, "%v", err)
	}
	return s.Write(ctx, func(tx *store.Tx) error {
		known, err := tx.Known(device)
		if err != nil {
			return err
		}
		if !known {
			return refuse(ErrDevice, "no device %s", device)
		}
		shadow, err := tx.Shadow(device)
		if err != nil {
			return err
		}
		var doc holdfast.Shadow
		if version != 0 && len(shadow.Document) > 0 && json.Unmarshal(shadow.Document, &doc) == nil && doc.Version != version {
			return refuse(ErrVersion, "version %d: the current one is %d", version, doc.Version)
		}
		if desired == nil {
			if request.State.Desired = takenBack(&shadow); len(request.State.Desired) == 0 {
				return nil
			}
		}
		if err := merge(&shadow, request, now); err != nil {
			return err
		}
		shadow.Token, shadow.Sent = "", time.Time{}
		return tx.PutShadow(shadow)
	})
}
