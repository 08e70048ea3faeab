package holdfast

import (
	"bytes"
	"encoding/json"
	"time"
)

// A Shadow is a view of a device's settings: what holds and why, what somebody wishes, and the difference.
type Shadow struct {
	State       ShadowState                `json:"state"`
	Delta       map[string]json.RawMessage `json:"delta,omitempty"`
	Metadata    ShadowMetadata             `json:"metadata,omitzero"`
	Version     int64                      `json:"version,omitempty"`
	ClientToken string                     `json:"clientToken,omitempty"`
}

// ShadowState maps setting keys to values, as reported by the device and as desired.
type ShadowState struct {
	Reported map[string]json.RawMessage `json:"reported,omitempty"`
	Desired  map[string]json.RawMessage `json:"desired,omitempty"`
}

// ShadowMetadata tells of each reported value who set it, when and why.
type ShadowMetadata struct {
	Reported map[string]ShadowOrigin `json:"reported,omitempty"`
}

// ShadowOrigin is the provenance of one reported value.
type ShadowOrigin struct {
	Time     time.Time `json:"time,omitzero"` // absent: nobody set it since the gateway is there
	Origin   Origin    `json:"origin"`
	Reason   string    `json:"reason,omitempty"`
	Revision int64     `json:"revision"`
}

// Validate returns an error unless every desired key is a setting and its value one it can hold; null takes the wish back.
func (s *Shadow) Validate() error {
	for key, value := range s.State.Desired {
		if IsNull(value) {
			continue
		}
		if err := CheckSetting(key, value); err != nil {
			return inside("desired", err)
		}
	}
	if s.Version < 0 || s.Version > MaxInteger {
		return invalid("version", "%d: want 0 to 2^53-1", s.Version)
	}
	return checkText("clientToken", s.ClientToken, 64)
}

// IsNull reports whether the value is JSON's null.
func IsNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }

// A ShadowRejection says why a request to the shadow was not granted. The codes are those of HTTP. Where the version was
// not the current one (409) it brings the current document along.
type ShadowRejection struct {
	Code        int     `json:"code"`
	Message     string  `json:"message"`
	ClientToken string  `json:"clientToken,omitempty"`
	Current     *Shadow `json:"current,omitempty"`
}

// The requests to a shadow; each is answered on its own topic with "/accepted" or "/rejected" behind it.
const (
	ShadowGet    = "get"
	ShadowUpdate = "update"
	ShadowDelete = "delete"
)

// ShadowTopic is the leaf of a device's topic for a request to its shadow, for an answer to one ("update/accepted"), and for
// "delta" and "document", which the device publishes by itself.
func ShadowTopic(leaf string) string { return "shadow/" + leaf }
