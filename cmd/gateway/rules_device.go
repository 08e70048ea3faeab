package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/dashboard"
	"holdfast/rules"
)

// A device is the gateway that a subcommand asks what it holds: by its page while it runs, by its file while it does not.
type device struct {
	page string // address; empty: none
	cfg  Config
}

// deviceFlags adds --url and --config.
func deviceFlags(flags *flag.FlagSet) func() device {
	page := pageFlags(flags)
	return func() device { return device{page.address(), page.config()} }
}

// errSilent says that no gateway runs at the address.
var errSilent = errors.New("no gateway answers")

// records calls f with each record of the span, in order of time.
func (d device) records(ctx context.Context, from, to time.Time, f func(lane holdfast.Lane, record []byte) bool) error {
	err := d.fromPage(ctx, from, to, f)
	if !errors.Is(err, errSilent) {
		return err
	}
	silent := err
	err = buffer.Look(d.buffer(), func(b *buffer.Buffer) error { return merged(b, from, to, f) })
	switch {
	case errors.Is(err, buffer.ErrHeld):
		return fmt.Errorf("%w: the gateway runs, and its page does not answer: %w", err, silent)
	case errors.Is(err, fs.ErrNotExist):
		return d.nowhere(silent)
	}
	return err
}

// buffer is the path of the file.
func (d device) buffer() string { return filepath.Join(d.cfg.DataDir, bufferFile) }

// empty reports whether there is no file.
func (d device) empty() bool {
	_, err := os.Stat(d.buffer())
	return errors.Is(err, fs.ErrNotExist)
}

// nowhere is the error where neither page nor file is there.
func (d device) nowhere(silent error) error {
	return fmt.Errorf("%w: %w, and there is no buffer %s: say where it is with --url or DATA_DIR", errUsage, silent, d.buffer())
}

// fromPage reads the records that the running gateway hands out.
func (d device) fromPage(ctx context.Context, from, to time.Time, f func(lane holdfast.Lane, record []byte) bool) error {
	if d.page == "" {
		return fmt.Errorf("%w: it has no page", errSilent)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	query := url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.page+"/api/v1/records?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", d.page, answer.Status)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 2<<20) // a record has at most 1 MiB
	for lines.Scan() {
		var line dashboard.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("records of %s: %w", d.page, err)
		}
		if line.End || !f(line.Lane, line.Record) {
			return nil
		}
	}
	return fmt.Errorf("records of %s end early: %w", d.page, errors.Join(lines.Err(), ctx.Err()))
}

// rules returns the set that is in force, by the page, or else what the configuration says. nil: none is known. Of the
// addresses of webhooks the page does not tell all.
func (d device) rules(ctx context.Context) *rules.Set {
	var active struct {
		Text string `json:"text"`
	}
	if ask(ctx, d.page, "/api/v1/rules", &active) == nil && active.Text != "" {
		if set, err := rules.Parse("the rules in force", []byte(active.Text)); err == nil {
			return set
		}
	}
	if d.cfg.Rules == nil {
		return nil
	}
	return d.cfg.Rules.set()
}
