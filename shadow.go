package holdfast

import (
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
	Time     time.Time `json:"time"`
	Origin   Origin    `json:"origin"`
	Reason   string    `json:"reason,omitempty"`
	Revision int64     `json:"revision"`
}

// Validate returns an error unless every desired key is a setting and its value one it can hold.
func (s *Shadow) Validate() error {
	for key, value := range s.State.Desired {
		if err := CheckSetting(key, value); err != nil {
			return inside("desired", err)
		}
	}
	return checkText("clientToken", s.ClientToken, 64)
}
