package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/control"
)

// ButtonConfig places the start/stop button and says what its presses do. Pin empty: no button.
type ButtonConfig struct {
	Chip, Pin string
	Pull      string // up, down, none
	Edge      string // falling, rising
	Bounce    time.Duration

	Short, Long, Double     string // toggle, stop, mark, none
	LongAfter, DoubleWithin time.Duration
}

// none is the action of a press that is not even noted.
const none control.Action = "none"

// action returns what a press does.
func (c *ButtonConfig) action(press string) control.Action {
	switch press {
	case holdfast.PressLong:
		return control.Action(cmp.Or(c.Long, string(control.ActionStop)))
	case holdfast.PressDouble:
		return control.Action(cmp.Or(c.Double, string(control.ActionMark)))
	}
	return control.Action(cmp.Or(c.Short, string(control.ActionToggle)))
}

// long is how long a press has to be held; 0 where a long press does nothing and is but a short one.
func (c *ButtonConfig) long() time.Duration {
	if c.action(holdfast.PressLong) == none {
		return 0
	}
	return c.LongAfter
}

func (c *ButtonConfig) double() time.Duration {
	if c.action(holdfast.PressDouble) == none {
		return 0
	}
	return c.DoubleWithin
}

func action(field func(*Config) *string) func(*Config, string) error {
	return choice(field, string(control.ActionToggle), string(control.ActionStop), string(control.ActionMark), string(none))
}

// checkButton puts the actions back to their defaults where measuring could be stopped and never be started by them.
func (c *Config) checkButton() []mistake {
	stops, toggles := false, false
	for _, press := range []string{holdfast.PressShort, holdfast.PressLong, holdfast.PressDouble} {
		stops = stops || c.Button.action(press) == control.ActionStop
		toggles = toggles || c.Button.action(press) == control.ActionToggle
	}
	if toggles || !stops {
		return nil
	}
	c.Button.Short, c.Button.Long, c.Button.Double = "", "", ""
	return []mistake{{"button.short", errors.New("button.short, button.long, button.double (BUTTON_SHORT, BUTTON_LONG, BUTTON_DOUBLE): a press stops measuring and none would start it again: want toggle for one of them")}}
}

// presses counts what was carried out, by kind.
type presses struct {
	mu   sync.Mutex
	done map[string]int
}

func newPresses() *presses { return &presses{done: map[string]int{}} }

// count returns how many were carried out that began as such a press: a short one right behind another is a double press.
func (p *presses) count(press string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if press == holdfast.PressShort {
		return p.done[press] + p.done[holdfast.PressDouble]
	}
	return p.done[press]
}

func (p *presses) carriedOut(press string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[press]++
}

// runButton watches the line. A line that cannot be had is a fault of the configuration: it is told of, and measuring goes on.
func (g *gateway) runButton(ctx context.Context) error {
	if g.world.button == nil {
		return nil
	}
	if err := g.world.button.Run(ctx); err != nil {
		g.log.Error("button does not work", "err", err)
		g.notices.add("the button does not work: " + err.Error())
	}
	return nil
}

// watchButton carries out presses until ctx ends, each durably before it takes effect.
func (g *gateway) watchButton(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case press := <-g.world.presses:
			if err := g.carryOut(ctx, press); err != nil && ctx.Err() == nil {
				g.log.Error("press of the button could not be made durable, measuring stays as it was", "press", press.Press, "err", err)
			}
		}
	}
}

func (g *gateway) carryOut(ctx context.Context, press holdfast.Press) error {
	action := g.cfg.Button.action(press.Press)
	if action == none {
		return nil
	}
	if _, err := g.control.Press(ctx, press, action); err != nil {
		return err
	}
	g.pressed.carriedOut(press.Press)
	if action == control.ActionStop {
		return g.confirmStop(ctx)
	}
	return nil
}

// stopLimit bounds the wait for the disk at a safe stop.
const stopLimit = 10 * time.Second

// confirmStop makes durable what was measured until the stop, and then says that the power may be pulled. Nothing holds
// balena's updates back at that time: see ADR 19.
func (g *gateway) confirmStop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	if err := g.durable(ctx); err != nil {
		return fmt.Errorf("safe stop: %w", err)
	}
	g.safe.Store(true)
	if g.control.Measuring() { // somebody started it meanwhile
		g.safe.Store(false)
	}
	return nil
}

// durable returns once everything that was measured until now is on the disk.
func (g *gateway) durable(ctx context.Context) error {
	taken := make(chan struct{})
	select {
	case g.emptied <- taken: // the loop takes what waits before it closes the channel
	case <-ctx.Done():
		return fmt.Errorf("readings are still on their way: %w", ctx.Err())
	}
	<-taken
	if err := g.buffer.Commit(ctx, buffer.Change{Urgent: true}); err != nil {
		return fmt.Errorf("commit the buffer: %w", err)
	}
	return nil
}

// mayUnplug reports whether the power may be pulled: after a safe stop, with nothing in memory that the disk lacks.
func (g *gateway) mayUnplug() bool {
	s := g.buffer.Status()
	return g.safe.Load() && !g.control.Measuring() && s.Queued == 0 && s.Failing == "" && !s.Volatile
}

// viewPresses tells the page what presses do.
func (g *gateway) viewPresses() map[string]string {
	view := map[string]string{}
	for _, press := range []string{holdfast.PressShort, holdfast.PressLong, holdfast.PressDouble} {
		if action := g.cfg.Button.action(press); action != none {
			view[press] = string(action)
		}
	}
	return view
}
