package profile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/mqtt"
)

// A Device is whom the older commands are for.
type Device interface {
	// Get returns what a key of the older system holds, as text; an error where there is no such key.
	Get(key string) (string, error)
	// Set changes it. The error says what would be right.
	Set(ctx context.Context, key, value string) error
	// Reboot starts a reboot. It calls begun once the reboot is certain to be tried, and before it is.
	Reboot(ctx context.Context, begun func()) error
}

// KeyLastID is the key of the cursor. This package answers for it itself.
const KeyLastID = "mqtt_sender:last_id"

// maxRequest is the longest request that is read, in bytes.
const maxRequest = 16 << 10

// A request is a command of the older system. Numbers may stand where texts are expected: so it was.
type request struct {
	Command string          `json:"command"`
	Key     string          `json:"key"`
	Value   json.RawMessage `json:"value"`
	MinID   json.RawMessage `json:"min_id"`
	MaxID   json.RawMessage `json:"max_id"`
	Count   json.RawMessage `json:"count"`
}

// A reply repeats the request, as the older system did, or says what is wrong with it.
type reply struct {
	Command string          `json:"command"`
	Key     *string         `json:"key,omitempty"`
	Value   json.RawMessage `json:"value,omitempty"`
	Error   string          `json:"error,omitempty"`
}

// obey answers requests until ctx ends.
func (p *Profile) obey(ctx context.Context, conn *mqtt.Conn, requests <-chan mqtt.Message) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-requests:
			p.answer(ctx, conn, m)
		}
	}
}

func (p *Profile) answer(ctx context.Context, conn *mqtt.Conn, m mqtt.Message) {
	if len(m.Payload) == 0 {
		return // so a retained message is deleted
	}
	say := func(r reply) {
		payload, err := json.Marshal(r)
		if err != nil {
			p.o.Log.Error("answer cannot be written", "command", r.Command, "err", err)
			return
		}
		conn.Send(mqtt.Message{Topic: p.o.Flat.Topics.Response, Payload: payload})
	}
	r, err := parseRequest(m)
	if err == nil {
		err = p.execute(ctx, conn, r, say)
	}
	if err != nil && ctx.Err() == nil {
		p.o.Log.Warn("request refused", "command", r.Command, "err", err)
		refusal := reply{Command: strings.ToLower(r.Command), Value: r.Value, Error: err.Error()}
		if r.Key != "" {
			refusal.Key = &r.Key
		}
		say(refusal)
	}
}

func parseRequest(m mqtt.Message) (r request, err error) {
	switch {
	case m.Retained:
		return r, errors.New("a retained message is no command: it would come again at each connection")
	case len(m.Payload) > maxRequest:
		return r, fmt.Errorf("%d bytes: want at most %d", len(m.Payload), maxRequest)
	}
	if err := json.Unmarshal(m.Payload, &r); err != nil {
		return request{}, errors.New(`want a JSON object as {"command":"get_config","key":"measurement:interval"}`)
	}
	if len(r.Command) > 64 || len(r.Key) > 256 {
		return request{}, errors.New("command or key are too long")
	}
	return r, nil
}

func (p *Profile) execute(ctx context.Context, conn *mqtt.Conn, r request, say func(reply)) error {
	switch strings.ToLower(r.Command) {
	case "reboot":
		return p.o.Device.Reboot(ctx, func() { say(reply{Command: "reboot"}) })
	case "get_config":
		value, err := p.get(r.Key)
		if err != nil {
			return err
		}
		data, err := json.Marshal(value)
		if err != nil {
			return err
		}
		say(reply{Command: "get_config", Key: &r.Key, Value: data})
		return nil
	case "set_config":
		value, err := text(r.Value, "value", "")
		if err != nil {
			return err
		}
		if err := p.set(ctx, r.Key, value); err != nil {
			return err
		}
		say(reply{Command: "set_config", Key: &r.Key, Value: r.Value})
		return nil
	case "send_measurements":
		return p.sendMeasurements(ctx, conn, r)
	}
	return fmt.Errorf("%.64q is no command: want reboot, get_config, set_config or send_measurements", r.Command)
}

func (p *Profile) get(key string) (string, error) {
	if key != KeyLastID {
		return p.o.Device.Get(key)
	}
	return p.LastID()
}

func (p *Profile) set(ctx context.Context, key, value string) error {
	if key != KeyLastID {
		return p.o.Device.Set(ctx, key, value)
	}
	return p.SetLastID(value)
}

// LastID returns the id of the newest reading before the cursor, behind "(", or "-" where none is left.
func (p *Profile) LastID() (string, error) {
	p.mu.Lock()
	cursor, last := p.cursor, p.lastID
	p.mu.Unlock()
	if last != "" {
		return last, nil
	}
	last = "-"
	from := holdfast.Position{Stream: cursor.Stream}
	if cursor.Seq > lookBack {
		from.Seq = cursor.Seq - lookBack
	}
	err := p.o.Records.Follow(holdfast.LaneTelemetry, from, func(at holdfast.Position, record json.RawMessage) bool {
		if at.Stream != cursor.Stream || at.Seq > cursor.Seq {
			return false
		}
		if reading := asReading(record); reading != nil {
			last = "(" + idOf(reading)
		}
		return true
	})
	return last, err
}

// SetLastID makes sending go on at a reading with that id, behind one whose id stands behind "(", or with the first for "-".
func (p *Profile) SetLastID(id string) error {
	s, err := parseSpan(id, "+")
	if err != nil {
		return err
	}
	return p.rewind(s)
}

// lookBack is how many records before the cursor are looked at for its id.
const lookBack = 1000

// rewind sets the cursor before the first reading of the span, or behind the last one there is.
func (p *Profile) rewind(s span) error {
	before := holdfast.Position{}
	err := p.o.Records.Follow(holdfast.LaneTelemetry, before, func(at holdfast.Position, record json.RawMessage) bool {
		if reading := asReading(record); reading != nil && s.holds(reading) {
			return false
		}
		before = at
		return true
	})
	if err == nil {
		p.SetCursor(before)
	}
	return err
}

// sendMeasurements publishes readings again, and moves no cursor.
func (p *Profile) sendMeasurements(ctx context.Context, conn *mqtt.Conn, r request) error {
	least, err := text(r.MinID, "min_id", "-")
	if err != nil {
		return err
	}
	greatest, err := text(r.MaxID, "max_id", "+")
	if err != nil {
		return err
	}
	s, err := parseSpan(least, greatest)
	if err != nil {
		return err
	}
	left, err := count(r.Count)
	if err != nil {
		return err
	}
	for from := (holdfast.Position{}); left > 0; {
		page, err := p.page(from, min(left, maxReadings), s.holds)
		if err != nil || page.last == from {
			return err
		}
		if err := p.publish(ctx, conn, page.readings); err != nil {
			return err
		}
		from, left = page.last, left-len(page.readings)
	}
	return nil
}

// text returns a JSON string, or a number as it is written; fallback where there is none.
func text(data json.RawMessage, name, fallback string) (string, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "null" {
		return fallback, nil
	}
	var s string
	if json.Unmarshal(data, &s) == nil {
		return s, nil
	}
	var n json.Number
	if json.Unmarshal(data, &n) == nil {
		return n.String(), nil
	}
	return "", fmt.Errorf("%s: want a text or a number", name)
}

// count returns how many readings are wanted: all where nothing, or 0, is said.
func count(data json.RawMessage) (int, error) {
	t, err := text(data, "count", "0")
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(t)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("count: %.40q: want a whole number from 0", t)
	}
	if n == 0 {
		return int(^uint(0) >> 1), nil
	}
	return n, nil
}
