package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/sensors"
)

// A line is one that the gateway drives. Its methods are called from one goroutine at a time and must return at once.
type line interface {
	Set(on bool) error
	Close() error
}

// outputs drives the lines of the configuration. One goroutine, run, owns them: it takes them at their boot default, obeys
// orders, switches off what was on for long enough, and brings them back at the end.
type outputs struct {
	list   []OutputConfig
	open   func(o sensors.OutputOptions, on bool) (line, error)
	event  func(holdfast.OutputChange) // told of each change of a line once keeps is set
	keeps  atomic.Bool                 // the buffer is there
	notice func(text string)
	log    *slog.Logger

	orders chan order
	ended  chan struct{}

	mu      sync.Mutex
	states  map[string]outputState
	follows map[string]follow // settings that are to follow their lines, which were switched first
	wishes  []wish            // of rules, that run has yet to carry out
	moved   chan struct{}     // holds one when there are follows
	wished  chan struct{}     // holds one when there are wishes
}

// An order is a change that run carries out; done is closed then.
type order struct {
	output string
	do     func(o *output)
	done   chan struct{}
}

// An outputState is what an output does.
type outputState struct {
	On    bool
	Error string
	Until time.Time // when it goes off by itself; zero: it does not
}

// An output is one line in the hands of run.
type output struct {
	OutputConfig
	outputState
	line   line
	reason string // why it goes off by itself
	since  time.Time
	held   time.Time             // when a command wants it off; zero: never
	wants  map[wishKey]time.Time // what rules want it on for: until when, zero until they take it back. Empty while it is off
	ruled  bool                  // a rule switched it on, and nobody has taken it over
}

func newOutputs(list []OutputConfig, open func(sensors.OutputOptions, bool) (line, error), log *slog.Logger) *outputs {
	return &outputs{
		list: list, open: open, log: log, orders: make(chan order), ended: make(chan struct{}),
		states: map[string]outputState{}, follows: map[string]follow{}, moved: make(chan struct{}, 1), wished: make(chan struct{}, 1),
	}
}

// run owns the lines until ctx ends.
func (o *outputs) run(ctx context.Context) {
	defer close(o.ended)
	all := map[string]*output{}
	for _, c := range o.list {
		all[c.Name] = o.take(c)
	}
	timer := time.NewTimer(time.Hour)
	for {
		timer.Reset(o.publish(all))
		select {
		case <-ctx.Done():
			for _, c := range all {
				o.release(c)
			}
			return
		case order := <-o.orders:
			if c := all[order.output]; c != nil {
				order.do(c)
				o.publish(all)
			}
			close(order.done)
		case <-o.wished:
			o.grant(all)
		case <-timer.C:
			for _, c := range all {
				o.expire(c, time.Now())
			}
		}
	}
}

// take requests the line at its boot default. Without its line an output can be switched by nobody.
func (o *outputs) take(c OutputConfig) *output {
	out := &output{OutputConfig: c}
	on := c.Default == outputOn
	var err error
	out.line, err = o.open(sensors.OutputOptions{Chip: c.Chip, Line: c.Pin, ActiveLow: c.ActiveLow, Consumer: "output " + c.Name}, on)
	if err != nil {
		out.line, out.Error = nil, err.Error()
		o.log.Error("output does not work", "output", c.Name, "err", err)
		o.notice(fmt.Sprintf("output %s does not work: %v", c.Name, err))
		return out
	}
	out.On, out.since = on, time.Now()
	return out
}

// publish shows the states to others, and returns how long nothing is due.
func (o *outputs) publish(all map[string]*output) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	wait := time.Hour
	for name, c := range all {
		o.states[name] = c.outputState
		if !c.Until.IsZero() {
			wait = min(wait, time.Until(c.Until))
		}
	}
	return max(wait, 0)
}

func (o *outputs) state(name string) outputState {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.states[name]
}

// do has run carry out an order, and returns when it has. After the end nothing is carried out.
func (o *outputs) do(name string, f func(c *output)) {
	order := order{name, f, make(chan struct{})}
	select {
	case o.orders <- order:
		<-order.done
	case <-o.ended:
	}
}

// set makes a setting take effect.
func (o *outputs) set(name string, on bool, origin holdfast.Origin, reason string) {
	o.do(name, func(c *output) {
		c.ruled = false
		o.forgetFollow(name)
		if c.line == nil || c.On == on && c.Error == "" {
			return
		}
		c.begin()
		o.drive(c, on, origin, reason)
		if on && !c.On {
			o.follow(c.Name, follow{false, holdfast.OriginLimit, "could not be switched on"})
		}
		c.limit()
		o.again(c)
	})
}

// begin forgets what was said about how long the output is on.
func (c *output) begin() { c.since, c.held, c.wants, c.ruled = time.Now(), time.Time{}, nil, false }

// hold ends after d what an output does; with 0 only its maximum ends that.
func (o *outputs) hold(name string, d time.Duration) {
	o.do(name, func(c *output) {
		if !c.On {
			return
		}
		if c.ruled, c.held = false, (time.Time{}); d > 0 {
			c.held = time.Now().Add(d)
		}
		c.limit()
	})
}

// limit says when an output that is on goes off by itself: at its maximum, when a command said so, or when no rule wants it
// on any more.
func (c *output) limit() {
	c.Until = time.Time{}
	if !c.On {
		return
	}
	end := func(at time.Time, reason string) {
		if !at.IsZero() && (c.Until.IsZero() || at.Before(c.Until)) {
			c.Until, c.reason = at, reason
		}
	}
	if c.MaxOn > 0 {
		end(c.since.Add(c.MaxOn), "max_on")
	}
	end(c.held, "seconds are over")
	if c.ruled {
		end(c.unwanted())
	}
}

// expire switches off what was on for long enough: the line first, the setting follows when the disk has it.
func (o *outputs) expire(c *output, now time.Time) {
	if c.Until.IsZero() || now.Before(c.Until) {
		return
	}
	c.Until = time.Time{}
	failed := c.Error != ""
	o.drive(c, false, holdfast.OriginLimit, c.reason)
	c.begin()
	o.again(c)
	if !failed {
		o.follow(c.Name, follow{false, holdfast.OriginLimit, c.reason})
	}
}

// again has a line that could not be switched off be tried each second until it is.
func (o *outputs) again(c *output) {
	if c.Error != "" && c.On {
		c.Until = time.Now().Add(time.Second)
	}
}

// drive switches the line and tells of it. A line that fails is taken to be as it was.
func (o *outputs) drive(c *output, on bool, origin holdfast.Origin, reason string) {
	before := c.outputState
	c.Error = ""
	if err := c.line.Set(on); err != nil {
		c.Error = err.Error()
		o.log.Error("output cannot be switched", "output", c.Name, "on", on, "err", err)
	} else {
		c.On = on
	}
	if c.On != before.On || c.Error != before.Error {
		o.tell(holdfast.OutputChange{Output: c.Name, On: c.On, Origin: origin, Reason: reason, Error: c.Error})
	}
}

func (o *outputs) tell(c holdfast.OutputChange) {
	o.log.Info("output switched", "output", c.Output, "on", c.On, "origin", c.Origin, "reason", c.Reason)
	if o.keeps.Load() {
		o.event(c)
	}
}

// release brings a line back and gives it to the kernel.
func (o *outputs) release(c *output) {
	if c.line == nil {
		return
	}
	if on := c.Release == outputOn; c.Release != outputKeep && c.On != on {
		o.drive(c, on, holdfast.OriginConfig, "the gateway ends")
	}
	if err := c.line.Close(); err != nil {
		o.log.Error("output is not given back", "output", c.Name, "err", err)
	}
}

// named returns the configuration of an output.
func (o *outputs) named(name string) (OutputConfig, error) {
	names := []string{}
	for _, c := range o.list {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	if len(names) == 0 {
		return OutputConfig{}, fmt.Errorf("%w output.%s: this device has no outputs", holdfast.ErrInvalid, name)
	}
	return OutputConfig{}, fmt.Errorf("%w output.%s: no such output: want one of %s", holdfast.ErrInvalid, name, strings.Join(names, ", "))
}

// check refuses a setting of an output that cannot be switched.
func (o *outputs) check(name string) error {
	if _, err := o.named(name); err != nil {
		return err
	}
	if s := o.state(name); s.Error != "" && !s.On {
		return fmt.Errorf("%w output.%s: it does not work: %s", holdfast.ErrInvalid, name, s.Error)
	}
	return nil
}

// mayHold refuses a time that is beyond the maximum, and one that a restart would forget.
func (o *outputs) mayHold(name string, d time.Duration) error {
	c, err := o.named(name)
	switch {
	case err != nil:
		return err
	case c.MaxOn > 0 && d > c.MaxOn:
		return fmt.Errorf("%v: at most %v, the output's max_on", d.Seconds(), c.MaxOn.Seconds())
	case c.Default == outputLast:
		return errors.New("this output keeps its state over a restart, which would forget the time")
	}
	return nil
}
