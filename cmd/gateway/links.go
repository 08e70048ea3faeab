package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"holdfast"
	"holdfast/buffer"
)

// goodKey is where the buffer keeps the link that proved itself last.
const goodKey = "link/good"

// A goodLink is what is kept there: the link, the value of uplink.broker that it came from, and what it was bound to.
type goodLink struct {
	V     int             `json:"v"`
	Link  link            `json:"link"`
	Value json.RawMessage `json:"value"`
	Kept  kept            `json:"kept"`
}

// links is which link is wanted, which is known to work, and which is in use. Its methods may be called from any goroutine, also
// those of nil; what they guard changes in the goroutine of watchLinks alone, and before that runs.
type links struct {
	moved   chan struct{} // holds one signal: the setting changed
	answers chan int      // the turn of the link that answered

	mu       sync.Mutex
	good     *goodLink // nil until one has proven itself
	wanted   link
	value    json.RawMessage // of the setting, that wanted comes from
	revision int64           // of it; 0 for that of the configuration
	using    link
	turn     int       // counts the times that a link was taken into use
	trial    *trial    // nil where none goes on
	fault    string    // why the candidate was given up last
	hurried  time.Time // when the link on trial was last provoked
}

// startLinks has uplink and profile begin with the link that is wanted.
func (g *gateway) startLinks() {
	g.links = &links{moved: make(chan struct{}, 1), answers: make(chan int, 16)}
	if data := g.buffer.State(goodKey); data != nil {
		good := new(goodLink)
		if err := json.Unmarshal(data, good); err != nil || good.V != 1 {
			g.log.Error("what is kept of the link that worked last is damaged, the next that works is kept", "version", good.V, "err", err)
		} else {
			g.links.good = good
		}
	}
	g.relink()
}

// watchLinks moves to another broker when that is wanted, and back when it does not prove itself, until ctx ends.
func (g *gateway) watchLinks(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	g.announceTrial()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.links.moved:
			g.sayBye(ctx)
			g.relink()
			g.announceTrial()
		case turn := <-g.links.answers:
			g.linkAnswered(ctx, turn)
		case <-tick.C:
			g.linkTick(ctx)
		}
	}
}

// sayBye lets the response to the command that changed the broker leave by the broker that it came from. It may not have been
// handed over yet.
func (g *gateway) sayBye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	handed := time.NewTimer(drainLimit / 4)
	defer handed.Stop()
	select {
	case <-handed.C:
	case <-ctx.Done():
	}
	if err := g.uplink.Drained(ctx); err != nil {
		g.log.Warn("the broker is left before all responses were sent", "err", err)
	}
}

// relink goes over to the link that is wanted now: on trial, where it is not the one that is known to work.
func (g *gateway) relink() {
	wanted, setting := g.wantedLink()
	l := g.links
	l.mu.Lock()
	known, good, begun := wanted.same(l.wanted), l.good, l.turn > 0
	stays := begun && wanted.same(l.using)
	l.wanted, l.value, l.revision = wanted, setting.Value, setting.Revision
	if known && begun { // it was only said in other words
		l.mu.Unlock()
		return
	}
	proven := good == nil || wanted.same(good.Link) || wanted.Host == ""
	l.trial, l.fault = nil, ""
	if !proven {
		l.trial = newTrial(g.turn(), time.Now())
	}
	l.mu.Unlock()
	switch {
	case stays:
	case good != nil && wanted.same(good.Link):
		g.use(wanted, good.Kept, false)
	default:
		g.use(wanted, g.kept(), !proven)
	}
}

// turn is how long a link on trial is in use at a time.
func (g *gateway) turn() time.Duration { return cmp.Or(g.world.turn, turnTime) }

// announceTrial makes the trial that goes on an event.
func (g *gateway) announceTrial() {
	l := g.links
	l.mu.Lock()
	t, wanted, good := l.trial, l.wanted, l.good
	l.mu.Unlock()
	if t == nil {
		return
	}
	g.log.Warn("another broker is wanted, and on trial", "broker", wanted.String(), "good", good.Link.String())
	g.event(holdfast.EventLink, holdfast.LinkChange{State: "trial", Broker: wanted.String()})
}

// wantedLink returns the link that setting and configuration ask for.
func (g *gateway) wantedLink() (link, holdfast.Setting) {
	s, _ := g.control.Get(holdfast.SettingBroker)
	wanted, err := g.cfg.linkOf(s.Value, g.device)
	if err != nil {
		g.warn("the setting uplink.broker cannot be used any more, the configured broker is: " + err.Error())
		wanted = g.cfg.link()
	}
	return wanted, s
}

// linkAnswered takes the first answer of the link that was in use in that turn.
func (g *gateway) linkAnswered(ctx context.Context, turn int) {
	l := g.links
	l.mu.Lock()
	current, onTrial := turn == l.turn, l.trial != nil
	fresh := l.good == nil || !l.using.same(l.good.Link)
	v := undecided
	if current && onTrial {
		v = l.trial.answered(time.Now())
	}
	l.mu.Unlock()
	if current && !onTrial && fresh {
		g.keepLink(nil)
	}
	g.judge(ctx, v)
}

// linkTick lets time pass in a trial.
func (g *gateway) linkTick(ctx context.Context) {
	up := g.uplink.Status().Up || g.profile.Status().Up
	l := g.links
	now := time.Now()
	l.mu.Lock()
	if l.trial == nil {
		l.mu.Unlock()
		return
	}
	v, active := undecided, up && !l.trial.resting
	hurry := active && now.Sub(l.hurried) >= l.trial.limit/10
	if hurry {
		l.hurried = now
	}
	if active && !g.sending() { // nothing is answered for, and an operator reaches this gateway
		l.trial.wait(now)
	} else {
		v = l.trial.tick(now)
	}
	l.mu.Unlock()
	if hurry {
		g.provoke()
	}
	g.judge(ctx, v)
}

// provoke has the link in use send something that an answer can come for, though telemetry may travel in rounds, and measuring
// be stopped.
func (g *gateway) provoke() {
	g.uplink.Hurry()
	for _, lane := range g.buffer.Status().Lanes {
		if lane.Pending > 0 {
			return
		}
	}
	g.announceTrial()
}

// judge carries out a verdict.
func (g *gateway) judge(ctx context.Context, v verdict) {
	switch v {
	case swapped:
		g.swapLink()
	case accepted:
		wanted := g.links.inUse().String()
		g.log.Info("the broker on trial has proven itself", "broker", wanted)
		g.keepLink(&holdfast.LinkChange{State: "accepted", Broker: wanted})
	case rejected:
		g.rejectLink(ctx)
	}
}

// swapLink goes on with the other link of the trial.
func (g *gateway) swapLink() {
	fault := g.linkFault()
	l := g.links
	l.mu.Lock()
	candidate, wanted, good := l.trial.candidate, l.wanted, l.good
	if !candidate {
		l.fault = fault
	}
	l.mu.Unlock()
	if candidate {
		g.use(wanted, g.kept(), true)
		return
	}
	g.log.Warn("the broker on trial did not prove itself in its time, the one that worked last is tried", "broker", wanted.String(), "err", fault, "good", good.Link.String())
	g.use(good.Link, good.Kept, false)
}

// keepLink makes the link in use the good one, durably.
func (g *gateway) keepLink(change *holdfast.LinkChange) {
	l := g.links
	l.mu.Lock()
	l.good = &goodLink{V: 1, Link: l.using, Value: l.value, Kept: g.kept()}
	l.trial, l.fault = nil, ""
	data, err := json.Marshal(l.good)
	l.mu.Unlock()
	c := buffer.Change{State: map[string][]byte{goodKey: data}, Urgent: true}
	if change != nil {
		c.Records = g.encode([]holdfast.Record{holdfast.NewEvent(g.now(), holdfast.EventLink, *change)})
	}
	if err == nil {
		err = g.buffer.Append(c)
	}
	if err != nil {
		g.log.Error("that this broker works is not kept, it is on trial again after the next start", "err", err)
	}
}

// rejectLink stays with the good link. A setting is taken back; what the configuration says is tried again later.
func (g *gateway) rejectLink(ctx context.Context) {
	l := g.links
	l.mu.Lock()
	wanted, value, revision, good, fault := l.wanted, l.value, l.revision, l.good, l.fault
	l.trial.rest(time.Now())
	l.mu.Unlock()
	g.log.Error("the broker on trial is rejected, the one that worked last stays in use", "broker", wanted.String(), "err", fault, "good", good.Link.String())
	g.event(holdfast.EventLink, holdfast.LinkChange{State: "rejected", Broker: wanted.String(), Error: fault})
	if revision == 0 || string(value) == string(good.Value) {
		return
	}
	reason := fmt.Sprintf("%s did not prove itself: %s", wanted, fault)
	if _, err := g.control.TakeBack(ctx, holdfast.SettingBroker, revision, good.Value, reason); err != nil {
		g.log.Error("the setting uplink.broker is not taken back", "err", err)
	}
}

// linkFault says why the link in use does not prove itself.
func (g *gateway) linkFault() string {
	s, there := g.uplink.Status(), g.cfg.with(g.links.inUse())
	if !g.cfg.native() {
		alone := g.profile.Status()
		s.Up, s.Error = alone.Up, alone.Error
	}
	switch {
	case there.refused():
		return fmt.Sprintf(plainRefused, there.MQTTHost)
	case s.Error != "":
		return s.Error
	case s.Hold != "":
		return "the receiver takes nothing: " + s.Hold
	case len(s.Others) > 0:
		return fmt.Sprintf("another database answers, %s", s.Others[0])
	case s.Up:
		return "connected, and no receipt came"
	}
	return "no connection"
}

// dial returns what connects to the link's broker in place of the network; nil for the network.
func (g *gateway) dial(l link) func(context.Context) (net.Conn, error) {
	if g.world.dialHost != nil {
		return g.world.dialHost(l.Host)
	}
	return g.world.dial
}
