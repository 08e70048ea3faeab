package holdfast

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestExplainJSON(t *testing.T) {
	t.Parallel()
	type args struct {
		Name    string          `json:"name"`
		Seconds *float64        `json:"seconds"`
		Count   int             `json:"count"`
		First   uint64          `json:"first"`
		On      bool            `json:"on"`
		Expires time.Time       `json:"expires"`
		Groups  []string        `json:"groups"`
		Inner   struct{ A int } `json:"inner"`
		Stream  Stream          `json:"stream"`
	}
	for text, want := range map[string]string{
		`{"seconds":"5"}`:          `seconds: is a string: want a number`,
		`{"name":5}`:               `name: is a number: want a string`,
		`{"count":1.5}`:            `count: is 1.5: want a whole number`,
		`{"first":-1}`:             `first: is -1: want a whole number, 0 or more`,
		`{"on":"yes"}`:             `on: is a string: want true or false`,
		`{"name":true}`:            `name: is true or false: want a string`,
		`{"groups":{}}`:            `groups: is an object: want a list`,
		`{"groups":["a",7]}`:       `groups: is a number: want a string`,
		`{"inner":{"A":"x"}}`:      `inner.A: is a string: want a whole number`,
		`{"inner":[]}`:             `inner: is a list: want an object`,
		`[]`:                       `is a list: want an object`,
		`"x"`:                      `is a string: want an object`,
		`{"expires":"tomorrow"}`:   `expires: "tomorrow": want a time such as 2026-05-01T12:00:00Z`,
		`{"on":true,"expires":12}`: `expires: 12 cannot stand there`,
		`{"stream":"zz"}`:          `stream: "zz" cannot stand there`,
		`{"loud":1}`:               `"loud": there is no such key`,
		`reboot`:                   `is no JSON from byte 1 on, "reboot"`,
		`{"name":x}`:               `is no JSON from byte 9 on, "x}"`,
		`{"name":"x"} {`:           `is no JSON from byte 14 on, "{"`,
		`{"name":`:                 `ends in the middle: want JSON that is whole`,
		`{"name":"x"`:              `ends in the middle: want JSON that is whole`,
		`{`:                        `ends in the middle: want JSON that is whole`,
		` `:                        `is empty: want JSON`,
	} {
		var into args
		err := json.Unmarshal([]byte(text), &into)
		if err == nil { // what only a strict reader minds
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.DisallowUnknownFields()
			err = decoder.Decode(&into)
		}
		if err == nil {
			t.Errorf("%s is read", text)
			continue
		}
		if got := ExplainJSON([]byte(text), &into, err); got != want {
			t.Errorf("%s: %s, want %s (%v)", text, got, want, err)
		}
	}
}
