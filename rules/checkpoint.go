package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"holdfast"
)

// MaxPart is the longest part of a checkpoint, in bytes. A rule that remembers more than that starts anew after a restart.
const MaxPart = 1 << 20

// A part is what one rule remembers. It stands alone: it says in which boot and under which version of the set it was
// written, and holds the definition of its rule, so that even a later set that lacks the rule can close what is open.
type part struct {
	V       int                        `json:"v"`
	Boot    string                     `json:"boot"`
	Version int                        `json:"version"` // of the set
	Name    string                     `json:"name"`
	Kind    string                     `json:"kind"`
	Program json.RawMessage            `json:"program"`
	Actions []Action                   `json:"actions,omitempty"`
	Sensors map[string]json.RawMessage `json:"sensors"`
	Raised  []raising                  `json:"raised,omitempty"`
}

// partVersion is the version of the format.
const partVersion = 1

// Checkpoint returns what has changed in what the engine remembers since the last call: a part for each rule, as JSON by
// the rule's name; nil where there is a part no more. Together with the parts that were returned before and are not
// replaced they are what [Engine.Restore] takes. What cannot be written is left out and named in the error, once; the rest is
// returned beside it. Only rules that have been at work since the last call are written anew.
func (e *Engine) Checkpoint() (changed map[string][]byte, err error) {
	return e.checkpoint(func(*running, []byte) bool { return false })
}

// Changes is Checkpoint for who calls it each second or more often: a part that is large because it holds the panes of windows
// that move on is left out until the rule has made a record, at most for largeWait. After a crash such windows lack what was
// measured since.
func (e *Engine) Changes() (changed map[string][]byte, err error) {
	return e.checkpoint(func(r *running, last []byte) bool {
		p, ok := r.program.(paned)
		since := e.at.Mono - r.writtenAt
		return ok && p.panes() && len(last) > largePart && !r.told && since >= 0 && since < largeWait.Microseconds()
	})
}

const (
	largePart = 16 << 10 // bytes
	largeWait = 10 * time.Second
)

// A program may be one whose memories are many panes, of which one at a time fills.
type paned interface{ panes() bool }

func (e *Engine) checkpoint(later func(r *running, last []byte) bool) (changed map[string][]byte, err error) {
	changed = make(map[string][]byte)
	var errs []error
	for _, r := range e.rules {
		last, known := e.stored[r.name]
		if restored := known && last == nil; r.written && !restored || later(r, last) {
			continue
		}
		text, err := e.write(r)
		r.written, r.told, r.writtenAt = true, false, e.at.Mono
		errs = append(errs, err)
		switch {
		case text == nil && known:
			changed[r.name] = nil
			delete(e.stored, r.name)
		case text != nil && !bytes.Equal(text, last):
			changed[r.name], e.stored[r.name] = text, text
		}
	}
	for name, last := range e.stored {
		if last == nil { // a rule that is gone had it
			changed[name] = nil
			delete(e.stored, name)
		}
	}
	return changed, errors.Join(errs...)
}

// write returns the part of a rule; nil where there is nothing to remember, and nothing to forget either.
func (e *Engine) write(r *running) ([]byte, error) {
	if r.off {
		return nil, nil
	}
	p, err := r.save()
	if _, known := e.stored[r.name]; p.Program == nil || len(p.Sensors)+len(p.Raised) == 0 && !known {
		return nil, err
	}
	p.V, p.Boot, p.Version = partVersion, e.boot, r.version
	text, failed := p.encode()
	if len(text) > MaxPart {
		text, failed = nil, fmt.Errorf("checkpoint of rule %s: %d bytes: at most %d; it starts anew after a restart; want fewer sensors or quantities, or coarser windows", r.name, len(text), MaxPart)
	}
	return text, errors.Join(err, failed)
}

// encode is json.Marshal, which would read the JSON within once more to make sure of it: that takes as long as to write it.
func (p *part) encode() ([]byte, error) {
	head, err := json.Marshal(struct {
		*part
		Program struct{} `json:"program,omitzero"` // these two come behind the rest
		Sensors struct{} `json:"sensors,omitzero"`
	}{part: p})
	if err != nil {
		return nil, err
	}
	n := len(head) + len(p.Program) + 32
	for sensor, memory := range p.Sensors {
		n += len(sensor) + len(memory) + 8
	}
	text := append(make([]byte, 0, n), head[:len(head)-1]...)
	text = append(append(text, `,"program":`...), p.Program...)
	text = append(text, `,"sensors":{`...)
	for i, sensor := range slices.Sorted(maps.Keys(p.Sensors)) {
		name, err := json.Marshal(sensor)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, name...), ':'), p.Sensors[sensor]...)
	}
	return append(text, '}', '}'), nil
}

func (r *running) save() (part, error) {
	p := part{Name: r.name, Kind: r.kind, Actions: r.actions, Sensors: make(map[string]json.RawMessage), Raised: r.raised}
	var err error
	if p.Program, err = r.text(); err != nil {
		return p, fmt.Errorf("checkpoint of rule %s: %w", r.name, err)
	}
	var errs []error
	for i, m := range r.memories {
		switch data, err := json.Marshal(m); {
		case err != nil:
			errs = append(errs, fmt.Errorf("checkpoint of rule %s, sensor %s: %w", r.name, r.sensors[i], err))
		case string(data) != "{}":
			p.Sensors[r.sensors[i]] = data
		}
	}
	return p, errors.Join(errs...)
}

// text is the JSON of the rule's definition.
func (r *running) text() (text json.RawMessage, err error) {
	if r.definition == nil {
		r.definition, err = json.Marshal(r.program)
	}
	return r.definition, err
}

// Parts cuts a checkpoint that holds all rules in one, as gateways wrote them before, into the parts that
// [Engine.Restore] takes.
func Parts(whole []byte) (map[string][]byte, error) {
	var c struct {
		V       int    `json:"v"`
		Boot    string `json:"boot"`
		Version int    `json:"version"`
		Rules   []part `json:"rules"`
	}
	if err := json.Unmarshal(whole, &c); err != nil {
		return nil, fmt.Errorf("restore rules: %w", err)
	}
	if c.V != 1 {
		return nil, fmt.Errorf("restore rules: checkpoint of version %d: want 1", c.V)
	}
	parts := make(map[string][]byte)
	var errs []error
	for _, p := range c.Rules {
		p.V, p.Boot, p.Version = partVersion, c.Boot, c.Version
		text, err := json.Marshal(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("restore rule %s: %w", p.Name, err))
			continue
		}
		parts[p.Name] = text
	}
	return parts, errors.Join(errs...)
}

// Restore takes over what another engine remembered, before the first Apply, and returns the records that follow: the
// partial windows of an earlier boot, and the end of whatever belongs to a rule that this set lacks or defines otherwise.
// What cannot be read is left out and named in the error. An empty part says only that there is one to be replaced.
func (e *Engine) Restore(parts map[string][]byte, at holdfast.Instant) ([]holdfast.Record, error) {
	e.boot, e.at = at.Boot, at
	var records []holdfast.Record
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		e.stored[name] = nil // not what the next checkpoint will say
		if len(parts[name]) == 0 {
			continue
		}
		made, err := e.restore(name, parts[name], at)
		records, errs = append(records, made...), append(errs, err)
	}
	e.expect()
	return records, errors.Join(errs...)
}

func (e *Engine) restore(name string, data []byte, at holdfast.Instant) ([]holdfast.Record, error) {
	var p part
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("restore rule %s: %w", name, err)
	}
	if p.V != partVersion || p.Name != name {
		return nil, fmt.Errorf("restore rule %s: a part of version %d of rule %q: want version %d", name, p.V, p.Name, partVersion)
	}
	r, kept := e.heir(p)
	if r == nil {
		return nil, fmt.Errorf("restore rule %s: unknown kind %q or definition", name, p.Kind)
	}
	if !kept {
		r.version = p.Version
	}
	err := r.load(p)
	r.resume(p.Raised, p.Boot != at.Boot, at)
	return e.wake(r, p.Boot != at.Boot, !kept, at), err
}

// heir returns the rule that goes on with what was saved, and true; or else a rule made from the saved definition, which
// serves to close what is open.
func (e *Engine) heir(saved part) (*running, bool) {
	for _, r := range e.rules {
		if r.name != saved.Name || r.kind != saved.Kind {
			continue
		}
		if program, err := r.text(); err == nil && bytes.Equal(program, saved.Program) && slices.Equal(r.actions, saved.Actions) {
			return r, true
		}
	}
	for _, k := range kinds {
		if k.name != saved.Kind {
			continue
		}
		program := k.blank()
		if json.Unmarshal(saved.Program, program) == nil {
			return &running{rule: rule{name: saved.Name, kind: saved.Kind, program: program, actions: saved.Actions}}, false
		}
	}
	return nil, false
}

func (r *running) load(saved part) error {
	var errs []error
	r.sensors, r.memories, r.written = nil, nil, false
	for _, sensor := range slices.Sorted(maps.Keys(saved.Sensors)) {
		m := r.program.begin()
		if err := json.Unmarshal(saved.Sensors[sensor], m); err != nil {
			errs = append(errs, fmt.Errorf("restore rule %s, sensor %s: %w", saved.Name, sensor, err))
			continue
		}
		r.remember(len(r.sensors), sensor, m)
	}
	r.stand()
	return errors.Join(errs...)
}

// wake tells the memories of a rule what happened since they were saved.
func (e *Engine) wake(r *running, rebooted, retired bool, at holdfast.Instant) []holdfast.Record {
	var records []holdfast.Record
	for i, m := range r.memories {
		o := e.origin(r, r.sensors[i])
		if rebooted {
			records = append(records, e.guard(r, func() []holdfast.Record { return m.reboot(o, at) })...)
		}
		if retired {
			records = append(records, e.guard(r, func() []holdfast.Record { return m.retire(o, at) })...)
		}
	}
	if retired {
		e.forget(r)
	}
	return records
}
