package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/rehearse"
	"holdfast/rules"
	"holdfast/sensors"
)

// defaultStart is when a recording begins that does not say so: on a Monday.
const defaultStart = "2026-01-05T00:00:00Z"

// A rehearsing is one call of `gateway rules rehearse`.
type rehearsing struct {
	csv, start, active string
	last               time.Duration
	json, trace        bool
	out                io.Writer

	sets   []*rehearse.Rehearsal // the one that is rehearsed, and the active one where that is known
	past   *rehearse.Past        // nil for a recording
	device device
}

// rulesRehearse is `gateway rules rehearse FILE --csv FILE | --last 24h`.
func rulesRehearse(ctx context.Context, args []string, out io.Writer) error {
	flags := cli.NewFlags("gateway rules rehearse")
	r := rehearsing{out: out}
	flags.StringVar(&r.csv, "csv", "", "a recording, as gateway run --replay reads it")
	flags.StringVar(&r.start, "start", "", "when the recording began; by default as a comment in it says, or "+defaultStart)
	flags.StringVar(&r.active, "active", "", "a set to compare with")
	last := cli.DurationFlag(flags, "last", 0, "rehearse on what the gateway has measured in that `duration`, 1m to 744h")
	flags.BoolVar(&r.json, "json", false, "print JSON")
	flags.BoolVar(&r.trace, "trace", false, "print each record that would go up beside the readings")
	where := deviceFlags(flags)
	words, err := cli.Mixed(flags, args)
	if err != nil {
		return err
	}
	r.last = *last
	if len(words) != 1 || (r.csv == "") == (r.last == 0) {
		return fmt.Errorf("%w: want gateway rules rehearse FILE --csv FILE, or --last 24h", errUsage)
	}
	if r.last != 0 && (r.last < time.Minute || r.last > 31*24*time.Hour) {
		return fmt.Errorf("%w: --last %v: want 1m to 744h", errUsage, r.last)
	}
	r.device = where()
	set, err := rulesIn(words[0])
	if err != nil {
		return err
	}
	r.sets = []*rehearse.Rehearsal{rehearse.New(set, r.shown())}
	active, err := r.inForce(ctx)
	if err != nil {
		return err
	}
	if active != nil {
		r.sets = append(r.sets, rehearse.New(active, rehearse.Options{}))
	}
	if r.csv != "" {
		err = r.recording(ctx)
	} else {
		r.past = rehearse.NewPast(active)
		err = r.history(ctx)
	}
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	return r.print()
}

// inForce is the set to compare with: that of --active, or, behind a history, the one of the gateway. nil where none is known.
func (r *rehearsing) inForce(ctx context.Context) (*rules.Set, error) {
	switch {
	case r.active != "":
		return rulesIn(r.active)
	case r.csv != "":
		return nil, nil
	}
	return r.device.rules(ctx), nil
}

// read hands a reading to the sets.
func (r *rehearsing) read(reading *holdfast.Reading) {
	for _, s := range r.sets {
		s.Read(reading)
	}
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

// recording rehearses on a file.
func (r *rehearsing) recording(ctx context.Context) error {
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
	batches, scanned := make(chan []holdfast.Reading, 2), make(chan error, 1)
	go func() { // a second processor reads the file
		scanned <- scan(ctx, r.csv, text, start, batches)
		close(batches)
	}()
	for batch := range batches {
		for i := range batch {
			r.read(&batch[i])
		}
	}
	if err := <-scanned; err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}

// scan reads a recording into batches, until its end, its first mistake, or that of ctx.
func scan(ctx context.Context, file string, text io.Reader, start time.Time, batches chan<- []holdfast.Reading) error {
	const size = 512
	batch := make([]holdfast.Reading, 0, size)
	hand := func() bool {
		select {
		case batches <- batch:
			batch = make([]holdfast.Reading, 0, size)
			return true
		case <-ctx.Done():
			return false
		}
	}
	err := sensors.ScanReplay(file, text, func(offset time.Duration, sensor string, values map[string]float64) bool {
		batch = append(batch, holdfast.Reading{Time: start.Add(offset.Truncate(time.Microsecond)), Sensor: sensor, Values: values})
		return len(batch) < size || hand()
	})
	if err == nil {
		hand()
	}
	return err
}

// history rehearses on what the gateway holds.
func (r *rehearsing) history(ctx context.Context) error {
	to := time.Now().UTC()
	err := r.device.records(ctx, to.Add(-r.last), to, func(lane holdfast.Lane, data []byte) bool {
		withheld := lane == holdfast.LaneLocal
		if withheld {
			lane = holdfast.LaneTelemetry
		}
		record, err := holdfast.DecodeRecord(lane, data)
		if err != nil {
			return true // of a newer version: what it says of itself is not known
		}
		if reading := r.past.See(record, withheld); reading != nil {
			r.read(reading)
		}
		return ctx.Err() == nil
	})
	if err == nil && r.past.Readings+r.past.Withheld == 0 {
		err = fmt.Errorf("the gateway holds no readings of the last %v", r.last)
	}
	return err
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

func (r *rehearsing) print() error {
	c := rehearse.Comparison{Rehearsed: r.sets[0].Report(), History: r.past}
	if len(r.sets) > 1 {
		report := r.sets[1].Report()
		c.Active = &report
	}
	if r.json {
		e := json.NewEncoder(r.out)
		e.SetIndent("", "  ")
		return e.Encode(&c)
	}
	if r.trace {
		fmt.Fprintln(r.out)
	}
	return c.WriteText(r.out)
}
