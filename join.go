package holdfast

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// joinPrefix begins every join string; a change that old gateways cannot read counts it up.
const joinPrefix = "holdfast1."

// Bounds of a join string, and of what it holds.
const (
	maxJoin        = 16 << 10
	maxHost        = 253
	maxSecret      = 256
	maxPrefix      = 256
	maxAuthorities = 8
)

// A Join is all that a device needs to reach its receiver: where the broker is, who the device is there, whom it trusts,
// and which database it belongs to. A receiver prints it as one line of text, and a gateway reads that as HOLDFAST_JOIN.
type Join struct {
	Host   string // of the broker: a name or an address
	Port   int
	TLS    bool
	Device string   // device id, and the name at the broker
	Secret Secret   // the password at the broker
	CA     [][]byte // the authorities to trust, each a certificate in DER; none: the system's
	Store  Stream   // names the receiver's database
	Prefix string   // stands before every topic; mostly empty
}

// joinText is the JSON inside a join string.
type joinText struct {
	Host   string   `json:"host"`
	Port   int      `json:"port"`
	TLS    bool     `json:"tls,omitempty"`
	Device string   `json:"device"`
	Secret string   `json:"secret"`
	CA     [][]byte `json:"ca,omitempty"`
	Store  string   `json:"store"`
	Prefix string   `json:"prefix,omitempty"`
}

var errJoinDamaged = errors.New("is damaged or not whole: want the line as the receiver printed it")

// ParseJoin reads what [Join.Encode] wrote, with or without the variable's name before it. Fields that it does not know it
// ignores. Its errors quote no secret.
func ParseJoin(text string) (Join, error) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "HOLDFAST_JOIN=")
	if len(text) > maxJoin {
		return Join{}, invalid("join string", "%d bytes: want at most %d", len(text), maxJoin)
	}
	rest, ok := strings.CutPrefix(text, joinPrefix)
	if !ok {
		return Join{}, invalid("join string", "begins otherwise than %q: want the line that `receiver device add` printed", joinPrefix)
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil {
		return Join{}, invalid("join string", "%v", errJoinDamaged)
	}
	var t joinText
	if err := json.Unmarshal(data, &t); err != nil { // the error may hold a part of the text
		return Join{}, invalid("join string", "%v", errJoinDamaged)
	}
	store, err := ParseStream(t.Store)
	if err != nil {
		return Join{}, invalid("join string", "store: want 32 hex digits")
	}
	j := Join{t.Host, t.Port, t.TLS, t.Device, Secret(t.Secret), t.CA, store, t.Prefix}
	if err := j.Validate(); err != nil {
		return Join{}, err
	}
	return j, nil
}

// Encode returns the join string: text that holds the secret, to be shown once to whoever sets the device up.
func (j *Join) Encode() string {
	data, err := json.Marshal(joinText{j.Host, j.Port, j.TLS, j.Device, string(j.Secret), j.CA, j.Store.String(), j.Prefix})
	if err != nil {
		panic(fmt.Sprintf("holdfast: join string: %v", err)) // strings and numbers only
	}
	return joinPrefix + base64.RawURLEncoding.EncodeToString(data)
}

// String says who joins what, without the secret.
func (j Join) String() string {
	scheme := "mqtt"
	if j.TLS {
		scheme = "mqtts"
	}
	return j.Device + " at " + scheme + "://" + net.JoinHostPort(j.Host, strconv.Itoa(j.Port))
}

// Validate returns an error unless a gateway could use it.
func (j *Join) Validate() error {
	wrong := func(format string, args ...any) error { return invalid("join string", format, args...) }
	if j.Host == "" || len(j.Host) > maxHost || strings.ContainsFunc(j.Host, notOfHost) {
		return wrong("host: want a name or an address of at most %d bytes", maxHost)
	}
	if j.Port < 1 || j.Port > 65535 {
		return wrong("port %d: want 1 to 65535", j.Port)
	}
	if err := CheckDevice(j.Device); err != nil {
		return wrong("%v", err)
	}
	if j.Secret == "" || len(j.Secret) > maxSecret || strings.ContainsFunc(string(j.Secret), notPrinted) {
		return wrong("secret: want 1 to %d printable characters", maxSecret)
	}
	if j.Store.IsZero() {
		return wrong("store: want 32 hex digits that are not all zero")
	}
	if len(j.Prefix) > maxPrefix || strings.ContainsAny(j.Prefix, "+#\x00") {
		return wrong("prefix: want at most %d bytes without + # NUL", maxPrefix)
	}
	if len(j.CA) > maxAuthorities {
		return wrong("ca: %d certificates: want at most %d", len(j.CA), maxAuthorities)
	}
	for i, der := range j.CA {
		if _, err := x509.ParseCertificate(der); err != nil {
			return wrong("ca: certificate %d cannot be read", i+1)
		}
	}
	return nil
}

// notOfHost reports whether r is in no host's name or address; an IPv6 address stands without brackets.
func notOfHost(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_:%", r))
}

func notPrinted(r rune) bool { return r <= ' ' || r > '~' }
