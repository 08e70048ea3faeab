package sensors

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The chips of Sensirion, and those like them, have no registers. They take commands, are busy with one for a while, in which
// they acknowledge nothing, and then answer once: words of 16 bits, each with its checksum behind it. What has not been
// asked for is not acknowledged either, so that a chip that lost its power in between cannot answer.

// command sends a command, gives the chip the time that it takes, and reads the answer.
func (d Device) command(ctx context.Context, command []byte, takes time.Duration, answer []byte) error {
	if err := d.Bus.Tx(ctx, d.Addr, command, nil); err != nil {
		return fmt.Errorf("command %x: %w", command, err)
	}
	if err := wait(ctx, takes); err != nil {
		return fmt.Errorf("command %x: %w", command, err)
	}
	if len(answer) == 0 {
		return nil
	}
	if err := d.Bus.Tx(ctx, d.Addr, nil, answer); err != nil {
		return fmt.Errorf("answer to command %x: %w", command, err)
	}
	return nil
}

// ask sends a command and returns the n words of the answer.
func (d Device) ask(ctx context.Context, command []byte, takes time.Duration, n int) ([]uint16, error) {
	answer := make([]byte, 3*n)
	if err := d.command(ctx, command, takes, answer); err != nil {
		return nil, err
	}
	w, err := words(answer)
	if err != nil {
		return nil, fmt.Errorf("answer to command %x: %w", command, err)
	}
	return w, nil
}

// answers reports whether the chip answers a command with n words whose checksums are right.
func (d Device) answers(ctx context.Context, command []byte, takes time.Duration, n int) (bool, error) {
	_, err := d.ask(ctx, command, takes, n)
	if errors.Is(err, errChecksum) {
		return false, nil
	}
	return err == nil, err
}

// sensirionCelsius is the formula of the SHT3x (§4.13), the SHT4x (§4.6) and the SCD4x (§3.5.2).
func sensirionCelsius(raw uint16) float64 { return round(-45+175*float64(raw)/65535, 0.01) }
