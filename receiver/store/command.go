package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// States of a kept command, beside those of [holdfast.CommandState] that its device answered.
const (
	CommandKept      = "kept"      // for a device that was not there
	CommandSent      = "sent"      // not answered yet
	CommandExpired   = "expired"   // without an answer
	CommandWithdrawn = "withdrawn" // by an operator, without an answer
)

// Bounds of what is kept for one device.
const (
	MaxWaiting = 100     // commands without an answer
	MaxSettled = 200     // others, the newest
	maxSettled = 4 << 10 // bytes of the result of such a command
)

// short is what stays of the message of such a command: nothing where it is long, or may hold the secrets of the setting
// uplink.broker, which nobody needs any more. JSON can spell that with escapes (\u) only.
const short = "CASE WHEN length(payload) > 4096 OR instr(payload, CAST('uplink.broker' AS BLOB)) > 0 OR instr(payload, CAST('\\u' AS BLOB)) > 0 " +
	"THEN x'' ELSE payload END"

// Errors about kept commands.
var (
	ErrFull      = fmt.Errorf("%d commands wait already", MaxWaiting)
	ErrNoCommand = errors.New("no such command")
)

// A Command is one that an operator sent to a device.
type Command struct {
	N        int64
	Device   string
	ID       string
	Name     string
	From     string
	Payload  []byte // the message; empty where it was large or held a secret, and is settled
	Received time.Time
	Expires  time.Time // when it is not sent any more
	Sent     time.Time // the last time; zero for never
	Tries    int       // how often the receiver itself sent it
	State    string
	Waiting  bool
	Answer   json.RawMessage // latest holdfast.Result; empty before
	Answered time.Time
}

// StateAt returns the state, expired also before that is noted.
func (c *Command) StateAt(now time.Time) string {
	if c.Waiting && !c.Expires.After(now) && (c.State == CommandKept || c.State == CommandSent) {
		return CommandExpired
	}
	return c.State
}

// KeepCommand stores a command and reports whether it is new: one whose id the device has already is left as it is. The error
// is [ErrFull] where too many wait. What was settled long ago gives way.
func (t *Tx) KeepCommand(c Command) (bool, error) {
	var waiting int
	if err := t.row("SELECT COUNT(*) FROM command WHERE device = ? AND waiting = 1 AND id <> ?", []any{c.Device, c.ID}, &waiting); err != nil {
		return false, fmt.Errorf("count commands: %w", err)
	}
	if waiting >= MaxWaiting {
		return false, ErrFull
	}
	sent := int64(0)
	if !c.Sent.IsZero() {
		sent = micros(c.Sent)
	}
	err := t.row(`INSERT INTO command (device, id, name, sender, payload, received_us, expires_us, sent_us, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (device, id) DO NOTHING RETURNING n`,
		[]any{c.Device, c.ID, c.Name, c.From, c.Payload, micros(c.Received), micros(c.Expires), sent, c.State}, &c.N)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		err = t.exec(`DELETE FROM command WHERE device = ?1 AND waiting = 0 AND n <= (
			SELECT n FROM command WHERE device = ?1 AND waiting = 0 ORDER BY n DESC LIMIT 1 OFFSET ?2)`, c.Device, MaxSettled)
	}
	if err != nil {
		return false, fmt.Errorf("keep command: %w", err)
	}
	return true, nil
}

// AnswerCommand notes what a device answered; a final answer ends the waiting. An answer that comes after a command has
// expired or was withdrawn is noted too, one to a command that nobody kept is not. A refusal for the rate of what the
// receiver itself had sent changes nothing: it is sent again later.
func (t *Tx) AnswerCommand(device string, r *holdfast.Result, now time.Time) error {
	final := r.State != holdfast.Accepted && r.State != holdfast.Running
	limited := r.Error != nil && r.Error.Code == holdfast.CodeRateLimited
	kept := *r
	if len(kept.Result) > maxSettled {
		kept.Result = fmt.Appendf(nil, `{"kept":false,"bytes":%d}`, len(kept.Result))
	}
	text, err := json.Marshal(kept)
	if len(text) > 2*maxSettled { // a text of that length is no gateway's
		text, err = json.Marshal(holdfast.Result{V: r.V, ID: r.ID, State: r.State})
	}
	if err != nil {
		return fmt.Errorf("note answer: %w", err)
	}
	err = t.exec(`UPDATE command SET state = ?3, answer = ?4, answered_us = ?5,
			waiting = CASE WHEN ?6 THEN 0 ELSE waiting END, payload = CASE WHEN ?6 THEN `+short+` ELSE payload END
		WHERE device = ?1 AND id = ?2 AND (waiting = 1 OR state IN ('expired', 'withdrawn', 'running', 'accepted')) AND NOT (?7 AND tries > 0)`,
		device, r.ID, string(r.State), string(text), micros(now), final, limited)
	if err != nil {
		return fmt.Errorf("note answer: %w", err)
	}
	return nil
}

// SentCommand notes that the receiver sent a command.
func (t *Tx) SentCommand(n int64, now time.Time) error {
	err := t.exec("UPDATE command SET sent_us = ?, tries = tries + 1, state = CASE state WHEN 'kept' THEN 'sent' ELSE state END WHERE n = ?", micros(now), n)
	if err != nil {
		return fmt.Errorf("note sent command: %w", err)
	}
	return nil
}

// ExpireCommands ends the waiting of commands whose time is over.
func (t *Tx) ExpireCommands(now time.Time) error {
	err := t.exec(`UPDATE command SET waiting = 0, state = CASE WHEN state IN ('kept', 'sent') THEN 'expired' ELSE state END, payload = `+short+`
		WHERE waiting = 1 AND expires_us <= ?`, micros(now))
	if err != nil {
		return fmt.Errorf("expire commands: %w", err)
	}
	return nil
}

// WithdrawCommand ends the waiting of a command and reports whether it waited; [ErrNoCommand] where there is none.
func (t *Tx) WithdrawCommand(device, id string) (waited bool, err error) {
	err = t.row("SELECT waiting FROM command WHERE device = ? AND id = ?", []any{device, id}, &waited)
	if errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("%w: %s", ErrNoCommand, id)
	}
	if err == nil && waited {
		err = t.exec("UPDATE command SET waiting = 0, state = 'withdrawn', payload = "+short+" WHERE device = ? AND id = ?", device, id)
	}
	if err != nil {
		return false, fmt.Errorf("withdraw command: %w", err)
	}
	return waited, nil
}

const selectCommand = `SELECT n, device, id, name, sender, payload, received_us, expires_us, NULLIF(sent_us, 0), tries, state, waiting,
	answer, answered_us FROM command `

func (c *Command) columns() []any {
	return []any{&c.N, &c.Device, &c.ID, &c.Name, &c.From, &c.Payload, inTime{&c.Received}, inTime{&c.Expires}, inTime{&c.Sent}, &c.Tries,
		&c.State, &c.Waiting, inText[json.RawMessage]{&c.Answer}, inTime{&c.Answered}}
}

// Commands returns up to limit commands of a device, the newest first. The one with the id only comes alone; "" is for all.
func (s *Store) Commands(ctx context.Context, device, only string, limit int) ([]Command, error) {
	rows, err := s.readers.QueryContext(ctx, selectCommand+"WHERE device = ?1 AND (?2 = '' OR id = ?2) ORDER BY n DESC LIMIT ?3", device, only, limit)
	if err != nil {
		return nil, fmt.Errorf("read commands: %w", err)
	}
	return collect(rows, "commands", (*Command).columns)
}

// DueCommands returns up to limit commands that wait for a device, were not sent to it since a time, and have not expired now,
// in the order in which they came.
func (s *Store) DueCommands(ctx context.Context, device string, since, now time.Time, limit int) ([]Command, error) {
	rows, err := s.readers.QueryContext(ctx, selectCommand+"WHERE device = ? AND waiting = 1 AND sent_us < ? AND expires_us > ? ORDER BY n LIMIT ?",
		device, micros(since), micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("read commands: %w", err)
	}
	return collect(rows, "commands", (*Command).columns)
}

// Awaited returns the devices for which commands or wishes wait, by id.
func (s *Store) Awaited(ctx context.Context) ([]string, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT id FROM device WHERE status <> 'retired' AND (
		EXISTS (SELECT 1 FROM command WHERE command.device = device.id AND waiting = 1)
		OR EXISTS (SELECT 1 FROM shadow WHERE shadow.device = device.id AND desired <> '{}')) ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read who is awaited: %w", err)
	}
	return collect(rows, "who is awaited", func(id *string) []any { return []any{id} })
}
