package holdfast

import (
	"fmt"
	"io"
	"log/slog"
)

// A Secret opens a door. However it is printed, logged or put into JSON, it shows as [secret]; string(s) is what it says.
type Secret string

const redacted = "[secret]"

// Format writes [secret], whatever the verb; nothing for an empty one.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.shown()) }

// LogValue is what a log holds of it.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// MarshalText is what JSON holds of it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return redacted
}
