package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"holdfast"
	"holdfast/rehearse"
	"holdfast/rules"
	"holdfast/sensors"
)

// defaultStart is when a recording begins that does not say so: on a Monday.
const defaultStart = "2026-01-05T00:00:00Z"

// A rehearsing is one call of `gateway rules rehearse`.
type rehearsing struct {
	csv, start, active string
	json, trace        bool
	out                io.Writer
}

// rulesRehearse is `gateway rules rehearse FILE --csv FILE | --last 24h`.
func rulesRehearse(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("rules rehearse", flag.ContinueOnError)
	r := rehearsing{out: out}
	flags.StringVar(&r.csv, "csv", "", "a recording, as gateway run --replay reads it")
	flags.StringVar(&r.start, "start", "", "when the recording began; by default as a comment in it says, or "+defaultStart)
	flags.StringVar(&r.active, "active", "", "a set to compare with")
	flags.BoolVar(&r.json, "json", false, "print JSON")
	flags.BoolVar(&r.trace, "trace", false, "print each record that would go up beside the readings")
	words, err := mixed(flags, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || r.csv == "" {
		return fmt.Errorf("%w: want gateway rules rehearse FILE --csv FILE", errUsage)
	}
	set, err := rulesIn(words[0])
	if err != nil {
		return err
	}
	return r.recording(ctx, set)
}

func rulesIn(file string) (*rules.Set, error) {
	text, err := readRules(file)
	if err != nil {
		return nil, err
	}
	set, err := rules.Parse(file, text)
	if err != nil {
		return nil, fmt.Errorf("%w: the rules have mistakes:\n%v", errUsage, err)
	}
	return set, nil
}

// recording rehearses a set on a file.
func (r *rehearsing) recording(ctx context.Context, set *rules.Set) error {
	f, err := os.Open(r.csv)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer f.Close()
	text := bufio.NewReaderSize(f, 64<<10)
	start, err := r.begin(text)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	sets := []*rehearse.Rehearsal{rehearse.New(set, r.shown())}
	if r.active != "" {
		active, err := rulesIn(r.active)
		if err != nil {
			return err
		}
		sets = append(sets, rehearse.New(active, rehearse.Options{}))
	}
	err = sensors.ScanReplay(r.csv, text, func(offset time.Duration, sensor string, values map[string]float64) bool {
		reading := holdfast.Reading{Time: start.Add(offset.Truncate(time.Microsecond)), Sensor: sensor, Values: values}
		for _, s := range sets {
			s.Read(&reading)
		}
		return ctx.Err() == nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	c := rehearse.Comparison{Rehearsed: sets[0].Report()}
	if len(sets) > 1 {
		report := sets[1].Report()
		c.Active = &report
	}
	return errors.Join(ctx.Err(), r.print(&c))
}

// begin is when the recording began.
func (r *rehearsing) begin(text *bufio.Reader) (time.Time, error) {
	given := r.start
	if given == "" {
		start, err := sensors.ReplayStart(r.csv, text)
		if err != nil || !start.IsZero() {
			return start, err
		}
		given = defaultStart
	}
	start, err := time.Parse(time.RFC3339, given)
	if err != nil || start.Year() < 1970 {
		return time.Time{}, fmt.Errorf("--start %.60q: want RFC 3339, as in %s", given, defaultStart)
	}
	return start.UTC(), nil
}

// shown prints the trace, where one is wanted. An error shows again in what is printed behind it.
func (r *rehearsing) shown() (o rehearse.Options) {
	if r.trace {
		o.See = func(record holdfast.Record) { fmt.Fprintln(r.out, rehearse.Line(record)) }
		o.Order = func(order rules.Order) { fmt.Fprintln(r.out, rehearse.Order(&order)) }
	}
	return o
}

func (r *rehearsing) print(c *rehearse.Comparison) error {
	if r.json {
		e := json.NewEncoder(r.out)
		e.SetIndent("", "  ")
		return e.Encode(c)
	}
	if r.trace {
		fmt.Fprintln(r.out)
	}
	return c.WriteText(r.out)
}
