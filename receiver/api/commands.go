package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"holdfast"
	"holdfast/receiver/desk"
	"holdfast/receiver/store"
)

// Command is a command to a device.
type Command struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Args     json.RawMessage `json:"args,omitempty" doc:"absent too of a large command that is settled"`
	From     string          `json:"from,omitempty" doc:"who asks"`
	State    string          `json:"state" enum:"kept,sent,accepted,running,succeeded,failed,timed_out,refused,expired,withdrawn" doc:"kept: for a device that is not there; sent: not answered yet"`
	Received time.Time       `json:"received_at"`
	Expires  time.Time       `json:"expires_at" doc:"when it is not sent any more"`
	Sent     time.Time       `json:"sent_at,omitzero" doc:"the last time; absent before"`
	Answered time.Time       `json:"answered_at,omitzero" doc:"absent before"`
	Result   json.RawMessage `json:"result,omitempty" doc:"of a long one just its length"`
	Error    *holdfast.Fault `json:"error,omitempty"`
}

func newCommand(c store.Command, now time.Time) Command {
	out := Command{ID: c.ID, Name: c.Name, From: c.From, State: c.StateAt(now), Received: c.Received, Expires: c.Expires, Sent: c.Sent, Answered: c.Answered}
	var sent holdfast.Command
	if json.Unmarshal(c.Payload, &sent) == nil {
		out.Args = holdfast.ConcealArguments(sent.Name, sent.Args)
	}
	var answer holdfast.Result
	if json.Unmarshal(c.Answer, &answer) == nil {
		out.Result, out.Error = answer.Result, answer.Error
	}
	return out
}

type commandsIn struct {
	OfDevice
	Limit int `query:"limit" minimum:"1" maximum:"300" default:"100"`
}

type commandsOut struct {
	Body struct {
		Commands []Command `json:"commands" doc:"newest first"`
	}
}

func (s *server) commands(ctx context.Context, in *commandsIn) (*commandsOut, error) {
	if _, err := s.known(ctx, in.ID); err != nil {
		return nil, err
	}
	all, err := s.store.Commands(ctx, in.ID, "", in.Limit)
	if err != nil {
		return nil, err
	}
	out := new(commandsOut)
	out.Body.Commands = []Command{}
	for _, c := range all {
		out.Body.Commands = append(out.Body.Commands, newCommand(c, s.Now()))
	}
	return out, nil
}

type commandIn struct {
	OfDevice
	Command string `path:"command" maxLength:"64" doc:"id of the command"`
}

type commandOut struct{ Body Command }

func (s *server) command(ctx context.Context, in *commandIn) (*commandOut, error) {
	found, err := s.store.Commands(ctx, in.ID, in.Command, 1)
	if err != nil {
		return nil, err
	}
	if in.Command == "" || len(found) == 0 {
		return nil, noCommand(in.ID, in.Command)
	}
	return &commandOut{newCommand(found[0], s.Now())}, nil
}

func noCommand(device, id string) error {
	return huma.Error404NotFound("no command " + id + " of device " + device + ": see /api/v1/devices/" + device + "/commands for those there are")
}

type sendIn struct {
	OfDevice
	Body struct {
		ID      string         `json:"id,omitempty" maxLength:"64" doc:"makes it happen once, however often it is sent; default a new one"`
		Name    string         `json:"name" minLength:"1" maxLength:"64"`
		Args    map[string]any `json:"args,omitempty"`
		Expires time.Time      `json:"expires,omitzero" doc:"when it is not to be carried out any more; default never, and kept for 7 days"`
		From    string         `json:"from,omitempty" maxLength:"256" doc:"who asks; default api"`
	}
}

func (s *server) sendCommand(ctx context.Context, in *sendIn) (*commandOut, error) {
	c := holdfast.Command{ID: in.Body.ID, Name: in.Body.Name, Expires: in.Body.Expires, From: in.Body.From}
	if c.From == "" {
		c.From = "api"
	}
	if len(in.Body.Args) > 0 {
		var err error
		if c.Args, err = json.Marshal(in.Body.Args); err != nil {
			return nil, huma.Error422UnprocessableEntity("args: " + err.Error())
		}
	}
	id, err := desk.Keep(ctx, s.store, in.ID, c, s.Now())
	if err != nil {
		return nil, refusal(err)
	}
	s.wake()
	return s.command(ctx, &commandIn{in.OfDevice, id})
}

func (s *server) withdrawCommand(ctx context.Context, in *commandIn) (*struct{}, error) {
	err := desk.Withdraw(ctx, s.store, in.ID, in.Command)
	switch {
	case errors.Is(err, store.ErrNoCommand):
		return nil, noCommand(in.ID, in.Command)
	case errors.Is(err, desk.ErrSettled):
		return nil, huma.Error409Conflict(err.Error())
	}
	return nil, err
}

// refusal makes an answer of what the desk refuses.
func refusal(err error) error {
	switch {
	case errors.Is(err, desk.ErrDevice):
		return huma.Error404NotFound(err.Error() + ": see /api/v1/devices for those there are")
	case errors.Is(err, desk.ErrInvalid):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, desk.ErrFull):
		return huma.Error429TooManyRequests(err.Error())
	case errors.Is(err, desk.ErrVersion):
		return huma.Error409Conflict(err.Error())
	}
	return err
}
