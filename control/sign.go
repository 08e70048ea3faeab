package control

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"holdfast"
)

// verify returns a fault unless the command is signed by one of the keys and meant for this device. Without keys every
// command is let through. Against a replay stand the id, which is kept, and the expiry, which a signed command must have.
func (c *Control) verify(payload []byte, cmd holdfast.Command) *holdfast.Fault {
	if len(c.o.Keys) == 0 {
		return nil
	}
	unsigned := func(message string) *holdfast.Fault {
		return &holdfast.Fault{Code: holdfast.CodeUnsigned, Message: message}
	}
	var raw struct {
		Expires string          `json:"expires"` // as it stands there
		Args    json.RawMessage `json:"args"`
	}
	signature, err := base64.StdEncoding.DecodeString(cmd.Sig)
	switch {
	case cmd.Sig == "":
		return unsigned("sig: is missing: this device takes signed commands only")
	case err != nil || len(signature) != ed25519.SignatureSize:
		return unsigned("sig: want an Ed25519 signature in base64")
	case cmd.Expires.IsZero() || json.Unmarshal(payload, &raw) != nil:
		return unsigned("expires: is missing: a signed command has to end some day")
	case !c.addressed(cmd.To):
		return unsigned("to: want this device's id, groups/ and one of its groups, or broadcast")
	}
	text := holdfast.SigningText(cmd.To, cmd.ID, cmd.Name, raw.Expires, cmd.From, raw.Args)
	if !slices.ContainsFunc(c.o.Keys, func(key ed25519.PublicKey) bool { return ed25519.Verify(key, text, signature) }) {
		return unsigned("sig: no key of this device made it of this command")
	}
	return nil
}

// addressed reports whether a signed command is for this device, so that one for another cannot be passed on to it.
func (c *Control) addressed(to string) bool {
	if to == c.o.Device || to == "broadcast" {
		return to != ""
	}
	group, ok := strings.CutPrefix(to, "groups/")
	setting, _ := c.Get(holdfast.SettingGroups)
	var groups []string
	return ok && json.Unmarshal(setting.Value, &groups) == nil && slices.Contains(groups, group)
}
