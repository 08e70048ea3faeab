package main

import (
	"time"

	"holdfast"
	"holdfast/rules"
)

// actions makes what carries out orders of rules, beside outputs.
func (g *gateway) actions() {
	tell := func(c holdfast.ActionChange) { g.event(holdfast.EventAction, c) }
	g.bursts = newBursts(g.world.source, tell)
	g.webhooks = newWebhooks(g.device, usualWebhookLimits, g.notices, g.log)
	g.webhooks.event = tell
	g.metrics.registry.MustRegister(g.webhooks, &g.withheld)
}

// act has what the rules ordered carried out, by those who own outputs, intervals and webhooks. It never waits for them.
func (g *gateway) act(orders []rules.Order) {
	var wishes []wish
	for _, o := range orders {
		switch o.Action.Kind {
		case rules.ActionOutput:
			wishes = append(wishes, wishOf(o, 0))
		case rules.ActionInterval:
			g.bursts.order(o, 0, false)
		case rules.ActionWebhook:
			g.webhooks.add(o)
		}
	}
	if wishes != nil {
		g.outputs.wish(wishes...)
	}
}

// stand gives the orders again that a restart ended. What has had its time before the restart has none left.
func (g *gateway) stand() {
	now := g.now()
	for _, o := range g.rules.Standing() {
		passed := time.Duration(max(0, now.Mono-o.At.Mono)) * time.Microsecond
		switch o.Action.Kind {
		case rules.ActionOutput:
			if o.Action.Max > 0 && passed >= o.Action.Max {
				continue
			}
			w := wishOf(o, passed)
			w.known, w.ruled = g.setSince(o)
			g.outputs.wish(w)
		case rules.ActionInterval:
			g.bursts.order(o, passed, true)
		}
	}
}

// setSince reports whether the setting of an output that begins as it was last is younger than the alert: then the setting is
// what became of the order. It also tells whether a rule wrote it.
func (g *gateway) setSince(o rules.Order) (known, ruled bool) {
	s, _ := g.control.Get(holdfast.OutputKey(o.Action.Output))
	return g.keepsState(o.Action.Output) && !s.Time.Before(o.At.Time), s.Origin == holdfast.OriginRule
}

// wishOf is what an order wants of an output, of whose time so much has passed.
func wishOf(o rules.Order, passed time.Duration) wish {
	w := wish{wishKey: wishKey{o.Rule, o.Alert, o.Place}, output: o.Action.Output, step: o.Step, off: o.Action.State == rules.StateOff}
	if d := max(o.Action.Max, o.Action.For); d > 0 && o.Step != rules.End {
		w.until = time.Now().Add(d - passed)
	}
	return w
}

// adoptActions takes back what was told of actions of the rules before, and tells which of a set switch outputs that this
// device does not have.
func (g *gateway) adoptActions(set *rules.Set) {
	const begin = "nothing to switch: "
	g.notices.removeAll(begin)
	g.webhooks.forget()
	if set == nil {
		return
	}
	var lines []string
	for _, m := range set.Missing(g.cfg.outputNames()) {
		lines = append(lines, begin+m.Error())
		g.log.Warn("rule has nothing to switch", "rule", m.Rule, "output", m.Output)
		g.event(holdfast.EventAction, holdfast.ActionChange{Rule: m.Rule, Action: rules.ActionOutput, State: holdfast.ActionMissing, Output: m.Output, Error: m.Text})
	}
	for _, line := range bounded(lines) {
		g.notices.add(line)
	}
}
