package rehearse

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"holdfast"
)

// A Comparison is what a set would have done, beside what another one would have, and what was really done.
type Comparison struct {
	Rehearsed Report  `json:"rehearsed"`
	Active    *Report `json:"active,omitempty"`  // the set in force, rehearsed over the same readings; nil: not known
	History   *Past   `json:"history,omitempty"` // nil where the readings are not from a device's history
}

// WriteText writes tables for people.
func (c *Comparison) WriteText(out io.Writer) error {
	r := &c.Rehearsed
	w := &lines{to: tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)}
	long := fmt.Sprintf("%.3g days", r.Days())
	if r.Days() < 1 {
		long = seconds(r.To.Sub(r.From).Seconds())
	}
	w.line("%d readings from %s to %s: %s", r.Readings, r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), long+r.trust())
	w.line("")
	w.rules(c)
	w.episodes(r)
	w.actions(r)
	w.line("")
	w.traffic(c)
	w.failures(r)
	return w.end()
}

// trust says what the figures for a day are worth where the readings took only a small part of one.
func (r *Report) trust() string {
	switch took := r.To.Sub(r.From); {
	case took < rateable:
		return `; too short for figures "a day": these count the readings as they are`
	case took < time.Hour:
		return `; what is "a day" is extrapolated from that`
	}
	return ""
}

// lines writes lines of cells, and remembers the first error.
type lines struct {
	to  *tabwriter.Writer
	err error
}

func (w *lines) line(format string, args ...any) {
	if _, err := fmt.Fprintf(w.to, format+"\n", args...); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *lines) end() error {
	if err := w.to.Flush(); err != nil {
		return err
	}
	return w.err
}

func (w *lines) rules(c *Comparison) {
	head := "rule\tkind\tfired\ta day\tfirst\tlast\traised for\trecords\tbytes a day"
	if c.Active != nil {
		head += "\tactive set"
	}
	if c.History != nil {
		head += "\treally"
	}
	w.line("%s", head)
	seen := make(map[string]bool)
	for i := range c.Rehearsed.Rules {
		rule := &c.Rehearsed.Rules[i]
		seen[rule.Name] = true
		raised := ""
		if rule.Seconds > 0 {
			raised = seconds(rule.Seconds)
		}
		w.line("%s\t%s\t%d\t%s\t%s\t%s\t%s\t%d\t%.0f%s", rule.Name, rule.Kind, rule.Fired, few(c.Rehearsed.PerDay(rule.Fired)),
			when(rule.First), when(rule.Last), raised, rule.Records, c.Rehearsed.PerDay(rule.Bytes), c.others(rule.Name))
	}
	for _, name := range c.unseen(seen) {
		w.line("%s\t(not in it)\t\t\t\t\t\t\t%s", name, c.others(name))
	}
}

// others are the cells about a rule that tell of the active set and of history.
func (c *Comparison) others(name string) (cells string) {
	if c.Active != nil {
		cell := "-"
		for i := range c.Active.Rules {
			if rule := &c.Active.Rules[i]; rule.Name == name {
				cell = fmt.Sprint(rule.Fired)
			}
		}
		cells += "\t" + cell
	}
	if c.History != nil {
		cells += fmt.Sprintf("\t%d", c.History.Fired[name])
	}
	return cells
}

// unseen are the rules that only the active set or history has.
func (c *Comparison) unseen(seen map[string]bool) []string {
	others := make(map[string]bool)
	if c.Active != nil {
		for i := range c.Active.Rules {
			others[c.Active.Rules[i].Name] = true
		}
	}
	if c.History != nil {
		for name := range c.History.Fired {
			others[name] = true
		}
	}
	maps.DeleteFunc(others, func(name string, _ bool) bool { return seen[name] })
	return slices.Sorted(maps.Keys(others))
}

func (w *lines) episodes(r *Report) {
	head := false
	for i := range r.Rules {
		rule := &r.Rules[i]
		for _, e := range rule.Episodes {
			if !head {
				w.line("")
				w.line("alert\tsensor\traised\tfor\tpeak\tthreshold")
				head = true
			}
			lasted := "still raised"
			if !e.Cleared.IsZero() {
				lasted = seconds(e.Cleared.Sub(e.Raised).Seconds())
			}
			w.line("%s\t%s\t%s\t%s\t%.6g\t%.6g", rule.Name, e.Sensor, when(e.Raised), lasted, e.Peak, e.Threshold)
		}
		if more := rule.Fired - uint64(len(rule.Episodes)); len(rule.Episodes) == MaxEpisodes && more > 0 {
			w.line("%s\tand %d more", rule.Name, more)
		}
	}
}

func (w *lines) actions(r *Report) {
	head := false
	for i := range r.Rules {
		for _, a := range r.Rules[i].Actions {
			if !head {
				w.line("")
				w.line("action\tof\ttimes\ta day\tlasted")
				head = true
			}
			lasted := ""
			if a.Seconds > 0 {
				lasted = seconds(a.Seconds)
			}
			w.line("%s\t%s\t%d\t%s\t%s", a.What, r.Rules[i].Name, a.Times, few(r.PerDay(a.Times)), lasted)
		}
	}
}

func (w *lines) traffic(c *Comparison) {
	w.line("sent a day\treadings\twithheld\tderived\taggregates\talerts\tevents\tMB\tMB as JSON")
	sent := func(name string, r *Report) {
		t := &r.Traffic
		w.line("%s\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t%s\t%.4g\t%.4g", name, r.PerDay(t.Readings), r.PerDay(t.Withheld), r.PerDay(t.Derived),
			r.PerDay(t.Aggregates), few(r.PerDay(t.Alerts)), few(r.PerDay(t.Events)), r.PerDay(t.Compressed)/1e6, r.PerDay(t.Bytes)/1e6)
		for _, route := range slices.Sorted(maps.Keys(t.Routes)) {
			w.line("  route %s\t%.0f", route, r.PerDay(t.Routes[route]))
		}
	}
	sent("this set", &c.Rehearsed)
	if c.Active != nil {
		sent("active set", c.Active)
	}
	if h := c.History; h != nil {
		per := c.Rehearsed.PerDay
		w.line("really\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t%s", per(h.Readings), per(h.Withheld), per(h.Derived), per(h.Aggregates), few(per(h.Alerts)), few(per(h.Events)))
	}
}

func (w *lines) failures(r *Report) {
	for i := range r.Rules {
		if rule := &r.Rules[i]; rule.Failures > 0 {
			w.line("rule %s failed %d times: %s", rule.Name, rule.Failures, rule.Failure)
		}
	}
}

// few writes a number of things a day, of which there may be fewer than one.
func few(n float64) string {
	if n >= 100 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.3g", n)
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func seconds(s float64) string {
	text := time.Duration(s * 1e9).Round(time.Second).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		return short + "m"
	}
	return text
}

// Line writes a record that follows from rules as one line for people.
func Line(record holdfast.Record) string {
	switch r := record.(type) {
	case *holdfast.Alert:
		line := fmt.Sprintf("%s %-12s %s %s %s=%.6g threshold %.6g since %s peak %.6g", when(r.Time), r.State, r.Rule, r.Sensor, r.Quantity, r.Value, r.Threshold, when(r.Since), r.Peak)
		if r.Message != "" {
			line += ": " + r.Message
		}
		return line
	case *holdfast.Aggregate:
		partial := ""
		if r.Partial {
			partial = " partial"
		}
		return fmt.Sprintf("%s %-12s %s %s from %s count %d%s %s", when(r.To), "window", r.Rule, r.Sensor, when(r.From), r.Count, partial, values(r.Values))
	case *holdfast.Reading:
		return fmt.Sprintf("%s %-12s %s %s", when(r.Time), "derived", r.Sensor, values(r.Values))
	case *holdfast.Event:
		return fmt.Sprintf("%s %-12s %s", when(r.Time), r.Event, r.Data)
	}
	return fmt.Sprintf("%s %T", when(record.When()), record)
}

func values(v map[string]float64) string {
	var cells []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		cells = append(cells, fmt.Sprintf("%s=%.6g", name, v[name]))
	}
	return strings.Join(cells, " ")
}
