package main

import (
	"context"
	"encoding/json"
	"time"

	"holdfast"
	"holdfast/dashboard"
)

// outputRetry is how soon a setting that the disk did not take is tried again; the line is off meanwhile.
const outputRetry = 10 * time.Second

// linesOf makes what drives the lines. Without any the commands about them are unsupported.
func (g *gateway) linesOf() {
	if g.world.openLine == nil {
		g.cfg.LED, g.cfg.Outputs = LEDConfig{}, nil
	}
	g.led = newLED(g.cfg.LED)
	g.outputs = newOutputs(g.cfg.Outputs, g.world.openLine, g.log)
	g.outputs.event = func(c holdfast.OutputChange) { g.event(holdfast.EventOutput, c) }
	g.outputs.notice = func(text string) { g.notices.add(text) }
}

// runOutputs owns the lines from the start on, before the buffer is open, so that nothing is on longer than it should be.
func (g *gateway) runOutputs(ctx context.Context) error {
	g.outputs.run(ctx)
	return nil
}

// settleOutputs makes the settings follow those outputs that were switched first: by rules, or because their time was over.
func (g *gateway) settleOutputs(ctx context.Context) error {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.outputs.moved:
		case <-again:
		}
		again = nil
		for name, f := range g.outputs.takeFollows() {
			value := json.RawMessage("false")
			if f.on {
				value = json.RawMessage("true")
			}
			if _, err := g.control.Set(ctx, holdfast.OutputKey(name), value, f.origin, f.reason); err != nil && ctx.Err() == nil {
				g.log.Error("output was switched and its setting was not", "output", name, "on", f.on, "err", err)
				g.outputs.followLater(name, f)
				again = time.After(outputRetry)
			} else if s := g.outputs.state(name); s.On != f.on && s.Error == "" {
				f.on = s.On // it was switched again meanwhile
				g.outputs.followLater(name, f)
				wake(g.outputs.moved)
			}
		}
	}
}

// outputDefaults are the settings of the outputs until somebody changes them, and the keys of those that begin there with
// each start.
func (g *gateway) outputDefaults() (defaults []holdfast.Setting, fresh []string) {
	for _, o := range g.cfg.Outputs {
		key, on := holdfast.OutputKey(o.Name), json.RawMessage("false")
		if o.Default == outputOn {
			on = json.RawMessage("true")
		}
		defaults = append(defaults, holdfast.Setting{Key: key, Value: on, Origin: holdfast.OriginConfig})
		if o.Default != outputLast {
			fresh = append(fresh, key)
		}
	}
	return defaults, fresh
}

// viewOutputs shows the outputs to the page.
func (g *gateway) viewOutputs() (views []dashboard.Output) {
	for _, o := range g.cfg.Outputs {
		s := g.outputs.state(o.Name)
		views = append(views, dashboard.Output{Name: o.Name, On: s.On, Error: s.Error, Until: s.Until, MaxOnS: o.MaxOn.Seconds()})
	}
	return views
}
