package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"holdfast"
	"holdfast/receiver"
	"holdfast/receiver/store"
)

// maxDevices bounds the list of devices.
const maxDevices = 100_000

// completenessCommand prints what became of every number, from the database file alone: a receiver may run beside it, or not.
func completenessCommand(ctx context.Context, args []string, out io.Writer) error {
	cfg, rest, err := loadConfig(args, os.Getenv)
	if err != nil {
		return err
	}
	device := ""
	switch len(rest) {
	case 0:
	case 1:
		device = rest[0]
	default:
		return fmt.Errorf("%w: want at most one device", errUsage)
	}
	database, err := store.OpenReadOnly(ctx, cfg.database())
	if err != nil {
		return err
	}
	return errors.Join(printCompleteness(ctx, database, device, out), database.Close())
}

func printCompleteness(ctx context.Context, database *store.Store, device string, out io.Writer) error {
	devices, err := database.Devices(ctx, device, maxDevices)
	if err != nil {
		return err
	}
	if device != "" && len(devices) == 0 {
		return fmt.Errorf("no device %s in the database", device)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEVICE\tSTREAM\tENDED\tLANE\tHEAD\tDATA\tTHINNED\tDROPPED\tREJECTED\tMISSING\tNOT PLAIN DATA")
	for _, d := range devices {
		c, err := receiver.Complete(ctx, database, d.ID)
		if err != nil {
			return err
		}
		for _, s := range c.Streams {
			for _, l := range s.Lanes {
				fmt.Fprintf(table, "%s\t%.8s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n",
					d.ID, s.Stream, s.Ended, l.Lane, l.Head, l.Data, l.Thinned, l.Dropped, l.Rejected, l.Missing, describe(l))
			}
		}
		fmt.Fprintf(table, "%s\tall\t\t\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", d.ID,
			c.Totals.Head, c.Totals.Data, c.Totals.Thinned, c.Totals.Dropped, c.Totals.Rejected, c.Totals.Missing, waiting(d, c.Totals))
	}
	return table.Flush()
}

// waiting tells how much of what is missing the device still had when it last said so, which it does once a minute.
func waiting(d store.Device, totals receiver.Totals) string {
	var status holdfast.Status
	if totals.Missing == 0 || json.Unmarshal(d.State, &status) != nil {
		return ""
	}
	pending := uint64(0)
	for _, stream := range append(status.OlderStreams, holdfast.StreamStatus{Lanes: status.Lanes}) {
		for _, lane := range stream.Lanes {
			pending += lane.Pending
		}
	}
	if pending == 0 {
		return ""
	}
	return fmt.Sprintf("%d wait on the device, as it last said", pending)
}

// describe lists the first ranges that are not plain data.
func describe(l receiver.LaneCompleteness) string {
	const most = 5
	text := ""
	for i, r := range l.Ranges {
		if i == most {
			text += fmt.Sprintf("and %d more", len(l.Ranges)-most)
			break
		}
		text += fmt.Sprintf("%d-%d %s", r.First, r.Last, r.State)
		if r.Cause != "" {
			text += " (" + string(r.Cause) + ")"
		}
		text += " "
	}
	if l.Open != nil {
		text += fmt.Sprintf("from %d unknown (%s)", l.Open.First, l.Open.Cause)
	}
	return text
}
