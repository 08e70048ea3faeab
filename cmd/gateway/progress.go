package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// progress tells whether the daemon gets on: each of its parts has to show a sign of life now and then. Being offline is not
// ill, nor is a sensor that fails or a full disk: a restart mends none of them.
type progress struct {
	start                                   time.Time
	loop, sampler, writer, uplink, controls part
}

// A part is one of those that must not stand still.
type part struct {
	name  string
	limit time.Duration // how long it may be silent
	last  atomic.Int64  // its last sign, in ns since start: monotonic, whatever becomes of the clock
}

// How long the parts may be silent. The loop ticks each second; the sampler's and the writer's own times come on top of
// theirs, see due and newProgress, and a worn card may take half a minute for a commit; the longest that an uplink without a link does nothing is its back-off and the time
// limits of a connection, together less than three minutes; a change of control takes a commit, and a reboot a minute.
const (
	stuck        = 30 * time.Second
	stuckWriter  = time.Minute
	stuckUplink  = 5 * time.Minute
	stuckControl = 2 * time.Minute
)

// newProgress returns the progress of a daemon that starts now, whose writer commits once a window.
func newProgress(window time.Duration) *progress {
	p := &progress{start: time.Now()}
	for to, name := range map[*part]string{
		&p.loop: "the measuring loop", &p.sampler: "the sampler", &p.writer: "the buffer's writer", &p.uplink: "the uplink", &p.controls: "control",
	} {
		to.name, to.limit = name, stuck
	}
	p.writer.limit = stuckWriter + 2*window
	p.uplink.limit, p.controls.limit = stuckUplink, stuckControl
	return p
}

func (p *progress) parts() []*part {
	return []*part{&p.loop, &p.sampler, &p.writer, &p.uplink, &p.controls}
}

// beat notes a sign of life.
func (p *progress) beat(of *part) { of.last.Store(int64(time.Since(p.start))) }

// begin is a sign of life of all parts, when they begin.
func (p *progress) begin() {
	for _, of := range p.parts() {
		p.beat(of)
	}
}

func (p *progress) measured() { p.beat(&p.loop) }

// health returns why the daemon should be started anew, nil while all is well.
func (p *progress) health() error {
	var ill []error
	for _, of := range p.parts() {
		if silent := time.Since(p.start) - time.Duration(of.last.Load()); silent > of.limit {
			ill = append(ill, fmt.Errorf("%s has stood still for %v", of.name, silent.Round(time.Second)))
		}
	}
	return errors.Join(ill...)
}
