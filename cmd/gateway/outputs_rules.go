package main

import (
	"maps"
	"slices"
	"time"

	"holdfast"
	"holdfast/rules"
)

// A wish is what a rule wants of an output.
type wish struct {
	wishKey
	output string
	step   rules.Step
	off    bool
	until  time.Time // when it goes off again; zero: not by itself
	known  bool      // at the start, of an output that begins as it was last: its setting is what became of this
	ruled  bool      // and a rule wrote it
}

// A wishKey tells wishes from one another.
type wishKey struct {
	rule, alert string
	place       int
}

// maxWishes bounds those that wait while a line does not return.
const maxWishes = 4096

// wish has run carry out what rules want, soon, and does not wait for it.
func (o *outputs) wish(wishes ...wish) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.wishes)+len(wishes) > maxWishes {
		o.log.Error("outputs do not keep up with the rules", "left out", len(wishes))
		return
	}
	o.wishes = append(o.wishes, wishes...)
	wake(o.wished)
}

// wake fills a channel that holds one, if it is empty.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// grant carries out the wishes that wait.
func (o *outputs) grant(all map[string]*output) {
	o.mu.Lock()
	wishes := o.wishes
	o.wishes = nil
	o.mu.Unlock()
	for _, w := range wishes {
		if c := all[w.output]; c != nil && c.line != nil {
			o.fulfil(c, w)
		}
	}
	o.publish(all)
}

// fulfil carries out one wish. An output is on while any rule wants it on. What somebody else switched on stays theirs, and
// what anybody switches off ends all that was wished until then.
func (o *outputs) fulfil(c *output, w wish) {
	switch {
	case w.off:
		o.rule(c, false, w.rule)
	case w.step == rules.End:
		if _, there := c.wants[w.wishKey]; !there {
			return
		}
		delete(c.wants, w.wishKey)
		if c.ruled && !c.wanted() {
			o.rule(c, false, w.rule)
			return
		}
		c.limit()
	default:
		if !c.On && !w.known {
			o.rule(c, true, w.rule)
		}
		if !c.On {
			return
		}
		c.ruled = c.ruled || w.known && w.ruled
		if c.wants == nil {
			c.wants = make(map[wishKey]time.Time)
		}
		c.wants[w.wishKey] = w.until
		c.limit()
	}
}

// rule switches the line as a rule wants it: the line first, the setting follows when the disk has it.
func (o *outputs) rule(c *output, on bool, name string) {
	if c.On == on && c.Error == "" {
		return
	}
	c.begin()
	o.drive(c, on, holdfast.OriginRule, name)
	c.limit()
	o.again(c)
	if c.ruled = c.On && on; c.ruled || !on {
		o.follow(c.Name, follow{on, holdfast.OriginRule, name})
	}
}

// wanted reports whether a rule wants the output on.
func (c *output) wanted() bool {
	maps.DeleteFunc(c.wants, func(_ wishKey, until time.Time) bool { return !until.IsZero() && !until.After(time.Now()) })
	return len(c.wants) > 0
}

// unwanted returns when the last rule that wants the output on does so no more, and why; the zero time where one has yet to say.
func (c *output) unwanted() (at time.Time, reason string) {
	for key, until := range c.wants {
		if until.IsZero() {
			return time.Time{}, ""
		}
		if until.After(at) {
			at, reason = until, key.rule+": its time is over"
		}
	}
	return at, reason
}

// A follow is a setting that is to follow a line.
type follow struct {
	on     bool
	origin holdfast.Origin
	reason string
}

func (o *outputs) follow(name string, f follow) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.follows[name] = f
	wake(o.moved)
}

// followLater puts back one that the disk did not take, unless there is a newer one.
func (o *outputs) followLater(name string, f follow) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, newer := o.follows[name]; !newer {
		o.follows[name] = f
	}
}

// forgetFollow drops one: somebody has set the setting.
func (o *outputs) forgetFollow(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.follows, name)
}

func (o *outputs) takeFollows() map[string]follow {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.follows
	o.follows = make(map[string]follow)
	return taken
}

// followed reports whether a setting only follows a line that was switched already.
func (g *gateway) followed(s holdfast.Setting) bool {
	return g.isOpen() && (s.Origin == holdfast.OriginRule || s.Origin == holdfast.OriginLimit)
}

// outputNames are those of the configuration.
func (c *Config) outputNames() (names []string) {
	for _, o := range c.Outputs {
		names = append(names, o.Name)
	}
	return names
}

// keepsState reports whether an output begins as it was last.
func (g *gateway) keepsState(name string) bool {
	return slices.ContainsFunc(g.cfg.Outputs, func(o OutputConfig) bool { return o.Name == name && o.Default == outputLast })
}
