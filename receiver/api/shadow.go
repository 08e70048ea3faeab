package api

import (
	"context"
	"encoding/json"
	"time"

	"holdfast"
	"holdfast/receiver/desk"
)

// Shadow is what is known of a device's shadow.
type Shadow struct {
	Document  json.RawMessage `json:"document,omitempty" doc:"as the device published it last; absent before"`
	Published time.Time       `json:"published_at,omitzero" doc:"when it came"`
	Waiting   *Wishes         `json:"waiting,omitempty" doc:"what the device has not answered yet"`
	Rejected  *Rejection      `json:"rejected,omitempty" doc:"why the last wishes were dropped; absent after the next ones"`
	Token     string          `json:"clientToken,omitempty" doc:"that of the request"`
}

// Wishes wait for a device.
type Wishes struct {
	Desired map[string]any `json:"desired"`
	Version int64          `json:"version,omitempty" doc:"of the shadow that they depend on"`
	Wished  time.Time      `json:"wished_at" doc:"the newest of them"`
	Sent    time.Time      `json:"sent_at,omitzero" doc:"the last time; absent before"`
}

// Rejection is a device's no.
type Rejection struct {
	Code    int       `json:"code" doc:"those of HTTP"`
	Message string    `json:"message"`
	Time    time.Time `json:"time"`
}

type shadowOut struct{ Body Shadow }

func (s *server) shadow(ctx context.Context, in *OfDevice) (*shadowOut, error) {
	if _, err := s.known(ctx, in.ID); err != nil {
		return nil, err
	}
	found, err := s.store.Shadow(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &shadowOut{Shadow{Document: found.Document, Published: found.Published}}
	var desired map[string]json.RawMessage
	if err := json.Unmarshal(found.Desired, &desired); err != nil {
		return nil, err
	}
	waiting := &Wishes{Version: found.Version, Wished: found.Wished, Sent: found.Sent, Desired: make(map[string]any)}
	for key, value := range desired {
		var shown any
		if err := json.Unmarshal(holdfast.ConcealSetting(key, value), &shown); err != nil {
			return nil, err
		}
		waiting.Desired[key] = shown
	}
	if len(waiting.Desired) > 0 {
		out.Body.Waiting = waiting
	}
	if len(found.Rejection) > 0 {
		var why holdfast.ShadowRejection
		if err := json.Unmarshal(found.Rejection, &why); err != nil {
			return nil, err
		}
		out.Body.Rejected = &Rejection{why.Code, why.Message, found.Rejected}
	}
	return out, nil
}

type wishIn struct {
	OfDevice
	Body struct {
		Desired map[string]any `json:"desired" minProperties:"1" doc:"setting keys and their values; null takes a wish back"`
		Version int64          `json:"version,omitempty" minimum:"1" doc:"of the shadow that this depends on; default any"`
		Token   string         `json:"clientToken,omitempty" maxLength:"64" doc:"comes back with the answer"`
	}
}

func (s *server) wish(ctx context.Context, in *wishIn) (*shadowOut, error) {
	desired := make(map[string]json.RawMessage)
	for key, value := range in.Body.Desired {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		desired[key] = text
	}
	if err := desk.Wish(ctx, s.store, in.ID, desired, in.Body.Version, s.Now()); err != nil {
		return nil, refusal(err)
	}
	s.wake()
	out, err := s.shadow(ctx, &in.OfDevice)
	if err == nil {
		out.Body.Token = in.Body.Token
	}
	return out, err
}

func (s *server) takeBack(ctx context.Context, in *OfDevice) (*struct{}, error) {
	if err := desk.Wish(ctx, s.store, in.ID, nil, 0, s.Now()); err != nil {
		return nil, refusal(err)
	}
	s.wake()
	return nil, nil
}
