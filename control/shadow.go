package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"holdfast"
)

// shadowKey is where the desired state is kept.
const shadowKey = "shadow"

// maxDesired bounds what is kept there, in bytes.
const maxDesired = 256 << 10

// shadowState is what is kept there: what somebody wishes, and how often that was changed. It is replaced, never changed.
type shadowState struct {
	V       int                        `json:"v"`
	Version int64                      `json:"version"`
	Desired map[string]json.RawMessage `json:"desired,omitempty"`
}

func (c *Control) loadShadow() {
	data := c.o.Store.State(shadowKey)
	if data == nil {
		return
	}
	var state shadowState
	if err := json.Unmarshal(data, &state); err != nil || state.V != 1 {
		c.o.Log.Error("stored shadow is damaged, nothing is desired", "version", state.V, "err", err)
		return
	}
	c.shadow = state
}

// Shadow returns the device's shadow: what holds and who said so, what is desired, and where the two differ.
func (c *Control) Shadow() holdfast.Shadow {
	settings := c.Settings()
	c.mu.RLock()
	state := c.shadow
	c.mu.RUnlock()
	doc := holdfast.Shadow{
		State:    holdfast.ShadowState{Reported: make(map[string]json.RawMessage), Desired: concealedAll(state.Desired)},
		Metadata: holdfast.ShadowMetadata{Reported: make(map[string]holdfast.ShadowOrigin)},
		Delta:    make(map[string]json.RawMessage), Version: state.Version,
	}
	for _, s := range settings {
		doc.State.Reported[s.Key] = told(s.Key, s.Value)
		doc.Metadata.Reported[s.Key] = holdfast.ShadowOrigin{Time: s.Time, Origin: s.Origin, Reason: s.Reason, Revision: s.Revision}
	}
	for key, value := range state.Desired {
		if current, ok := c.Get(key); !ok || !same(current.Value, value) {
			doc.Delta[key] = holdfast.ConcealSetting(key, value)
		}
	}
	return doc
}

// concealedAll returns the values as they may be shown.
func concealedAll(values map[string]json.RawMessage) map[string]json.RawMessage {
	shown := maps.Clone(values)
	for key, value := range shown {
		shown[key] = holdfast.ConcealSetting(key, value)
	}
	return shown
}

// A ShadowAnswer is what a request to the shadow comes to: the leaf of the topic that it goes to, and its document.
type ShadowAnswer struct {
	Leaf     string
	Document any // [holdfast.Shadow] or [holdfast.ShadowRejection]
}

// AskShadow answers a request to the shadow: get, update or delete. It blocks until the disk has what it must have. An
// update sets every desired value or none, in the commit that keeps what is desired.
func (c *Control) AskShadow(ctx context.Context, verb string, payload []byte, retained bool) (ShadowAnswer, error) {
	request, rejection := decodeShadow(payload, retained)
	if rejection == nil && !c.limit.admit(c.o.Now().Mono) {
		rejection = reject(http.StatusTooManyRequests, "more than %v requests a second: try again later", c.limit.rate)
	}
	doc := holdfast.Shadow{}
	if rejection == nil {
		if err := c.acquire(ctx); err != nil {
			return ShadowAnswer{}, fmt.Errorf("shadow %s: %w", verb, err)
		}
		doc, rejection = c.answerShadow(ctx, verb, request)
		c.release()
	}
	leaf := holdfast.ShadowTopic(verb)
	if rejection != nil {
		rejection.ClientToken = cut(request.ClientToken, 64)
		c.o.Log.Warn("request to the shadow rejected", "request", verb, "code", rejection.Code, "err", rejection.Message)
		return ShadowAnswer{leaf + "/rejected", *rejection}, nil
	}
	doc.ClientToken = request.ClientToken
	return ShadowAnswer{leaf + "/accepted", doc}, nil
}

func reject(code int, format string, args ...any) *holdfast.ShadowRejection {
	return &holdfast.ShadowRejection{Code: code, Message: cut(fmt.Sprintf(format, args...), 512)}
}

// decodeShadow reads a request. An empty one is a request without anything to say, as a get is.
func decodeShadow(payload []byte, retained bool) (request holdfast.Shadow, rejection *holdfast.ShadowRejection) {
	switch {
	case retained:
		return request, reject(http.StatusBadRequest, "a retained request would come again with every connection: publish it without")
	case len(payload) > holdfast.MaxCommandBytes:
		return request, reject(http.StatusRequestEntityTooLarge, "%d bytes: at most %d", len(payload), holdfast.MaxCommandBytes)
	case len(payload) == 0:
		return request, nil
	}
	if err := json.Unmarshal(payload, &request); err != nil {
		return request, reject(http.StatusBadRequest, "request: %s", holdfast.ExplainJSON(payload, &request, err))
	}
	if err := request.Validate(); err != nil {
		return request, reject(http.StatusBadRequest, "%v", err)
	}
	return request, nil
}

// answerShadow needs the slot.
func (c *Control) answerShadow(ctx context.Context, verb string, request holdfast.Shadow) (holdfast.Shadow, *holdfast.ShadowRejection) {
	current := c.Shadow()
	if verb == holdfast.ShadowGet {
		return current, nil
	}
	if len(c.o.Keys) > 0 {
		return current, reject(http.StatusForbidden, "this device takes signed commands only, and a shadow has no signature: want set_config")
	}
	if request.Version != 0 && request.Version != current.Version {
		rejection := reject(http.StatusConflict, "version %d: the current one is %d", request.Version, current.Version)
		rejection.Current = &current
		return holdfast.Shadow{}, rejection
	}
	next := shadowState{V: 1, Version: current.Version + 1}
	ch := c.begin()
	if verb == holdfast.ShadowUpdate {
		if rejection := c.desire(ch, request, &next); rejection != nil {
			return holdfast.Shadow{}, rejection
		}
	}
	data, err := json.Marshal(next)
	if err != nil {
		return holdfast.Shadow{}, reject(http.StatusInternalServerError, "%v", err)
	}
	if len(data) > maxDesired {
		return holdfast.Shadow{}, reject(http.StatusRequestEntityTooLarge, "the desired state has %d bytes: at most %d", len(data), maxDesired)
	}
	ch.state[shadowKey], ch.shadow = data, &next
	if err := c.carry(ctx, ch); err != nil {
		c.o.Log.Error("shadow is not changed", "request", verb, "err", err)
		return holdfast.Shadow{}, reject(http.StatusInternalServerError, "%v", err)
	}
	return holdfast.Shadow{State: holdfast.ShadowState{Desired: concealedAll(request.State.Desired)}, Version: next.Version}, nil
}

// desire puts into the change what an update wishes.
func (c *Control) desire(ch *change, request holdfast.Shadow, next *shadowState) *holdfast.ShadowRejection {
	if len(request.State.Reported) > 0 {
		return reject(http.StatusBadRequest, "state.reported: what holds the device alone reports: want state.desired")
	}
	if len(request.State.Desired) == 0 {
		return reject(http.StatusBadRequest, "state.desired: is missing: want at least one key and its value")
	}
	c.mu.RLock()
	next.Desired = maps.Clone(c.shadow.Desired)
	c.mu.RUnlock()
	if next.Desired == nil {
		next.Desired = make(map[string]json.RawMessage)
	}
	for _, key := range slices.Sorted(maps.Keys(request.State.Desired)) {
		value := request.State.Desired[key]
		if holdfast.IsNull(value) {
			delete(next.Desired, key)
			continue
		}
		if _, err := ch.set(key, value, holdfast.OriginShadow, "desired"); err != nil {
			code := http.StatusInternalServerError
			if errors.Is(err, holdfast.ErrInvalid) {
				code = http.StatusBadRequest
			}
			return reject(code, "%v", err)
		}
		next.Desired[key] = value
	}
	return nil
}
