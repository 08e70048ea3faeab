//go:build !linux

package sensors

import (
	"context"
	"errors"
)

func (b *Button) watch(context.Context) error {
	return errors.New("only Linux has GPIO lines; the simulated Pi has a virtual button")
}
