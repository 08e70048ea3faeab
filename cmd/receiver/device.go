package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/receiver"
	"holdfast/receiver/access"
	"holdfast/receiver/store"
)

// A task is what a subcommand does with the database. A receiver may run beside it.
type task struct {
	*store.Store
	cfg   Config
	name  string   // the argument; may be empty
	words []string // all arguments
	out   io.Writer
}

// Whether a subcommand makes the database where there is none: devices may be registered before the receiver ever ran, but a
// mistyped folder is no fleet without devices.
const (
	makes  = true
	opened = false
)

// withStore parses a subcommand's flags and its one argument, opens the database, and runs do.
func withStore(ctx context.Context, mayMake bool, args []string, out io.Writer, do func(task, context.Context) error, more ...func(*flag.FlagSet)) error {
	return withWords(ctx, mayMake, args, out, func(t task, ctx context.Context) error {
		if len(t.words) > 1 {
			return fmt.Errorf("%w: want at most one name, not %q", errUsage, t.words)
		}
		return do(t, ctx)
	}, more...)
}

// withWords is withStore for a subcommand with any number of arguments.
func withWords(ctx context.Context, mayMake bool, args []string, out io.Writer, do func(task, context.Context) error, more ...func(*flag.FlagSet)) error {
	cfg, rest, err := loadConfig(args, os.Getenv, more...)
	if err != nil {
		return err
	}
	t := task{cfg: cfg, out: out, words: rest}
	if len(rest) > 0 {
		t.name = rest[0]
	}
	_, err = os.Stat(cfg.database())
	if err != nil && !mayMake {
		return fmt.Errorf("no database in folder %q: want --data or RECEIVER_DATA, as the receiver has it: %w", cfg.Data, err)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "receiver: a new database in folder %q; a receiver whose --data or RECEIVER_DATA names another folder knows nothing of it\n", cfg.Data)
	}
	if t.Store, err = store.Open(ctx, store.Options{Path: cfg.database()}); err != nil {
		return err
	}
	return errors.Join(do(t, ctx), t.Close())
}

// deviceVerbs is the table of what `receiver device` does.
func deviceVerbs() []cli.Subcommand {
	return []cli.Subcommand{
		{Name: "add", Arguments: "[NAME] [--type …] [--location …] [--pending]", About: "register a device and print its join string", Run: addCommand},
		{Name: "list", Arguments: "[NAME]", About: "print those there are", Run: withTask(opened, task.listDevices)},
		{Name: "secret", Arguments: "NAME", About: "print a new join string; the old one is worth nothing", Run: withTask(opened, task.newSecret)},
		{Name: "activate", Arguments: "NAME", About: "take the data of one that is pending or suspended", Run: statusCommand(store.StatusActive)},
		{Name: "suspend", Arguments: "NAME", About: "have it keep its data until it is activated", Run: statusCommand(store.StatusSuspended)},
		{Name: "retire", Arguments: "NAME", About: "let it in no more", Run: statusCommand(store.StatusRetired)},
	}
}

// deviceCommand is `receiver device VERB`.
func deviceCommand(ctx context.Context, args []string, out io.Writer) error {
	return cli.Choose(ctx, "receiver device", "receiver device says which devices there are; VERB -h lists the flags.", deviceVerbs(), args, out)
}

// withTask makes a subcommand of what does something with the database, with at most one argument and no flags of its own.
func withTask(mayMake bool, do func(task, context.Context) error) func(context.Context, []string, io.Writer) error {
	return func(ctx context.Context, args []string, out io.Writer) error {
		return withStore(ctx, mayMake, args, out, do)
	}
}

func statusCommand(status string) func(context.Context, []string, io.Writer) error {
	return withTask(opened, func(t task, ctx context.Context) error { return t.setStatus(ctx, status) })
}

func addCommand(ctx context.Context, args []string, out io.Writer) error {
	d := store.Device{Status: store.StatusActive}
	pending := false
	return withStore(ctx, makes, args, out, func(t task, ctx context.Context) error {
		if d.ID = t.name; pending {
			d.Status = store.StatusPending
		}
		return t.addDevice(ctx, d)
	}, func(f *flag.FlagSet) {
		f.StringVar(&d.Type, "type", "", "what kind of device it is; for people")
		f.StringVar(&d.Location, "location", "", "where it is; for people")
		f.BoolVar(&pending, "pending", false, "it connects and keeps its data until it is activated")
	})
}

// addDevice registers a device and prints its join string, which is shown this once.
func (t task) addDevice(ctx context.Context, d store.Device) error {
	if d.ID == "" {
		d.ID = newName()
	}
	if err := access.CheckName(d.ID); err != nil {
		return fmt.Errorf("%w: device %q: %w", errUsage, d.ID, err)
	}
	if len(d.Type) > maxWord || len(d.Location) > maxWord {
		return fmt.Errorf("%w: --type and --location: want at most %d bytes", errUsage, maxWord)
	}
	if err := t.cfg.agree(ctx, t.Store); err != nil {
		return err
	}
	secret := access.NewSecret()
	j, err := t.cfg.join(t.Store, d.ID, secret)
	if err != nil {
		return err
	}
	err = t.Write(ctx, func(tx *store.Tx) error { return tx.AddDevice(d, access.Hash(secret)) })
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("%s is registered already; `receiver device secret %s` gives it a new secret", d.ID, d.ID)
	}
	if err != nil {
		return err
	}
	return t.print(j)
}

// maxWord bounds what an operator says of a device.
const maxWord = 200

// newName mints a device id.
func newName() string {
	bits := make([]byte, 4)
	rand.Read(bits)
	return "pi-" + hex.EncodeToString(bits)
}

func (t task) print(j holdfast.Join) error {
	_, err := fmt.Fprintln(t.out, "HOLDFAST_JOIN="+j.Encode())
	return err
}

// newSecret replaces a device's secret and prints the join string with the new one. The old one is worth nothing at once.
func (t task) newSecret(ctx context.Context) error {
	if err := t.cfg.agree(ctx, t.Store); err != nil {
		return err
	}
	secret := access.NewSecret()
	j, err := t.cfg.join(t.Store, t.name, secret)
	if err != nil {
		return err
	}
	err = t.Write(ctx, func(tx *store.Tx) error { return found(tx.SetDeviceHash(t.name, access.Hash(secret))) })
	if errors.Is(err, errUnknown) {
		return fmt.Errorf("no device %q; `receiver device list` shows those there are", t.name)
	}
	if err != nil {
		return err
	}
	return t.print(j)
}

var errUnknown = errors.New("not found")

// found makes an error of what was not there.
func found(there bool, err error) error {
	if err == nil && !there {
		return errUnknown
	}
	return err
}

func (t task) setStatus(ctx context.Context, status string) error {
	if t.name == "" {
		return fmt.Errorf("%w: want the name of a device; `receiver device list` shows those there are", errUsage)
	}
	err := receiver.SetStatus(ctx, t.Store, t.name, status)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s is %s\n", t.name, status)
	return err
}

func (t task) listDevices(ctx context.Context) error {
	devices, err := t.Devices(ctx, t.name, maxDevices)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEVICE\tSTATUS\tSECRET\tLAST SEEN\tTYPE\tLOCATION")
	for _, d := range devices {
		secret, seen := "none", "never"
		if d.Secret {
			secret = "set"
		}
		if !d.LastSeen.IsZero() {
			seen = d.LastSeen.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.Status, secret, seen, d.Type, d.Location)
	}
	return table.Flush()
}
