package holdfast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ExplainJSON says in the words of who wrote a JSON text why it could not be read into a value: the key, what is there, and
// what would be right. into is what it was to be read into, a pointer, and err what encoding/json said, which talks of Go.
func ExplainJSON(text []byte, into any, err error) string {
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return explainSyntax(text, wrong)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		found, _, _ := strings.Cut(wrong.Value, " ") // of a number that does not fit the number itself follows
		if number, ok := strings.CutPrefix(wrong.Value, "number "); ok {
			found = cut(number, 40)
		}
		return prefixed(wrong.Field, "is "+named(found)+": want "+kindOf(wrong.Type))
	}
	if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return cut(key, 80) + ": there is no such key"
	}
	key, value := culprit(text, into)
	if wrong, ok := errors.AsType[*time.ParseError](err); ok {
		return prefixed(key, fmt.Sprintf("%q: want a time such as 2026-05-01T12:00:00Z", cut(wrong.Value, 40)))
	}
	if key != "" {
		return key + ": " + cut(string(value), 40) + " cannot stand there"
	}
	return "cannot be read"
}

func prefixed(key, what string) string {
	if key == "" {
		return what
	}
	return key + ": " + what
}

// explainSyntax tells where a text ceases to be JSON.
func explainSyntax(text []byte, wrong *json.SyntaxError) string {
	at := int(wrong.Offset) - 1 // of the first byte that is wrong
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return "is empty: want JSON"
	case at < 0 || at >= len(text) || strings.HasPrefix(wrong.Error(), "unexpected end"):
		return "ends in the middle: want JSON that is whole"
	}
	return fmt.Sprintf("is no JSON from byte %d on, %s", wrong.Offset, strconv.QuoteToASCII(cut(string(text[at:]), 20)))
}

// named puts a word before what JSON calls a kind of value.
func named(found string) string {
	switch found {
	case "string", "number":
		return "a " + found
	case "object":
		return "an object"
	case "array":
		return "a list"
	case "bool":
		return "true or false"
	}
	return found
}

// kindOf is what can be read into a type.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, 0 or more"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}

// culprit returns the first key of an object, and its value, that cannot be read into the value alone.
func culprit(text []byte, into any) (string, json.RawMessage) {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return "", nil
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		alone, err := json.Marshal(map[string]json.RawMessage{key: object[key]})
		if err == nil && json.Unmarshal(alone, reflect.New(reflect.TypeOf(into).Elem()).Interface()) != nil {
			return key, object[key]
		}
	}
	return "", nil
}
