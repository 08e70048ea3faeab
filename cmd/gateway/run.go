package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/sensors"
)

// runCommand is `gateway run`: it reads the configuration, puts the gateway together and runs it until ctx ends.
func runCommand(ctx context.Context, args []string, _ io.Writer) error {
	flags := cli.NewFlags("gateway run")
	file := flags.String("config", os.Getenv("GATEWAY_CONFIG_FILE"), "configuration file")
	simulate := flags.Bool("simulate", false, "measure a simulated Pi")
	replay := flags.String("replay", "", "take readings from a CSV file instead of sensors")
	replayLog := flags.String("replay-log", "", "with --replay: note each row there, fsynced, before it is handed out")
	replaySpeed := flags.Float64("replay-speed", 1, "with --replay: how many times faster than the file says")
	if err := cli.Parse(flags, args); err != nil {
		return err
	}
	if *simulate && *replay != "" {
		return fmt.Errorf("%w: --simulate and --replay exclude each other", errUsage)
	}
	from := readSources(*file, os.Getenv)
	cfg, mistakes := from.load()
	if len(mistakes) > 0 {
		cfg, mistakes = from.mend(cfg, mistakes)
	}
	recent := new(recent)
	log, level := newLog(io.MultiWriter(os.Stderr, recent), cfg.LogLevel)
	if len(mistakes) > 0 {
		log.Error("configuration has mistakes", "err", joined(mistakes))
	}
	var w world
	var err error
	switch {
	case *simulate:
		w, err = simulatedPi(&cfg, log)
	case *replay != "":
		w, err = replayed(sensors.ReplayOptions{File: *replay, Truth: *replayLog, Speed: *replaySpeed}, log)
	default:
		w, err = hardware(cfg, log)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	w.mistakes, w.level, w.recent = errors.Join(joined(mistakes), w.mistakes), level, recent
	w.hangup = hangups(cfg)
	if err := dropPrivileges(); err != nil {
		log.Warn("privileges are not dropped", "err", err)
	}
	release, err := ownFolder(ctx, cfg.DataDir, log)
	if err != nil {
		return nil // it was told to end while it waited
	}
	defer release()
	if len(mistakes) == 0 {
		if err := from.good(&cfg).keep(cfg.DataDir); err != nil {
			log.Warn("this configuration cannot be kept for the next start", "err", err)
		}
	}
	return guarded(ctx, cfg, w)
}

// waiting is how many readings wait in memory while the buffer is being opened, or its writer is busy.
const waiting = 8192

// run is the gateway. It reads like the drawing in the README: what the sensors measure goes through the rules into the
// buffer, from there over the uplink; control settles who wants what. It returns nil when ctx ends, with everything that
// was measured durable.
func run(ctx context.Context, cfg Config, w world) error {
	makers, ctx := errgroup.WithContext(ctx)

	// The sensors and the page come first. What is measured waits in this channel until the buffer is open, which takes a
	// while where the file has to be examined, and the page says so.
	readings := make(chan *holdfast.Reading, waiting)
	makers.Go(func() error { return w.source.Run(ctx, readings) })
	g := begin(cfg, w)
	makers.Go(func() error { return g.serve(ctx) })
	makers.Go(func() error { return g.watchdog(ctx) })
	makers.Go(func() error { return g.runOutputs(ctx) })
	makers.Go(func() error { return g.runLED(ctx) })

	opening, giveUp := outlive(ctx, stopPatience)
	defer giveUp()
	if err := g.assemble(opening); err != nil {
		makers.Go(func() error { return unlessEnded(ctx, err) }) // ends both
		return makers.Wait()
	}
	if w.assembled != nil {
		w.assembled(g)
	}

	// The loop and the buffer's writer end after everything that makes records.
	var kept error
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	writer, loop := new(sync.WaitGroup), new(sync.WaitGroup)
	writer.Go(func() { kept = g.buffer.Run(writing) })
	g.bootEvent()
	loop.Go(func() { g.measure(readings) })

	makers.Go(func() error { return g.resume(ctx) })
	makers.Go(func() error { return g.uplink.Run(ctx) })
	makers.Go(func() error { return g.watchLinks(ctx) })
	makers.Go(func() error { return g.watchRules(ctx) })
	makers.Go(func() error { return g.watchRulesFile(ctx) })
	makers.Go(func() error { return g.watchEdge(ctx) })
	makers.Go(func() error { return g.runButton(ctx) })
	makers.Go(func() error { return g.watchButton(ctx) })
	makers.Go(func() error { return g.settleOutputs(ctx) })
	makers.Go(func() error { return g.bursts.run(ctx) })
	makers.Go(func() error { return g.webhooks.run(ctx) })
	makers.Go(func() error { return g.watchClock(ctx) })
	makers.Go(func() error { return g.profile.Run(ctx) })
	makers.Go(func() error { return g.mirror.Run(ctx) })
	makers.Go(func() error { return g.watchRestart(ctx) })
	makers.Go(func() error { return g.watchPulses(ctx) })

	err := makers.Wait()
	close(readings)
	loop.Wait()
	g.endRules(ctx)
	stopWriting()
	writer.Wait()
	return errors.Join(err, kept)
}

// unlessEnded returns err unless it only says that ctx ended, as it was asked to.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
