package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An Explanation says what a rule does, in plain sentences.
type Explanation struct {
	What   string // when it does what
	Clears string // when an alert of it ends; empty where it raises none
	Does   string // its actions; empty: none
}

// A speaker is a rule that says what it does: what, and when its alerts end.
type speaker interface{ words() (what, clears string) }

// Explain says what the rule of that name does; ok is false where there is none.
func (s *Set) Explain(name string) (x Explanation, ok bool) {
	for _, r := range s.rules {
		if r.name != name {
			continue
		}
		if sp, ok := r.program.(speaker); ok {
			x.What, x.Clears = sp.words()
		}
		var does []string
		for i := range r.actions {
			does = append(does, r.actions[i].words(r.kind == scheduled))
		}
		if len(does) > 0 {
			x.Does = "It " + strings.Join(does, "; ") + "."
		}
		return x, true
	}
	return x, false
}

// words names the sensors of a pattern.
func (p pattern) words() string {
	switch {
	case p == "*":
		return "any sensor"
	case p.glob():
		return "any sensor " + string(p)
	}
	return "sensor " + string(p)
}

// of names a quantity of sensors.
func of(quantity string, p pattern) string { return quantity + " of " + p.words() }

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// span writes a duration as a rules file does: 1h30m, 5m, 90s.
func span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// raises is the sentence of a rule that raises alerts, of its condition.
func (a *alerting) raises(condition string) string {
	text := "Raises an alert (" + string(a.Severity) + ") when " + condition
	if a.For > 0 {
		text += ", for " + span(a.For) + " without a break"
	}
	if a.Cooldown > 0 {
		text += "; after an alert has ended, the next one comes " + span(a.Cooldown) + " later at the earliest"
	}
	return text + "."
}

// ends is the sentence of how an alert ends, of the condition for it.
func (a *alerting) ends(condition string) string {
	text := "An alert clears when " + condition
	if a.Latch {
		text += " and somebody has acknowledged it"
	}
	return text + "."
}

// words says what raises an alert, behind the name of the value, and what clears it.
func (l *limits) words() (beyond, back string) {
	if b := l.Band; b != nil {
		low, high := number(b.Low), number(b.High)
		switch {
		case b.Low == b.High && b.Outside:
			return "is not " + low, "the value is " + low
		case b.Low == b.High:
			return "is " + low, "the value is not " + low
		case b.Outside:
			return "is below " + low + " or above " + high, "the value is from " + number(b.ClearLow) + " to " + number(b.ClearHigh)
		}
		if b.ClearLow == b.Low && b.ClearHigh == b.High {
			return "is from " + low + " to " + high, "the value is below " + low + " or above " + high
		}
		return "is from " + low + " to " + high, "the value is at most " + number(b.ClearLow) + " or at least " + number(b.ClearHigh)
	}
	beyond = map[[2]bool]string{{false, false}: "is above ", {false, true}: "is at least ", {true, false}: "is below ", {true, true}: "is at most "}[[2]bool{l.Below, l.Inclusive}] + number(l.Limit)
	back = "the value is at most "
	if l.Below {
		back = "the value is at least "
	}
	if l.Inclusive && l.Clear == l.Limit {
		back = strings.NewReplacer("at most", "below", "at least", "above").Replace(back)
	}
	return beyond, back + number(l.Clear)
}

func (t *threshold) words() (what, clears string) {
	beyond, back := t.limits.words()
	return t.raises(of(t.Quantity, t.Sensor) + " " + beyond), t.ends(back)
}

func (r *rate) words() (what, clears string) {
	beyond, back := r.limits.words()
	against := "the reading before"
	if r.Over > 0 {
		against = "the value of " + span(r.Over) + " ago"
	}
	return r.raises(fmt.Sprintf("the change of %s in %s, against %s, %s", of(r.Of, r.Sensor), span(r.Per), against, beyond)), r.ends(back)
}

func (a *absence) words() (what, clears string) {
	heard, again := "nothing", "the sensor is heard again"
	if a.Heard != "" {
		heard, again = "no good "+a.Heard, "one comes again"
	}
	return a.raises(fmt.Sprintf("%s has been heard of %s for %s while measuring is on", heard, a.Sensor.words(), span(a.After))), a.ends(again)
}

func (a *anomaly) words() (what, clears string) {
	model := fmt.Sprintf("the median of the last %d values", a.Window)
	if a.Method == "ewma" {
		model = fmt.Sprintf("a moving average of about %d values", a.Window)
	}
	what = a.raises(fmt.Sprintf("%s lies more than %s standard deviations from %s", of(a.Quantity, a.Sensor), number(a.Deviations), model))
	what += fmt.Sprintf(" It judges once it has seen %d values.", a.Warmup)
	return what, a.ends(fmt.Sprintf("a value lies within %s of them", number(a.Clear)))
}

func (t *trend) words() (what, clears string) {
	line := fmt.Sprintf("the straight line through the last %s of %s", span(t.Window), of(t.Of, t.Sensor))
	if t.Per > 0 {
		way := "rises by more than "
		if t.Down {
			way = "falls by more than "
		}
		return t.raises(line + " " + way + number(t.Limit) + " in " + span(t.Per)), t.ends("the line does so by no more than " + number(t.Clear))
	}
	way := "reaches "
	if t.Down {
		way = "falls to "
	}
	return t.raises(line + " " + way + number(t.Limit) + " within " + span(t.Within)), t.ends("the line does so later than in " + span(t.Later) + ", or never")
}

func (a *aggregate) words() (what, _ string) {
	quantities := "every quantity"
	if len(a.Quantities) > 0 {
		quantities = strings.Join(a.Quantities, ", ")
	}
	over := "each " + span(a.Window)
	switch {
	case a.Sliding > 0:
		over = "the last " + span(a.Sliding) + " behind a reading"
		if a.Every > 0 {
			over += ", every " + span(a.Every) + " at most"
		}
	case a.Session > 0:
		over = "each run of readings without a gap of " + span(a.Session) + ", of " + span(a.Longest) + " at most"
	case a.Each > 0:
		over = fmt.Sprintf("every %d readings", a.Each)
	case a.Every > 0:
		over = "the last " + span(a.Window) + ", every " + span(a.Every)
	}
	whose := "of " + a.Sensor.words()
	if a.Together {
		whose += ", taken together"
	}
	return fmt.Sprintf("Sends %s of %s %s over %s.", strings.Join(a.Functions, ", "), quantities, whose, over), ""
}

func (d *deadband) words() (what, _ string) {
	quantities := "a value"
	if len(d.Quantities) > 0 {
		quantities = strings.Join(d.Quantities, " or ")
	}
	var bands []string
	if d.Absolute > 0 {
		bands = append(bands, number(d.Absolute))
	}
	if d.Relative > 0 {
		bands = append(bands, number(d.Relative)+" %")
	}
	what = fmt.Sprintf("Withholds readings of %s until %s has moved by more than %s since the last one that was sent", d.Sensor.words(), quantities, strings.Join(bands, " or "))
	if d.Heartbeat > 0 {
		what += ", or " + span(d.Heartbeat) + " are over"
	}
	return what + ".", ""
}

func (e *expression) words() (what, _ string) {
	switch {
	case e.Derive != "":
		return fmt.Sprintf("Makes %s from each reading of %s: %s.", e.Derive, e.Sensor.words(), e.Text), ""
	case e.Filter:
		return fmt.Sprintf("Withholds readings of %s unless %s.", e.Sensor.words(), e.Text), ""
	}
	return fmt.Sprintf("Sends readings of %s the way that this names (%s): %s.", e.Sensor.words(), strings.Join(e.Routes, ", "), e.Text), ""
}

func (s *schedule) words() (what, _ string) {
	what = fmt.Sprintf("Fires at the minutes %q of %s; ", s.Cron, s.Zone)
	if s.Skip {
		return what + "what it misses does not fire later.", ""
	}
	return what + "the last one that it misses fires late.", ""
}

// words says what an action does, behind "it": while an alert stands, or once.
func (a *Action) words(once bool) string {
	meanwhile, behind := " meanwhile", " and for %s behind it"
	if once {
		meanwhile, behind = "", " for %s"
	}
	switch {
	case a.Kind == ActionOutput && a.State == StateOn && a.Max > 0:
		return fmt.Sprintf("switches output %s on%s, for %s at most", a.Output, meanwhile, span(a.Max))
	case a.Kind == ActionOutput && a.State == StateOn:
		return "switches output " + a.Output + " on" + meanwhile
	case a.Kind == ActionOutput && a.State == StatePulse:
		return fmt.Sprintf("switches output %s on for %s", a.Output, span(a.For))
	case a.Kind == ActionOutput:
		return "switches output " + a.Output + " off"
	case a.Kind == ActionInterval:
		whose := "its sensor"
		if a.Sensor != "" {
			whose = a.Sensor.words()
		}
		text := "has " + whose + " read every " + span(a.Every) + meanwhile
		if a.For > 0 {
			text += fmt.Sprintf(behind, span(a.For))
		}
		return text
	}
	return "posts its alerts to " + a.URL.Host()
}
