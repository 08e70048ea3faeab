package rules

import (
	"fmt"
	"slices"

	"holdfast"
)

// What the rules of an engine remember is bounded: one rule by maxSensors sensors, all together by maxBytes, each memory
// counted at its largest. A sensor too many is left out of the rule that meets it, which is that rule's failure.
const (
	maxSensors = 1000
	maxBytes   = 128 << 20
	leastBytes = 512 // of any memory
)

// A program may be one of these too.
type (
	joiner interface{ across() bool }    // true: one memory for all sensors, under the name ""
	sized  interface{ bytes() int }      // about how much a memory takes at most; others take leastBytes
	waiter interface{ expects() string } // a sensor to remember before it is heard of; "" for none
)

// room is what is left of maxBytes while the rules of a file are read, each for one sensor.
type room int

// take reports whether the rule still fits, and takes its place if so.
func (left *room) take(r rule) bool {
	n := (&running{rule: r}).bytes()
	if n > int(*left) {
		return false
	}
	*left -= room(n)
	return true
}

// Memory returns how many bytes the rules remember at most of the sensors of a device. Where that is more than [MaxMemory],
// some of them are left out.
func (s *Set) Memory(c *holdfast.Catalog) int {
	n := 0
	for _, r := range s.rules {
		sensors := 0
		for _, sensor := range c.Sensors {
			if r.program.watches().matches(sensor.Name) {
				sensors++
			}
		}
		if j, ok := r.program.(joiner); ok && j.across() {
			sensors = min(sensors, 1)
		}
		n += sensors * (&running{rule: r}).bytes()
	}
	return n
}

// expect begins the memories of sensors that rules wait for.
func (e *Engine) expect() {
	for _, r := range e.rules {
		if w, ok := r.program.(waiter); ok && w.expects() != "" {
			if _, err := e.memory(r, w.expects()); err != nil {
				e.fail(r, err)
			}
		}
	}
}

// key is the name under which the rule remembers a sensor.
func (r *running) key(sensor string) string {
	if j, ok := r.program.(joiner); ok && j.across() {
		return ""
	}
	return sensor
}

// memory returns what the rule remembers of a sensor.
func (e *Engine) memory(r *running, sensor string) (memory, error) {
	i, found := slices.BinarySearch(r.sensors, sensor)
	if found {
		return r.memories[i], nil
	}
	if len(r.sensors) == maxSensors {
		return nil, fmt.Errorf("more than %d sensors: %s is left out", maxSensors, sensor)
	}
	if n := e.bytes() + r.bytes(); n > maxBytes {
		return nil, fmt.Errorf("%d MB of memory in all rules: at most %d; %s is left out; want fewer sensors or quantities, or shorter or coarser windows", n>>20, maxBytes>>20, sensor)
	}
	m := r.program.begin()
	r.remember(i, sensor, m)
	return m, nil
}

// bytes is about how much all rules remember at most.
func (e *Engine) bytes() int {
	n := 0
	for _, r := range e.rules {
		n += len(r.memories) * r.bytes()
	}
	return n
}

func (r *running) bytes() int {
	if s, ok := r.program.(sized); ok {
		return leastBytes + s.bytes()
	}
	return leastBytes
}
