package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast"
	"holdfast/buffer"
)

// An acknowledgement asks the loop to note that somebody has seen an alert.
type acknowledgement struct {
	alert, by string
	done      chan<- error // has room for the answer
}

// acknowledge notes that somebody has seen an alert. It returns once that is durable. The error wraps ErrInvalid where no such
// alert is raised.
func (g *gateway) acknowledge(ctx context.Context, alert, by string) error {
	done := make(chan error, 1)
	select {
	case g.acknowledgements <- acknowledgement{alert, by, done}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := g.buffer.Commit(ctx, buffer.Change{}); err != nil {
		return fmt.Errorf("acknowledge alert %s: %w", alert, err)
	}
	return nil
}

// commanded is acknowledge for a command: its result is the alert as it now is.
func (g *gateway) commanded(ctx context.Context, alert, by string) (any, error) {
	if err := g.acknowledge(ctx, alert, by); errors.Is(err, holdfast.ErrInvalid) {
		return nil, &holdfast.Fault{Code: holdfast.CodeInvalidArgument, Message: strings.TrimPrefix(err.Error(), holdfast.ErrInvalid.Error()+" ")}
	} else if err != nil {
		return nil, err
	}
	newest, _ := g.alerts.one(alert)
	return struct {
		Alert string              `json:"alert"`
		State holdfast.AlertState `json:"state"` // cleared where only this kept it
		By    string              `json:"by"`    // who was first
	}{alert, newest.State, newest.By}, nil
}

// acknowledged carries an acknowledgement out, in the loop.
func (g *gateway) acknowledged(a acknowledgement) error {
	records, err := g.rules.Acknowledge(a.alert, a.by, g.now())
	if err != nil {
		return fmt.Errorf("%w %v", holdfast.ErrInvalid, err)
	}
	g.keep(records)
	return nil
}
