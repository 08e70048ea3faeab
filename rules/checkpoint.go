package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"holdfast"
)

// A checkpoint is what an engine remembers. It holds the definition of each rule that remembers something, so that even
// a later set that lacks the rule can close what is open.
type checkpoint struct {
	V       int         `json:"v"`
	Boot    string      `json:"boot"`
	Version int         `json:"version"` // of the set
	Rules   []savedRule `json:"rules,omitempty"`
}

type savedRule struct {
	Name    string                     `json:"name"`
	Kind    string                     `json:"kind"`
	Program json.RawMessage            `json:"program"`
	Actions []Action                   `json:"actions,omitempty"`
	Sensors map[string]json.RawMessage `json:"sensors"`
	Raised  []raising                  `json:"raised,omitempty"`
}

// Checkpoint returns what the engine remembers, as JSON. What cannot be written is left out and named in the error, beside
// which the rest is returned. Only rules that have been at work since the last checkpoint are written anew.
func (e *Engine) Checkpoint() ([]byte, error) {
	head, err := json.Marshal(checkpoint{V: 1, Boot: e.boot, Version: e.set.Version})
	errs := []error{err}
	data := append(make([]byte, 0, e.size), bytes.TrimSuffix(head, []byte("}"))...)
	between := `,"rules":[`
	for _, r := range e.rules {
		if r.off {
			continue
		}
		if !r.saved.done {
			r.saved = r.write()
		}
		errs = append(errs, r.saved.err)
		if r.saved.text != nil {
			data = append(append(data, between...), r.saved.text...)
			between = ","
		}
	}
	if between == "," {
		data = append(data, ']')
	}
	data = append(data, '}')
	e.size = len(data) + len(data)/8
	return data, errors.Join(errs...)
}

// A written is the part of a checkpoint that belongs to one rule, for as long as the rule is not at work again.
type written struct {
	done bool
	text []byte // nil: nothing is remembered
	err  error
}

func (r *running) write() written {
	saved, err := r.save()
	if len(saved.Sensors)+len(saved.Raised) == 0 {
		return written{done: true, err: err}
	}
	text, failed := json.Marshal(saved)
	return written{true, text, errors.Join(err, failed)}
}

func (r *running) save() (savedRule, error) {
	program, err := json.Marshal(r.program)
	if err != nil {
		return savedRule{}, fmt.Errorf("checkpoint of rule %s: %w", r.name, err)
	}
	saved := savedRule{r.name, r.kind, program, r.actions, make(map[string]json.RawMessage), r.raised}
	var errs []error
	for i, m := range r.memories {
		switch data, err := json.Marshal(m); {
		case err != nil:
			errs = append(errs, fmt.Errorf("checkpoint of rule %s, sensor %s: %w", r.name, r.sensors[i], err))
		case string(data) != "{}":
			saved.Sensors[r.sensors[i]] = data
		}
	}
	return saved, errors.Join(errs...)
}

// Restore takes over what another engine remembered, before the first Apply, and returns the records that follow: the
// partial windows of an earlier boot, and the end of whatever belongs to a rule that this set lacks or defines otherwise.
// What cannot be read is left out and named in the error. No data is no error.
func (e *Engine) Restore(data []byte, at holdfast.Instant) ([]holdfast.Record, error) {
	e.boot, e.at = at.Boot, at
	if len(data) == 0 {
		return nil, nil
	}
	var c checkpoint
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("restore rules: %w", err)
	}
	if c.V != 1 {
		return nil, fmt.Errorf("restore rules: checkpoint of version %d: want 1", c.V)
	}
	var records []holdfast.Record
	var errs []error
	for _, saved := range c.Rules {
		r, kept := e.heir(saved)
		if r == nil {
			errs = append(errs, fmt.Errorf("restore rule %s: unknown kind %q or definition", saved.Name, saved.Kind))
			continue
		}
		if !kept {
			r.version = c.Version
		}
		if err := r.load(saved); err != nil {
			errs = append(errs, err)
		}
		r.resume(saved.Raised, c.Boot != at.Boot, at)
		records = append(records, e.wake(r, c.Boot != at.Boot, !kept, at)...)
	}
	e.expect()
	return records, errors.Join(errs...)
}

// heir returns the rule that goes on with what was saved, and true; or else a rule made from the saved definition, which
// serves to close what is open.
func (e *Engine) heir(saved savedRule) (*running, bool) {
	for _, r := range e.rules {
		if r.name != saved.Name || r.kind != saved.Kind {
			continue
		}
		if program, err := json.Marshal(r.program); err == nil && bytes.Equal(program, saved.Program) && slices.Equal(r.actions, saved.Actions) {
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

func (r *running) load(saved savedRule) error {
	var errs []error
	r.sensors, r.memories, r.saved = nil, nil, written{}
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
