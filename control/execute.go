package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"holdfast"
)

// effectTimeout bounds how long a command may run.
const effectTimeout = time.Minute

// Execute takes one command and hands its results to respond, before it returns: one, or "running" and then the outcome.
// It blocks until the disk has what it must have. retained says that the broker kept the message: such a command is
// refused, unless its id is known. Expiry is judged only while the clock is synchronised: a guess would refuse what is due,
// and sessions are clean, so that no broker hands over commands from an outage.
func (c *Control) Execute(ctx context.Context, payload []byte, retained bool, respond func(holdfast.Result)) {
	command, fault := decodeCommand(payload)
	admitted := c.limit.admit(c.o.Now().Mono)
	if !admitted {
		respond(c.limited(command))
	}
	if err := c.acquire(ctx); err != nil {
		return // the daemon is ending, nothing has happened
	}
	c.audit(ctx)
	if !admitted {
		c.release()
		return
	}
	if fault == nil {
		fault = c.verify(payload, command)
	}
	result, planned := c.take(ctx, command, fault, retained)
	c.release()
	respond(result)
	if planned == nil {
		return
	}
	result, ended := c.carryOut(ctx, result, planned)
	if !ended || c.acquire(ctx) != nil {
		return // of an ending that has begun, and of a daemon that ends, Resume tells the outcome
	}
	result = c.conclude(ctx, command.ID, result)
	c.release()
	respond(result)
}

// carryOut does what the running command is for, and reports whether that has an outcome now.
func (c *Control) carryOut(ctx context.Context, result holdfast.Result, p *plan) (holdfast.Result, bool) {
	timed, cancel := context.WithTimeout(ctx, effectTimeout)
	defer cancel()
	var told any
	var err error
	if p.ending != nil {
		err = p.ending(timed)
	} else {
		told, err = p.work(timed)
	}
	if ctx.Err() != nil || p.ending != nil && err == nil {
		return result, false
	}
	if err == nil {
		result.State = holdfast.Succeeded
		result.Result, err = tell(told)
	}
	if err != nil {
		c.o.Log.Error("command failed", "id", result.ID, "name", result.Name, "err", err)
		return failure(result, holdfast.CodeUnavailable, err), true
	}
	return result, true
}

// tell writes what a command found as its result.
func tell(found any) (json.RawMessage, error) {
	if found == nil {
		return nil, nil
	}
	data, err := json.Marshal(found)
	if err == nil && len(data) > holdfast.MaxResultBytes {
		err = &holdfast.Fault{Code: holdfast.CodeInternal, Message: fmt.Sprintf("a result of %d bytes: at most %d", len(data), holdfast.MaxResultBytes)}
	}
	return data, err
}

// decodeCommand reads a command. With a fault the command holds what could be read of it.
func decodeCommand(payload []byte) (holdfast.Command, *holdfast.Fault) {
	var command holdfast.Command
	malformed := func(format string, args ...any) *holdfast.Fault {
		command.ID, command.Name, command.From = cut(command.ID, 64), cut(command.Name, 64), cut(command.From, 256)
		return &holdfast.Fault{Code: holdfast.CodeMalformed, Message: cut(fmt.Sprintf(format, args...), 512)}
	}
	if len(payload) > holdfast.MaxCommandBytes {
		return command, malformed("%d bytes: at most %d", len(payload), holdfast.MaxCommandBytes)
	}
	if err := json.Unmarshal(payload, &command); err != nil {
		return command, malformed("command: %s", holdfast.ExplainJSON(payload, &command, err))
	}
	if err := command.Validate(); err != nil {
		return command, malformed("%v", err)
	}
	return command, nil
}

// take answers a command, or makes its intent durable and returns the plan that is to follow. It needs the slot.
func (c *Control) take(ctx context.Context, cmd holdfast.Command, fault *holdfast.Fault, retained bool) (holdfast.Result, *plan) {
	if kept, known := c.receipts.byID[cmd.ID]; known && fault == nil {
		return kept.Result, nil
	}
	planned, fault := c.plan(cmd, fault, retained)
	result := holdfast.Result{V: holdfast.Version, ID: cmd.ID, Name: cmd.Name, State: holdfast.Succeeded, Error: fault}
	if fault != nil {
		result.State = holdfast.Failed
		if refusals[fault.Code] {
			result.State = holdfast.Refused
			c.refuse(ctx, result, cmd.From)
			return result, nil
		}
	}
	ch := c.begin()
	var err error
	switch {
	case fault != nil:
	case planned.ending != nil:
		result.State = holdfast.Running
		c.noteEnding(ch)
	case planned.work != nil:
		result.State = holdfast.Running
	case planned.changes != nil:
		var revision int64
		if revision, err = ch.change(planned.changes, holdfast.OriginCommand, reason(cmd)); err == nil {
			result.Result = fmt.Appendf(nil, `{"revision":%d}`, revision)
		}
	default:
		result.Result, err = tell(planned.result)
	}
	kept := receipt{N: c.receipts.last + 1, Boot: ch.now.Boot, From: cmd.From, Result: short(result)}
	if err == nil {
		c.receipts.add(ch, kept)
		err = c.carry(ctx, ch)
	}
	if err != nil {
		c.o.Log.Error("command is not carried out", "id", cmd.ID, "name", cmd.Name, "err", err)
		return failure(result, holdfast.CodeInternal, err), nil
	}
	c.receipts.keep(kept)
	if planned.then != nil && fault == nil {
		planned.then()
	}
	if result.State != holdfast.Running {
		return result, nil
	}
	return result, &planned
}

// refusals are the faults for which a command is not taken: nothing is kept but an event, and the id stays free.
var refusals = map[string]bool{
	holdfast.CodeMalformed: true, holdfast.CodeRetained: true, holdfast.CodeExpired: true, holdfast.CodeUnknownCommand: true,
	holdfast.CodeUnsupported: true, holdfast.CodeRateLimited: true, holdfast.CodeUnsigned: true,
}

// plan says what a command comes down to, or why it does not.
func (c *Control) plan(cmd holdfast.Command, fault *holdfast.Fault, retained bool) (plan, *holdfast.Fault) {
	if fault != nil {
		return plan{}, fault
	}
	if retained {
		return plan{}, &holdfast.Fault{Code: holdfast.CodeRetained, Message: "a retained command would come again with every connection: publish it without"}
	}
	if now := c.o.Now(); now.Synchronized && !cmd.Expires.IsZero() && now.Time.After(cmd.Expires) {
		return plan{}, &holdfast.Fault{Code: holdfast.CodeExpired, Message: "expired at " + cmd.Expires.UTC().Format(time.RFC3339)}
	}
	for _, known := range commands {
		if known.name == cmd.Name {
			return known.plan(c, cmd.Args)
		}
	}
	return plan{}, &holdfast.Fault{Code: holdfast.CodeUnknownCommand, Message: fmt.Sprintf("%q: want one of %s", cmd.Name, strings.Join(Commands(), ", "))}
}

// Commands returns the names of the commands in the order of the table.
func Commands() (names []string) {
	for _, known := range commands {
		names = append(names, known.name)
	}
	return names
}

// refuse leaves an event, once for each command and reason: a retained one comes again with every connection.
func (c *Control) refuse(ctx context.Context, result holdfast.Result, from string) {
	seen := result.ID + "\x00" + result.Error.Error()
	if c.refused[seen] {
		return
	}
	if len(c.refused) >= 100 {
		clear(c.refused)
	}
	c.refused[seen] = true
	c.o.Log.Warn("command refused", "id", result.ID, "name", result.Name, "err", result.Error)
	ch := c.begin()
	ch.event(holdfast.EventCommand, holdfast.CommandChange{ID: result.ID, Name: result.Name, State: result.State, From: from, Error: result.Error})
	if err := c.carry(ctx, ch); err != nil {
		c.o.Log.Error("refused command leaves no event", "id", result.ID, "err", err)
	}
}

func reason(cmd holdfast.Command) string {
	if cmd.From == "" {
		return cmd.Name
	}
	return cmd.Name + " by " + cmd.From
}

// failure returns the result of a command that err kept from succeeding. code stands where err does not bring its own.
func failure(result holdfast.Result, code string, err error) holdfast.Result {
	result.Result, result.State = nil, holdfast.Failed
	fault, ok := errors.AsType[*holdfast.Fault](err)
	if !ok {
		fault = &holdfast.Fault{Code: code, Message: cut(err.Error(), 512)}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		result.State = holdfast.TimedOut
	}
	result.Error = fault
	return result
}
