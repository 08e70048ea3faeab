package control

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"holdfast"
)

// The signed command of docs/wire.md, made with a key whose seed is 32 zero bytes.
func TestSignedCommandOfTheDocument(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	text := holdfast.SigningText("pi-7", "c-1", "set_interval", "2026-05-01T13:00:00Z", "ops@example.org", json.RawMessage(`{"seconds":5}`))
	const want = "holdfast-command-1\npi-7\nc-1\nset_interval\n2026-05-01T13:00:00Z\nops@example.org\n{\"seconds\":5}"
	if string(text) != want {
		t.Errorf("text %q, want %q", text, want)
	}
	sig := base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	if document, err := os.ReadFile("../docs/wire.md"); err != nil || !strings.Contains(string(document), sig) {
		t.Errorf("docs/wire.md does not hold the signature %s: %v", sig, err)
	}
	signed := func(change ...string) string {
		return strings.NewReplacer(change...).Replace(`{"v":1,"id":"c-1","name":"set_interval","args":{"seconds":5},"expires":"2026-05-01T13:00:00Z","from":"ops@example.org","to":"pi-7","sig":"` + sig + `"}`)
	}
	for _, tt := range []struct{ name, payload, want string }{
		{"as signed", signed(), `"succeeded"`},
		{"other arguments", signed(`:5}`, `:6}`), "no key of this device"},
		{"other blanks in the arguments", signed(`{"seconds":5}`, `{"seconds": 5}`), "no key of this device"},
		{"other id", signed(`"c-1"`, `"c-2"`), "no key of this device"},
		{"other name", signed(`"set_interval"`, `"ping"`), "no key of this device"},
		{"other expiry", signed(`13:00`, `14:00`), "no key of this device"},
		{"other sender", signed(`ops@`, `eve@`), "no key of this device"},
		{"for another device", signed(`"pi-7"`, `"pi-8"`), "to: want this device"},
		{"for everybody", signed(`"pi-7"`, `"broadcast"`), "no key of this device"},
		{"for nobody", signed(`"pi-7"`, `""`), "to: want this device"},
		{"without expiry", signed(`"expires":"2026-05-01T13:00:00Z",`, ``), "expires: is missing"},
		{"without signature", signed(sig, ``), "sig: is missing"},
		{"half a signature", signed(sig, sig[:40]), "sig: want an Ed25519"},
	} {
		s := &store{}
		o := options(s)
		o.Device, o.Keys = "pi-7", []ed25519.PublicKey{ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", 32))).Public().(ed25519.PublicKey), key.Public().(ed25519.PublicKey)}
		c := open(t, o)
		got := execute(c, tt.payload, false)[0]
		if !strings.Contains(got, tt.want) || (tt.name != "as signed") != strings.Contains(got, `"state":"refused","error":{"code":"unsigned"`) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if refused := c.Revision() == 0; refused != (tt.name != "as signed") {
			t.Errorf("%s: revision %d", tt.name, c.Revision())
		}
	}
}

// With keys a group's commands are for its devices, a stored answer is for those who sign, and the shadow only tells.
func TestSignaturesElsewhere(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	o := options(&store{})
	o.Device, o.Keys = "pi-7", []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}
	o.Defaults = append(o.Defaults, holdfast.Setting{Key: "groups", Value: json.RawMessage(`["roof"]`)})
	c := open(t, o)
	send := func(to string) string {
		text := holdfast.SigningText(to, to, "ping", "2026-05-01T13:00:00Z", "", nil)
		return execute(c, fmt.Sprintf(`{"v":1,"id":%q,"name":"ping","expires":"2026-05-01T13:00:00Z","to":%q,"sig":%q}`,
			to, to, base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))), false)[0]
	}
	for to, want := range map[string]string{"groups/roof": "succeeded", "broadcast": "succeeded", "groups/cellar": "unsigned"} {
		if got := send(to); !strings.Contains(got, want) {
			t.Errorf("to %s: %s, want %s", to, got, want)
		}
	}
	if got := execute(c, `{"v":1,"id":"broadcast","name":"ping"}`, false)[0]; !strings.Contains(got, "unsigned") {
		t.Errorf("an unsigned one of a known id: %s", got)
	}
	for verb, want := range map[string]string{"get": "get/accepted", "update": `update/rejected {"code":403`, "delete": `delete/rejected {"code":403`} {
		if got := ask(t, c, verb, ""); !strings.HasPrefix(got, want) {
			t.Errorf("shadow %s: %s, want %s", verb, got, want)
		}
	}
}
