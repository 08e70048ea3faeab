package sensors

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/warthog618/go-gpiocdev"
)

// watch requests the line with the kernel's debounce, or without it where the kernel has none (before 5.10) and ours does,
// and follows its edges until ctx ends.
func (b *Button) watch(ctx context.Context) error {
	chip, err := openChip(b.o.Chip)
	if err != nil {
		return err
	}
	defer chip.Close()
	offset, ok := lineOffset(b.o.Line)
	if !ok {
		if offset, err = chip.FindLine(b.o.Line); err != nil {
			return fmt.Errorf("find it on %s (%s): %w", chip.Name, chip.Label, err)
		}
	}
	if err := checkPin(chip.Label, offset, b.o.Buses); err != nil {
		return err
	}

	closed := make(chan bool, 16) // as many edges as the kernel keeps for us
	ended := make(chan struct{})
	edges := func(e gpiocdev.LineEvent) { // the watcher's goroutine
		select {
		case closed <- (e.Type == gpiocdev.LineEventRisingEdge) == (b.o.Edge == "rising"):
		case <-ended:
		}
	}
	options := []gpiocdev.LineReqOption{
		gpiocdev.WithConsumer("holdfast button"), b.bias(), gpiocdev.WithBothEdges, gpiocdev.WithEventHandler(edges),
	}
	d := debouncer{press: b.o.Press}
	line, err := chip.RequestLine(offset, append(options, gpiocdev.WithDebounce(b.o.Debounce))...)
	if err != nil {
		kernel := err
		d.period = b.o.Debounce
		if line, err = chip.RequestLine(offset, options...); err != nil {
			return fmt.Errorf("request it from %s (%s): %w", chip.Name, chip.Label, err)
		}
		b.o.Log.Debug("the kernel does not debounce the button", "err", kernel)
	}
	b.o.Log.Info("button is watched", "chip", chip.Label, "line", offset, "edge", b.o.Edge, "kernel_debounce", d.period == 0)

	var work sync.WaitGroup
	work.Go(func() { d.run(ctx, closed) })
	<-ctx.Done()
	close(ended)
	err = line.Close() // returns when the watcher's goroutine has ended
	work.Wait()
	if err != nil {
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

// openChip opens the chip with that label, name or path; for "" the one behind the Pi's header.
func openChip(wanted string) (*gpiocdev.Chip, error) {
	if strings.HasPrefix(wanted, "/") {
		chip, err := gpiocdev.NewChip(wanted)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", wanted, err)
		}
		return chip, nil
	}
	var seen []string
	var errs []error
	for _, name := range gpiocdev.Chips() {
		chip, err := gpiocdev.NewChip(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("open %s: %w", name, err))
			continue
		}
		header := wanted == "" && slices.Contains(headerChips, chip.Label)
		if header || wanted != "" && (chip.Label == wanted || chip.Name == filepath.Base(wanted)) {
			return chip, nil
		}
		seen = append(seen, chip.Label)
		chip.Close()
	}
	if wanted == "" {
		wanted = "of a Pi's header"
	}
	errs = append(errs, fmt.Errorf("no GPIO chip %s among %q", wanted, seen))
	return nil, errors.Join(errs...)
}
