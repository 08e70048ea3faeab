package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/mqtt"
)

func TestRender(t *testing.T) {
	t.Parallel()
	names := Names{DeviceUUID: "6076", DeviceType: "raspberrypi", AppID: "18", AppName: "IoT-Projekt"}
	for template, want := range map[string]string{
		"iot-projekt/device/%(device_uuid)s/values":               "iot-projekt/device/6076/values",
		"%(app_name)s/%(app_id)s/%(device_type)s/%(device_uuid)s": "IoT-Projekt/18/raspberrypi/6076",
	} {
		if got, err := names.Render(template); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", template, got, err, want)
		}
	}
	for template, word := range map[string]string{"a/%(uuid)s": "%(uuid)s", "": "topic", "a/+": "without +", "a/#": "without +"} {
		if _, err := names.Render(template); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v, want a word about %s", template, err, word)
		}
	}
}

// Spans are those of Redis's XRANGE.
func TestSpan(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		least, greatest string
		holds, not      []string
	}{
		{"-", "+", []string{"0-0", "5-1", "999999999999999-9"}, nil},
		{"5", "+", []string{"5-0", "5-1", "6-0"}, []string{"4-9"}},
		{"5-1", "6", []string{"5-1", "5-2", "6-0", "6-99"}, []string{"5-0", "7-0"}},
		{"(5-1", "(6-0", []string{"5-2", "5-999"}, []string{"5-1", "6-0"}},
		{"(5-9223372036854775807", "+", []string{"6-0"}, []string{"5-7"}},
	} {
		s, err := parseSpan(test.least, test.greatest)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range test.holds {
			if !s.holds(&holdfast.Reading{ID: id}) {
				t.Errorf("%s to %s lacks %s", test.least, test.greatest, id)
			}
		}
		for _, id := range test.not {
			if s.holds(&holdfast.Reading{ID: id}) {
				t.Errorf("%s to %s holds %s", test.least, test.greatest, id)
			}
		}
	}
	for _, wrong := range []string{"", "x", "5-x", "-5", "5-", "((5-1", "99999999999999999999"} {
		if _, err := parseSpan(wrong, "+"); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// Ids grow, also where the clock goes back, and go on behind the last one of the start before.
func TestIDs(t *testing.T) {
	t.Parallel()
	var i IDs
	var got []string
	for _, ms := range []int64{1000, 1000, 1001, 999, 999, 5000} {
		got = append(got, i.Next(ms))
	}
	if fmt.Sprint(got) != "[1000-0 1000-1 1001-0 1001-1 1001-2 5000-0]" {
		t.Errorf("ids %v", got)
	}
	var again IDs
	if err := again.Resume(i.Last()); err != nil || again.Next(10) != "5000-1" {
		t.Errorf("resumed: %v, %v", again, err)
	}
	if err := again.Resume("x"); err == nil || again.Last() != "5000-1" {
		t.Errorf("a damaged id: %v, then %s", err, again.Last())
	}
	for _, id := range append(got, again.Last()) {
		r := holdfast.Reading{Time: time.Unix(1, 0), Sensor: "a", Values: map[string]float64{"x": 1}, ID: id}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// A device counts what happens to it.
type device struct{ effects int }

func (d *device) Get(key string) (string, error) { return "1", nil }

func (d *device) Set(_ context.Context, key, value string) error {
	if key != "measurement:enabled" || value != "0" && value != "1" {
		return errors.New("want measurement:enabled, 0 or 1")
	}
	d.effects++
	return nil
}

func (d *device) Reboot(_ context.Context, begun func()) error {
	begun()
	d.effects++
	return nil
}

// noRecords is a buffer without any.
type noRecords struct{}

func (noRecords) Follow(holdfast.Lane, holdfast.Position, func(holdfast.Position, json.RawMessage) bool) error {
	return nil
}

// Whatever comes as a request: there is at most one answer, which is JSON, and an effect only where it is no error.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"command":"reboot"}`, `{"command":"SET_CONFIG","key":"measurement:enabled","value":1}`, `{"command":"get_config","key":"x"}`,
		`{"command":"send_measurements","min_id":"-","max_id":"(5-1","count":3}`, `{"command":"set_config","key":"mqtt_sender:last_id","value":"(1-0"}`, `[]`, `{"command":1}`,
	} {
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, payload []byte, retained bool) {
		d := &device{}
		p := New(Options{Records: noRecords{}, Device: d, Flat: &Flat{}})
		var answers []reply
		r, err := parseRequest(mqtt.Message{Payload: payload, Retained: retained})
		if err == nil {
			err = p.execute(t.Context(), nil, r, func(r reply) { answers = append(answers, r) })
		}
		if retained && err == nil {
			t.Error("a retained command is taken")
		}
		if len(answers) > 1 || err != nil && d.effects > 0 || d.effects > len(answers) {
			t.Errorf("%d answers, %d effects, %v", len(answers), d.effects, err)
		}
		for _, a := range answers {
			if _, err := json.Marshal(a); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestCount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": math.MaxInt, "null": math.MaxInt, "0": math.MaxInt, "5": 5, `"7"`: 7} {
		if got, err := count(json.RawMessage(text)); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, wrong := range []string{"-1", "1.5", `"x"`, "[]", "true"} {
		if _, err := count(json.RawMessage(wrong)); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
