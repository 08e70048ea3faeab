package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"holdfast"
)

// Encode returns the JSON of v as the wire wants it: no HTML escapes, no trailing newline. Where v has a Validate
// method it must pass.
func Encode(v any) ([]byte, error) {
	if m, ok := v.(interface{ Validate() error }); ok {
		if err := m.Validate(); err != nil {
			return nil, fmt.Errorf("encode %s: %w", name(v), err)
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %s: %w", name(v), err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// noun is a pointer to one of the nouns of package holdfast.
type noun[T any] interface {
	*T
	Validate() error
}

// decode reads a T of at most limit bytes of JSON and validates it.
func decode[T any, N noun[T]](data []byte, limit int) (*T, error) {
	v := new(T)
	if len(data) > limit {
		return nil, fmt.Errorf("decode %s: %w: %d bytes, at most %d: %w", name(v), holdfast.ErrInvalid, len(data), limit, ErrTooLarge)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("decode %s: %w: %w", name(v), holdfast.ErrInvalid, err)
	}
	if err := N(v).Validate(); err != nil {
		return nil, fmt.Errorf("decode %s: %w", name(v), err)
	}
	return v, nil
}

// name is what people call a message: batch, receipt.
func name(v any) string {
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", v), "*holdfast."))
}
