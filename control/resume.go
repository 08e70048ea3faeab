package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"holdfast"
)

// Resume settles what the last end of the daemon left open, and is to be called once, before the first command: settings
// that fell back to their defaults become events, and a command that was under way gets its outcome, which respond is
// handed. Nothing is carried out again: a reboot or shutdown succeeded if this is another boot, a restart since this is
// another start, and everything else was interrupted.
func (c *Control) Resume(ctx context.Context, respond func(holdfast.Result)) error {
	if err := c.acquire(ctx); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	errs := []error{c.settle(ctx)}
	var results []holdfast.Result
	for _, id := range c.receipts.order {
		if kept := c.receipts.byID[id]; kept.Result.State == holdfast.Running {
			results = append(results, c.conclude(ctx, id, outcome(kept, c.o.Now().Boot)))
		}
	}
	c.release()
	for _, result := range results {
		respond(result)
	}
	return errors.Join(errs...)
}

// settle makes settings that fell back to their defaults durable, as changes that the device made itself.
func (c *Control) settle(ctx context.Context) error {
	if len(c.fallen) == 0 {
		return nil
	}
	ch := c.begin()
	revision := c.Revision()
	for _, s := range c.fallen {
		revision++
		s.Revision, s.Time = revision, ch.now.Time
		ch.event(holdfast.EventSetting, s)
	}
	c.mu.RLock()
	ch.state[stateKey] = encodeSettings(c.stored, revision)
	c.mu.RUnlock()
	if err := c.carry(ctx, ch); err != nil {
		return fmt.Errorf("resume: settings that fell back: %w", err)
	}
	c.mu.Lock()
	c.revision = revision
	c.mu.Unlock()
	c.fallen = nil
	return nil
}

// outcome returns the result of a command that was under way when the daemon ended.
func outcome(kept receipt, boot string) holdfast.Result {
	result := kept.Result
	rebooted := (result.Name == "reboot" || result.Name == "shutdown") && kept.Boot != boot
	if rebooted || result.Name == "restart" {
		result.State = holdfast.Succeeded
		result.Result, _ = json.Marshal(map[string]string{"boot": boot}) // a string always has JSON
		return result
	}
	result.State = holdfast.Failed
	result.Error = &holdfast.Fault{Code: holdfast.CodeInterrupted, Message: "the daemon ended before the command did; it is not tried again"}
	return result
}

// conclude makes the outcome of a command durable and returns it. Where the disk does not take it, the outcome is known
// until the daemon ends, and the command counts as interrupted then. It needs the slot.
func (c *Control) conclude(ctx context.Context, id string, result holdfast.Result) holdfast.Result {
	kept := c.receipts.byID[id]
	kept.Result = short(result)
	ch := c.begin()
	c.receipts.add(ch, kept)
	if err := c.carry(ctx, ch); err != nil {
		c.o.Log.Error("outcome of a command is not durable", "id", id, "err", err)
	}
	c.receipts.keep(kept)
	return result
}
