package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"holdfast"
	"holdfast/dashboard"
	"holdfast/internal/cli"
	"holdfast/rules"
)

// rulesCheck is `gateway rules check FILE`: all mistakes of a set at once, or what it holds, and which of its rules would have
// nothing to do on the gateway that runs.
func rulesCheck(ctx context.Context, args []string, out io.Writer) error {
	flags := cli.NewFlags("gateway rules check")
	page := pageFlags(flags)
	words, err := cli.Mixed(flags, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return fmt.Errorf("%w: want gateway rules check FILE", errUsage)
	}
	text, err := readRules(words[0])
	if err != nil {
		return err
	}
	set, err := rules.Parse(words[0], text)
	if err != nil {
		return fmt.Errorf("%w: the rules have mistakes:\n%v", errUsage, err)
	}
	if err := summarise(out, set); err != nil {
		return err
	}
	return compare(ctx, out, set, page.address())
}

// readRules reads a file of rules, and no more of it than a set may have. - is the standard input.
func readRules(name string) ([]byte, error) {
	file := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		defer f.Close()
		file = f
	}
	text, err := io.ReadAll(io.LimitReader(file, rules.MaxBytes+1)) // Parse says that it is too long
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return text, nil
}

// summarise says what a set holds.
func summarise(out io.Writer, set *rules.Set) error {
	kinds := make(map[string]int)
	each, once := 0, 0
	for _, r := range set.Rules() {
		kinds[r.Kind]++
		if r.Across {
			once += r.Bytes
		} else {
			each += r.Bytes
		}
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		parts = append(parts, fmt.Sprintf("%d %s", kinds[kind], kind))
	}
	of := ""
	if len(parts) > 0 {
		of = " (" + strings.Join(parts, ", ") + ")"
	}
	across := ""
	if once > 0 {
		across = fmt.Sprintf(", and %s for those across sensors", amount(once))
	}
	_, err := fmt.Fprintf(out, "version %d, %s%s: right\nmemory: at most %s for each sensor that every rule watches%s; never more than %s in all\n",
		set.Version, count(len(set.Rules()), "rule"), of, amount(each), across, amount(rules.MaxMemory))
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func amount(bytes int) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f kB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// compare says which rules have nothing to do on the gateway that runs.
func compare(ctx context.Context, out io.Writer, set *rules.Set, from string) error {
	view, err := askPage(ctx, from)
	if err != nil {
		_, err = fmt.Fprintf(out, "not compared with what a gateway measures: %v\n", err)
		return err
	}
	var outputs []string
	for _, o := range view.Outputs {
		outputs = append(outputs, o.Name)
	}
	missing := errors.Join(set.Against(measuredBy(view)), errors.Join(lacking(set, outputs)...))
	if missing == nil {
		_, err := fmt.Fprintf(out, "every rule has something to do on %s\n", view.Device)
		return err
	}
	for line := range strings.Lines(missing.Error()) {
		if _, err := fmt.Fprintf(out, "warning: on %s: %s\n", view.Device, strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	return nil
}

// lacking returns what a set switches and a device with such outputs does not have.
func lacking(set *rules.Set, outputs []string) (errs []error) {
	for _, m := range set.Missing(outputs) {
		errs = append(errs, m)
	}
	return errs
}

// measuredBy is the catalog of a gateway, as far as its page tells.
func measuredBy(view dashboard.View) *holdfast.Catalog {
	catalog := new(holdfast.Catalog)
	for _, s := range view.Sensors {
		sensor := holdfast.CatalogSensor{Name: s.Name, Chip: s.Chip, State: s.State}
		for _, v := range s.Values {
			sensor.Quantities = append(sensor.Quantities, holdfast.Quantity{Name: v.Quantity, Unit: v.Unit, Precision: v.Precision})
		}
		catalog.Sensors = append(catalog.Sensors, sensor)
	}
	return catalog
}
