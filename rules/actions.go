package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"holdfast"
)

// An Action is something that a rule has done while an alert of it stands, at the steps of the alert's life, or when its
// schedule fires. Its JSON stands in checkpoints and belongs to the definition of the rule.
type Action struct {
	Kind string `json:"kind"` // one of the constants below

	Output string        `json:"output,omitempty"`
	State  string        `json:"state,omitempty"` // of the output: on, off, pulse
	Max    time.Duration `json:"max,omitempty"`   // with on: how long at most; 0: the output's own maximum alone
	For    time.Duration `json:"for,omitempty"`   // with pulse: how long; with an interval: how long behind the alert

	Every  time.Duration `json:"every,omitempty"`  // of an interval
	Sensor pattern       `json:"sensor,omitempty"` // whose interval; empty: of the alert's sensor

	URL URL `json:"url,omitempty"` // of a webhook
}

// What an action does.
const (
	ActionOutput   = "output"
	ActionInterval = "interval"
	ActionWebhook  = "webhook"
)

// States that an action gives an output.
const (
	StateOn    = "on"    // while the alert stands
	StateOff   = "off"   // once
	StatePulse = "pulse" // on and off again, once
)

// Bounds of actions.
const (
	maxActions = 8 // of one rule
	maxPulse   = time.Hour
	maxOn      = 7 * 24 * time.Hour
	maxBehind  = 24 * time.Hour // an alert
	leastEvery = 100 * time.Millisecond
)

// acting are the kinds of rules that may have actions: those that raise alerts, and schedule.
var acting = []string{"threshold", "rate", "absence", "anomaly", "trend", scheduled}

// scheduled is the one whose actions begin with a firing, and which nothing ends.
const scheduled = "schedule"

// lasts reports whether the action goes on for as long as an alert stands.
func (a *Action) lasts() bool { return a.Kind == ActionInterval || a.State == StateOn }

// A place is where something stands in a rules file.
type place struct {
	file string
	line int
	key  string
}

// actions reads the list beside the key of the rule's kind, and where each of its elements stands.
func (f *fields) actions(kind string) (actions []Action, places []place) {
	const key = "actions"
	if f.get(key) == nil {
		return nil, nil
	}
	if kind != "" && !slices.Contains(acting, kind) {
		f.badKey(key, "a rule of kind %s has none: want one of %s", kind, strings.Join(acting, ", "))
		return nil, nil
	}
	for i, node := range f.list(key) {
		if i == maxActions {
			f.p.add(node.Line, f.sub(key), "more than %d", maxActions)
			break
		}
		e := f.element(key, i, node)
		if e.broken {
			continue
		}
		a := e.action(kind)
		e.end()
		if a.Kind == ActionOutput && a.Output != "" && slices.ContainsFunc(actions, func(o Action) bool { return o.Output == a.Output }) {
			e.bad("output %s has an action in this rule already: want one", a.Output)
		}
		actions, places = append(actions, a), append(places, place{f.p.file, node.Line, e.path})
	}
	return actions, places
}

// action reads one element of the list: a mapping with one key.
func (f *fields) action(kind string) (a Action) {
	for _, what := range []struct {
		name string
		read func(f *fields, kind string) Action
	}{
		{ActionOutput, (*fields).outputAction},
		{ActionInterval, (*fields).intervalAction},
		{ActionWebhook, (*fields).webhookAction},
	} {
		body := f.mapping(what.name)
		switch {
		case body == nil:
		case a.Kind != "":
			body.bad("a second action beside %s: want one for each element of the list", a.Kind)
		default:
			if a.Kind = what.name; !body.broken {
				a = what.read(body, kind)
				a.Kind = what.name
				body.end()
			}
		}
	}
	if a.Kind == "" && len(f.values) == 0 {
		f.bad("no action: want one of %s, %s, %s", ActionOutput, ActionInterval, ActionWebhook)
	}
	return a
}

func (f *fields) outputAction(string) Action {
	a := Action{
		Output: f.text("name", holdfast.CheckOutput),
		Max:    f.duration("max", time.Second, maxOn),
		For:    f.duration("for", leastEvery, maxPulse),
	}
	a.State = f.state()
	switch {
	case a.State == "": // noted
	case a.State != StateOn && f.has("max"):
		f.badKey("max", "belongs to state: on")
	case a.State != StatePulse && f.has("for"):
		f.badKey("for", "belongs to state: pulse; with state: on want max")
	case a.State == StatePulse && !f.has("for"):
		f.badKey("for", "is missing: want how long the pulse is, %v to %v", leastEvery, maxPulse)
	}
	return a
}

// state reads on, off or pulse. YAML takes the first two for words here, but not everybody's editor does.
func (f *fields) state() string {
	n := f.get("state")
	if n != nil && n.Kind == yaml.ScalarNode {
		switch n.Value {
		case StateOn, StateOff, StatePulse:
			return n.Value
		}
		f.badKey("state", "%s: want on, off or pulse", shown(n))
		return ""
	}
	f.badKey("state", "want on, off or pulse")
	return ""
}

func (f *fields) intervalAction(kind string) Action {
	a := Action{
		Every:  f.duration("every", leastEvery, maxBehind),
		For:    f.duration("for", 0, maxBehind),
		Sensor: pattern(f.textOr("sensor", "", func(s string) error { return pattern(s).validate() })),
	}
	if !f.has("every") {
		f.badKey("every", "is missing: want %v to %v", leastEvery, maxBehind)
	}
	if kind != scheduled {
		return a
	}
	if a.For == 0 && f.well("for") {
		f.badKey("for", "want how long, since nothing ends what a schedule begins: up to %v", maxBehind)
	}
	if a.Sensor == "" {
		a.Sensor = "*"
	}
	return a
}

// well reports whether the value of a duration is not one whose mistake is noted already.
func (f *fields) well(key string) bool {
	n := f.get(key)
	if n == nil {
		return true
	}
	d, err := time.ParseDuration(n.Value)
	return err == nil && d == 0
}

func (f *fields) webhookAction(kind string) Action {
	if kind == scheduled {
		f.bad("belongs to a rule that raises alerts")
	}
	a := Action{}
	n := f.get("url")
	switch {
	case n == nil:
		f.badKey("url", "is missing: want one like http://192.168.1.20:8123/api/webhook/name")
	case n.Kind != yaml.ScalarNode:
		f.badKey("url", "want text")
	case !f.p.shows(n):
		f.badKey("url", "want it on one line as it is, without escapes, so that it can be hidden wherever the rules are shown")
	default:
		a.URL = URL(n.Value)
		if err := a.URL.check(); err != nil {
			f.badKey("url", "%v", err)
		}
	}
	return a
}

// A Missing is an action that names an output which a device does not have. Its rule is not wrong, and does all else; it has
// nothing to switch.
type Missing struct {
	Problem
	Rule, Output string
}

// Missing compares the set with the outputs of a device.
func (s *Set) Missing(outputs []string) (all []*Missing) {
	for _, r := range s.rules {
		for i, a := range r.actions {
			if a.Kind != ActionOutput || slices.Contains(outputs, a.Output) {
				continue
			}
			has := "has no outputs"
			if len(outputs) > 0 {
				has = "has " + strings.Join(outputs, ", ")
			}
			at := r.places[i]
			text := fmt.Sprintf("rule %s switches output %s: this device %s", r.name, a.Output, has)
			all = append(all, &Missing{Problem{at.file, at.line, at.key, text}, r.name, a.Output})
		}
	}
	return all
}
