package sensors

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/warthog618/go-gpiocdev"
)

// openLine opens the chip with that label, name or path, "" for the one behind the Pi's header, and finds the line on it.
func openLine(wanted, line string, buses []int) (*gpiocdev.Chip, int, error) {
	chip, err := openChip(wanted)
	if err != nil {
		return nil, 0, err
	}
	offset, err := findLine(chip, line)
	if err == nil {
		err = checkPin(chip.Label, offset, buses)
	}
	if err != nil {
		chip.Close()
		return nil, 0, err
	}
	return chip, offset, nil
}

func openChip(wanted string) (*gpiocdev.Chip, error) {
	if strings.HasPrefix(wanted, "/") {
		chip, err := gpiocdev.NewChip(wanted)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", wanted, err)
		}
		return chip, nil
	}
	var chips []chipInfo
	var errs []error
	for _, file := range gpiocdev.Chips() {
		chip, err := gpiocdev.NewChip(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("open %s: %w", file, err))
			continue
		}
		chips = append(chips, chipInfo{file, chip.Name, chip.Label})
		chip.Close()
	}
	i, err := chooseChip(wanted, chips)
	if err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	return gpiocdev.NewChip(chips[i].file)
}

func findLine(chip *gpiocdev.Chip, line string) (int, error) {
	if offset, ok := lineOffset(line); ok {
		return offset, nil
	}
	offset, err := chip.FindLine(line)
	if err == nil {
		return offset, nil
	}
	if offset, ok := headerOffset(line); ok && slices.Contains(headerChips, chip.Label) {
		return offset, nil
	}
	return 0, fmt.Errorf("find it on %s (%s): %w", chip.Name, chip.Label, err)
}

// requested says of a line that could not be requested who has it, where somebody does.
func requested(chip *gpiocdev.Chip, offset int, err error) error {
	where := fmt.Sprintf("request it from %s (%s)", chip.Name, chip.Label)
	info, unknown := chip.LineInfo(offset)
	if unknown != nil || !info.Used || !errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("%s: %w", where, err)
	}
	return fmt.Errorf("%s: %q has it, another program or a driver of the kernel: end that, or take another pin: %w", where, info.Consumer, err)
}
