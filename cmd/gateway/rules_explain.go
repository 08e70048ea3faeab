package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast"
	"holdfast/dashboard"
	"holdfast/internal/cli"
)

// rulesExplain is `gateway rules explain ID`: what a rule does and how it gets on, or what an alert is about. It asks the gateway
// that runs. Where none does, it looks into what the last one left: which set was in force, and which alerts stood.
func rulesExplain(ctx context.Context, args []string, out io.Writer) error {
	flags := cli.NewFlags("gateway rules explain")
	ofDevice := deviceFlags(flags)
	words, err := cli.Mixed(flags, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return fmt.Errorf("%w: want gateway rules explain ID: the name of a rule, or the id of an alert", errUsage)
	}
	d := ofDevice()
	var set dashboard.RulesView
	view, err := askPage(ctx, d.page)
	if err == nil {
		err = ask(ctx, d.page, "/api/v1/rules", &set)
	}
	if err != nil {
		if d.cfg.Rules == nil && d.empty() {
			return d.nowhere(err)
		}
		fmt.Fprintf(out, "%v; so this is what was left when it ended.\n", err)
		view, set = d.left(out)
	}
	if i := slices.IndexFunc(set.Rules, func(r dashboard.Rule) bool { return r.Name == words[0] }); i >= 0 {
		return explainRule(out, view, set, set.Rules[i])
	}
	if i := slices.IndexFunc(view.Alerts, func(a holdfast.Alert) bool { return a.ID == words[0] }); i >= 0 {
		return explainAlert(out, view, set, view.Alerts[i])
	}
	known := "no rules are in force"
	if len(set.Rules) > 0 {
		known = "the rules are " + strings.Join(names(set), ", ")
	}
	return fmt.Errorf("there is neither a rule nor a recent alert %q; %s", words[0], known)
}

func names(set dashboard.RulesView) (all []string) {
	for _, r := range set.Rules {
		all = append(all, r.Name)
	}
	return all
}

// on names the device, where it is known.
func on(view dashboard.View) string {
	if view.Device == "" {
		return ""
	}
	return " on " + view.Device
}

func paragraphs(sentences ...string) string {
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), "\n")
}

func explainRule(out io.Writer, view dashboard.View, set dashboard.RulesView, r dashboard.Rule) error {
	fmt.Fprintf(out, "%s, a rule of kind %s in version %d (%s)%s\n", r.Name, r.Kind, set.Version, set.Origin, on(view))
	fmt.Fprintln(out, paragraphs(r.What, r.Clears, r.Does))
	switch {
	case r.Off:
		fmt.Fprintf(out, "It is switched off, because it panicked: %s.\n", r.Failure)
	case r.Failures > 0:
		fmt.Fprintf(out, "It failed %s; the first time: %s.\n", count(int(r.Failures), "time"), r.Failure)
	}
	switch {
	case set.Since.IsZero(): // not known
	case r.Made > 0:
		fmt.Fprintf(out, "It made %s since %s, the last one at %s.\n", count(int(r.Made), "record"), clockTime(set.Since), clockTime(r.Last))
	default:
		fmt.Fprintf(out, "It has made no record since %s.\n", clockTime(set.Since))
	}
	for _, a := range view.Alerts {
		if a.Rule == r.Name && a.State != holdfast.Cleared {
			fmt.Fprintf(out, "Alert %s stands: %s\n", a.ID, standing(view, a))
		}
	}
	return nil
}

func explainAlert(out io.Writer, view dashboard.View, set dashboard.RulesView, a holdfast.Alert) error {
	fmt.Fprintf(out, "Alert %s (%s, %s) of rule %s, version %d%s\n", a.ID, a.Severity, a.State, a.Rule, a.RuleVersion, on(view))
	if a.Message != "" {
		fmt.Fprintf(out, "It says: %s\n", a.Message)
	}
	fmt.Fprintln(out, standing(view, a))
	if a.By != "" {
		fmt.Fprintf(out, "%s has acknowledged it.\n", a.By)
	}
	i := slices.IndexFunc(set.Rules, func(r dashboard.Rule) bool { return r.Name == a.Rule })
	switch {
	case a.State == holdfast.Cleared:
		fmt.Fprintf(out, "It was cleared at %s, after %v.\n", clockTime(a.Time), time.Duration(a.DurationS*float64(time.Second)).Round(time.Second))
	case i < 0:
		fmt.Fprintln(out, "Its rule is not in force any more.")
		return nil
	}
	if i >= 0 {
		fmt.Fprintln(out, "Why: the rule "+strings.ToLower(set.Rules[i].What[:1])+set.Rules[i].What[1:])
		if a.State != holdfast.Cleared {
			fmt.Fprintln(out, set.Rules[i].Clears)
		}
	}
	return nil
}

// standing is what an alert is about, in numbers.
func standing(view dashboard.View, a holdfast.Alert) string {
	unit := unitOf(view, a)
	text := fmt.Sprintf("%s of %s was %s when this was told; the threshold is %s, the peak %s; since %s.",
		a.Quantity, a.Sensor, withUnit(a.Value, unit), withUnit(a.Threshold, unit), withUnit(a.Peak, unit), clockTime(a.Since))
	var beside []string
	for _, quantity := range slices.Sorted(maps.Keys(a.Values)) {
		if quantity != a.Quantity {
			beside = append(beside, fmt.Sprintf("%s %g", quantity, a.Values[quantity]))
		}
	}
	if len(beside) > 0 {
		text += " Beside it: " + strings.Join(beside, ", ") + "."
	}
	for _, s := range view.Sensors {
		for _, v := range s.Values {
			if s.Name == a.Sensor && v.Quantity == a.Quantity && v.Value != nil && a.State != holdfast.Cleared {
				text += fmt.Sprintf(" Now it is %s.", withUnit(*v.Value, v.Unit))
			}
		}
	}
	return text
}

// unitOf is the unit of what an alert is about, where its sensor measures just that.
func unitOf(view dashboard.View, a holdfast.Alert) string {
	for _, s := range view.Sensors {
		for _, v := range s.Values {
			if s.Name == a.Sensor && v.Quantity == a.Quantity {
				return v.Unit
			}
		}
	}
	return ""
}

func withUnit(v float64, unit string) string {
	return strings.TrimSpace(fmt.Sprintf("%g %s", v, unit))
}

// clockTime writes a time as people of this machine read it.
func clockTime(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
