package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"holdfast"
	"holdfast/mqtt"
)

// A target is whom a command is for: one device, the devices of a group, or all of them.
type target struct {
	device, group string
	all           bool
}

// newTarget reads the flags and the words of `gateway command`, and returns the words behind the target.
func newTarget(group string, all bool, words []string) (target, []string, error) {
	to := target{group: group, all: all}
	var err error
	switch {
	case group != "" && all:
		err = errors.New("--group and --all exclude each other")
	case group != "":
		err = holdfast.CheckGroups([]string{group})
	case !all && len(words) > 0:
		to.device, words = words[0], words[1:]
		err = holdfast.CheckDevice(to.device)
	}
	if err == nil && len(words) == 0 {
		err = errors.New("want gateway command DEVICE NAME [key=value …], or --group NAME or --all in place of DEVICE")
	}
	if err != nil {
		return target{}, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return to, words, nil
}

// String is what stands in the field to of a signed command.
func (to target) String() string {
	switch {
	case to.all:
		return "broadcast"
	case to.group != "":
		return "groups/" + to.group
	}
	return to.device
}

func (to target) topic(topics holdfast.Topics) string {
	switch {
	case to.all:
		return topics.Broadcast()
	case to.group != "":
		return topics.Group(to.group)
	}
	return topics.Device(to.device, holdfast.TopicCommand)
}

// askMany sends a command to many devices, and prints a line for each that answers until ctx ends. It is an error when none
// does, or one does not succeed: nobody knows how many there are.
func askMany(ctx context.Context, cfg Config, to target, command holdfast.Command, out io.Writer) error {
	topics := holdfast.Topics{Prefix: cfg.TopicPrefix}
	o, err := connectOperator(ctx, cfg, topics.Devices(holdfast.TopicResponse))
	if err != nil {
		return err
	}
	defer o.conn.Close(context.WithoutCancel(ctx))
	payload, err := json.Marshal(command)
	if err != nil {
		return err
	}
	if err := o.conn.Publish(ctx, mqtt.Message{Topic: to.topic(topics), Payload: payload}); err != nil {
		return err
	}
	last := make(map[string]holdfast.CommandState)
	for {
		m, err := o.next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil {
			return err
		}
		device, _, ok := topics.Split(m.Topic)
		var r holdfast.Result
		if !ok || json.Unmarshal(m.Payload, &r) != nil || r.ID != command.ID {
			continue
		}
		if last[device] = r.State; r.State == holdfast.Accepted || r.State == holdfast.Running {
			continue
		}
		if err := printLine(out, device, r); err != nil {
			return err
		}
	}
	return summarize(last, out)
}

// printLine prints the result of one device among many: pi-7 succeeded {"revision":4}
func printLine(out io.Writer, device string, r holdfast.Result) (err error) {
	if r.Error != nil {
		_, err = fmt.Fprintf(out, "%s %s %v\n", device, r.State, r.Error)
		return err
	}
	_, err = fmt.Fprintf(out, "%s %s %s\n", device, r.State, r.Result)
	return err
}

// summarize prints the devices that are still at it, and says what became of the others.
func summarize(last map[string]holdfast.CommandState, out io.Writer) error {
	succeeded := 0
	for _, device := range slices.Sorted(maps.Keys(last)) {
		switch state := last[device]; state {
		case holdfast.Succeeded:
			succeeded++
		case holdfast.Accepted, holdfast.Running:
			if _, err := fmt.Fprintln(out, device, "still", state); err != nil {
				return err
			}
		}
	}
	switch {
	case len(last) == 0:
		return errors.New("no answer; is any of these gateways online?")
	case succeeded < len(last):
		return fmt.Errorf("%d of %d that answered succeeded", succeeded, len(last))
	}
	return nil
}
