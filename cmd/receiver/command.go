package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/receiver/desk"
	"holdfast/receiver/store"
)

// peek is how often the database is asked for the answer to a command.
const peek = 100 * time.Millisecond

// commandCommand is `receiver command`: it puts a command into the database, from where a receiver that runs sends it, at
// once or when the device is online.
func commandCommand(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "list":
			return withStore(ctx, opened, args[1:], out, task.listCommands)
		case "withdraw":
			return withWords(ctx, opened, args[1:], out, task.withdrawCommand)
		}
	}
	var wait, expires time.Duration
	from := ""
	return withWords(ctx, opened, args, out, func(t task, ctx context.Context) error {
		return t.sendCommand(ctx, from, expires, wait)
	}, func(f *flag.FlagSet) {
		f.Var((*cli.Duration)(&wait), "wait", "`duration` to wait for the answer, for example 30s; default not at all")
		f.Var((*cli.Duration)(&expires), "expires", "`duration` after which it is not to be carried out any more, for example 24h; default never, and kept for 7 days")
		f.StringVar(&from, "from", os.Getenv("USER"), "who asks, for the device's events")
	})
}

func (t task) sendCommand(ctx context.Context, from string, expires, wait time.Duration) error {
	if len(t.words) < 2 || expires < 0 || wait < 0 {
		return fmt.Errorf("%w: want receiver command DEVICE NAME [key=value …] [--wait 30s] [--expires 24h]", errUsage)
	}
	arguments, err := pairs(t.words[2:])
	if err != nil {
		return err
	}
	c := holdfast.Command{Name: t.words[1], Args: arguments, From: from}
	now := time.Now()
	if expires > 0 {
		c.Expires = holdfast.Micro(now.Add(expires))
	}
	id, err := desk.Keep(ctx, t.Store, t.name, c, now)
	if errors.Is(err, desk.ErrDevice) {
		return noDevice(t.name)
	}
	if err != nil {
		return err
	}
	if wait == 0 {
		_, err := fmt.Fprintf(t.out, "%s waits for %s; `receiver command list %s` shows the answer\n", id, t.name, t.name)
		return err
	}
	return t.awaitAnswer(ctx, id, wait)
}

func noDevice(name string) error {
	return fmt.Errorf("no device %q; `receiver device list` shows those there are", name)
}

// awaitAnswer prints the device's last answer, and returns an error unless the command succeeded in time.
func (t task) awaitAnswer(ctx context.Context, id string, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	look := time.NewTicker(peek)
	defer look.Stop()
	for {
		found, err := t.Commands(ctx, t.name, id, 1)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if len(found) == 1 && !found[0].Waiting {
			return t.printAnswer(found[0])
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("command %s to %s: no answer yet; it is kept, and `receiver command list %s` shows it", id, t.name, t.name)
		case <-look.C:
		}
	}
}

func (t task) printAnswer(c store.Command) error {
	if len(c.Answer) > 0 {
		if _, err := fmt.Fprintln(t.out, string(c.Answer)); err != nil {
			return err
		}
	}
	if c.State != string(holdfast.Succeeded) {
		return fmt.Errorf("command %s to %s: %s", c.ID, t.name, c.State)
	}
	return nil
}

func (t task) listCommands(ctx context.Context) error {
	known, err := t.Devices(ctx, t.name, 1)
	if err != nil {
		return err
	}
	if t.name == "" || len(known) == 0 {
		return noDevice(t.name)
	}
	all, err := t.Commands(ctx, t.name, "", store.MaxWaiting+store.MaxSettled)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tCOMMAND\tSTATE\tCAME\tANSWERED\tFROM\tERROR")
	for _, c := range all {
		answered, fault := "not yet", ""
		if !c.Answered.IsZero() {
			answered = c.Answered.Format(time.RFC3339)
		}
		var answer holdfast.Result
		if json.Unmarshal(c.Answer, &answer) == nil && answer.Error != nil {
			fault = answer.Error.Error()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(c.ID), c.Name, c.StateAt(time.Now()), c.Received.Format(time.RFC3339), answered,
			printable(c.From), printable(fault))
	}
	return table.Flush()
}

// printable is a text from elsewhere without what would move the cursor of a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func (t task) withdrawCommand(ctx context.Context) error {
	if len(t.words) != 2 {
		return fmt.Errorf("%w: want receiver command withdraw DEVICE ID", errUsage)
	}
	err := desk.Withdraw(ctx, t.Store, t.words[0], t.words[1])
	if errors.Is(err, store.ErrNoCommand) {
		return fmt.Errorf("no command %q of %q; `receiver command list` shows those there are", t.words[1], t.words[0])
	}
	return err
}

// pairs makes an object of key=value words, nil of none. A value is JSON where it is JSON, and text otherwise.
func pairs(words []string) (json.RawMessage, error) {
	object := make(map[string]json.RawMessage)
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%w: %q: want key=value", errUsage, word)
		}
		object[key] = json.RawMessage(value)
		if !json.Valid(object[key]) {
			quoted, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", errUsage, key, err)
			}
			object[key] = quoted
		}
	}
	if len(object) == 0 {
		return nil, nil
	}
	return json.Marshal(object)
}
