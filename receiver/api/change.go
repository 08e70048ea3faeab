package api

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/receiver"
	"holdfast/receiver/store"
)

type replayIn struct {
	ID int64 `path:"id" minimum:"1" doc:"of the dead letter"`
}

type replayOut struct {
	Body struct {
		Numbers uint64 `json:"numbers" doc:"how many numbers are held as data now and were not before"`
	}
}

func (s *server) replay(ctx context.Context, in *replayIn) (*replayOut, error) {
	n, err := s.Replay(ctx, in.ID)
	switch {
	case errors.Is(err, store.ErrNoLetter):
		return nil, huma.Error404NotFound(err.Error() + ": see /api/v1/dead-letters for those there are")
	case errors.Is(err, receiver.ErrReplayed):
		return nil, huma.Error409Conflict(err.Error())
	case errors.Is(err, receiver.ErrRefused):
		return nil, huma.Error422UnprocessableEntity(err.Error())
	case err != nil:
		return nil, err
	}
	out := new(replayOut)
	out.Body.Numbers = n
	return out, nil
}

type statusIn struct {
	OfDevice
	Body struct {
		Status string `json:"status" enum:"active,pending,suspended,retired" doc:"data of an active device is taken; any other keeps it; a retired one cannot log in"`
	}
}

func (s *server) setStatus(ctx context.Context, in *statusIn) (*struct{}, error) {
	err := receiver.SetStatus(ctx, s.store, in.ID, in.Body.Status)
	if errors.Is(err, receiver.ErrNoDevice) {
		return nil, huma.Error404NotFound(err.Error() + ": see /api/v1/devices for those there are")
	}
	return nil, err
}

type adoptIn struct {
	OfDevice
	Former string `path:"former" maxLength:"64" doc:"the id that the device had before"`
}

func (s *server) adopt(ctx context.Context, in *adoptIn) (*struct{}, error) {
	if in.ID == in.Former {
		return nil, huma.Error422UnprocessableEntity("a device needs no leave to bring its own streams")
	}
	err := s.Adopt(ctx, in.ID, in.Former)
	if errors.Is(err, receiver.ErrNoDevice) {
		return nil, huma.Error404NotFound(err.Error() + ": see /api/v1/devices for those there are")
	}
	return nil, err
}
