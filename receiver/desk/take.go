package desk

import (
	"errors"
	"fmt"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
	"holdfast/wire"
)

// A delivery is one message, when it came, and from or for which device it is; device is empty where it is for none.
type delivery struct {
	mqtt.Message
	arrived time.Time
	device  string
	leaf    string
}

// read takes a message's topic apart. It is pure.
func read(topics holdfast.Topics, m mqtt.Message, arrived time.Time) *delivery {
	device, leaf, ok := topics.Split(m.Topic)
	if !ok {
		device = "" // broadcast, or nonsense
	}
	return &delivery{Message: m, arrived: holdfast.Micro(arrived), device: device, leaf: leaf}
}

// put applies one delivery. What is invalid is let go: ingest tells of what devices sent, and devices answer operators.
func (d *Desk) put(tx *store.Tx, m *delivery) error {
	if m.device == "" {
		return nil
	}
	switch m.leaf {
	case holdfast.TopicState:
		d.hear(m)
		return nil
	case holdfast.TopicCommand:
		return d.putCommand(tx, m)
	case holdfast.TopicResponse:
		r, err := wire.DecodeResult(m.Payload)
		if err != nil {
			return nil
		}
		return tx.AnswerCommand(m.device, r, m.arrived)
	}
	return d.putShadow(tx, m)
}

// hear notes which devices are online. A last will counts for the stream that is there.
func (d *Desk) hear(m *delivery) {
	status, err := wire.DecodeStatus(m.Payload)
	if err != nil {
		return
	}
	p, known := d.online[m.device]
	switch {
	case status.Online && (known || len(d.online) < maxOnline):
		p.stream, p.heard = status.Stream, m.arrived
		d.online[m.device] = p
	case !status.Online && p.stream == status.Stream:
		delete(d.online, m.device)
	}
}

func (d *Desk) putCommand(tx *store.Tx, m *delivery) error {
	if m.Retained || len(m.Payload) == 0 {
		return nil
	}
	c, err := wire.DecodeCommand(m.Payload)
	if err != nil {
		d.unwanted.about(d.Log, m.arrived, m.device, err.Error())
		return nil
	}
	_, there := d.online[m.device]
	err = keep(tx, m.device, c, m.Payload, m.arrived, there)
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		d.unwanted.about(d.Log, m.arrived, m.device, refusal.Error())
		return nil
	}
	return err
}

// A Refusal says why a command or a wish is not kept.
type Refusal struct {
	Kind error  // one of the errors below
	Text string // for people
}

// Kinds of refusals.
var (
	ErrDevice  = errors.New("no such device")
	ErrInvalid = errors.New("invalid")
	ErrFull    = errors.New("too many wait")
	ErrVersion = errors.New("another version")
)

func (r *Refusal) Error() string { return r.Text }

func (r *Refusal) Unwrap() error { return r.Kind }

func refuse(kind error, format string, args ...any) error {
	return &Refusal{kind, fmt.Sprintf(format, args...)}
}
