package sensors

import (
	"context"
	"fmt"
	"sync"

	"github.com/warthog618/go-gpiocdev"
)

// watch requests the line with the kernel's debounce, or without it where the kernel has none (before 5.10) and ours does,
// and follows its edges until ctx ends.
func (b *Button) watch(ctx context.Context) error {
	chip, offset, err := openLine(b.o.Chip, b.o.Line, b.o.Buses)
	if err != nil {
		return err
	}
	defer chip.Close()

	rising := b.o.Edge == "rising"
	edges := make(chan Edge, 16) // as many as the kernel keeps for us
	ended := make(chan struct{})
	take := func(e gpiocdev.LineEvent) { // the watcher's goroutine
		select {
		case edges <- Edge{(e.Type == gpiocdev.LineEventRisingEdge) == rising, e.Timestamp}:
		case <-ended:
		}
	}
	options := []gpiocdev.LineReqOption{
		gpiocdev.WithConsumer("holdfast button"), b.bias(), gpiocdev.WithBothEdges, gpiocdev.WithEventHandler(take),
	}
	contact := Contact{Long: b.o.Long, Double: b.o.Double, Press: b.o.Press}
	line, err := chip.RequestLine(offset, append(options, gpiocdev.WithDebounce(b.o.Debounce))...)
	if err != nil {
		kernel := err
		contact.Debounce = b.o.Debounce
		if line, err = chip.RequestLine(offset, options...); err != nil {
			return requested(chip, offset, err)
		}
		b.o.Log.Debug("the kernel does not debounce the button", "err", kernel)
	}
	contact.Closed = func() bool {
		level, err := line.Value()
		return err != nil || (level == 1) == rising
	}
	b.o.Log.Info("button is watched", "chip", chip.Label, "line", offset, "edge", b.o.Edge, "kernel_debounce", contact.Debounce == 0)

	var work sync.WaitGroup
	work.Go(func() { contact.Follow(ctx, edges) })
	<-ctx.Done()
	close(ended)
	work.Wait()
	if err := line.Close(); err != nil { // returns when the watcher's goroutine has ended
		return fmt.Errorf("give it back: %w", err)
	}
	return nil
}

func (b *Button) bias() gpiocdev.LineReqOption {
	switch b.o.Pull {
	case "up":
		return gpiocdev.WithPullUp
	case "down":
		return gpiocdev.WithPullDown
	}
	return gpiocdev.WithBiasDisabled
}
