package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/sensors"
)

// sensorsCommand prints what is known of every chip as docs/sensors.md shows it.
func sensorsCommand(_ context.Context, args []string, out io.Writer) error {
	if err := cli.Parse(cli.NewFlags("gateway sensors"), args); err != nil {
		return err
	}
	drivers := slices.SortedFunc(slices.Values(sensors.Drivers()), func(a, b sensors.Driver) int { return cmp.Compare(a.Chip, b.Chip) })
	var page strings.Builder
	page.WriteString("| chip | measures | addresses |\n|---|---|---|\n")
	for _, d := range drivers {
		fmt.Fprintf(&page, "| [`%s`](#%s) %s | %s | %s |\n", d.Chip, d.Chip, d.Part, strings.Join(measured(d), ", "), addressList(d.Addresses))
	}
	page.WriteString("\n## Who can be where\n\n| address | chips, in the order in which they are asked for |\n|---|---|\n")
	writeAddresses(&page)
	for _, d := range drivers {
		fmt.Fprintf(&page, "\n## %s\n\n", d.Chip)
		writeChip(&page, d)
	}
	_, err := io.WriteString(out, page.String())
	return err
}

// measured returns the names of the quantities without their units.
func measured(d sensors.Driver) (names []string) {
	for _, q := range d.Quantities {
		name := q.Name
		if i := strings.LastIndexByte(name, '_'); i > 0 {
			name = name[:i]
		}
		names = append(names, strings.ReplaceAll(name, "_", " "))
	}
	if names == nil {
		return []string{"nothing"}
	}
	return names
}

// addressList returns addresses as people write them, ranges drawn together.
func addressList(addresses []uint16) string {
	var parts []string
	for i := 0; i < len(addresses); {
		last := i
		for last+1 < len(addresses) && addresses[last+1] == addresses[last]+1 {
			last++
		}
		part := fmt.Sprintf("0x%02x", addresses[i])
		if last > i {
			part += fmt.Sprintf("–0x%02x", addresses[last])
		}
		parts = append(parts, part)
		i = last + 1
	}
	return strings.Join(parts, ", ")
}

// writeAddresses writes a line for each address that several chips can have, those with the same chips together.
func writeAddresses(page *strings.Builder) {
	chips := make(map[uint16][]string)
	for _, commands := range []bool{false, true} {
		for _, d := range sensors.Drivers() {
			for _, addr := range d.Addresses {
				if (d.Commands != nil) == commands {
					chips[addr] = append(chips[addr], d.Chip)
				}
			}
		}
	}
	same := make(map[string][]uint16)
	var order []string
	for _, addr := range slices.Sorted(maps.Keys(chips)) {
		if len(chips[addr]) < 2 {
			continue
		}
		who := strings.Join(chips[addr], ", ")
		if same[who] == nil {
			order = append(order, who)
		}
		same[who] = append(same[who], addr)
	}
	for _, who := range order {
		fmt.Fprintf(page, "| %s | %s |\n", addressList(same[who]), who)
	}
}

// writeChip writes what is known of a chip.
func writeChip(page *strings.Builder, d sensors.Driver) {
	fmt.Fprintf(page, "%s, at %s.\n\n", d.Part, addressList(d.Addresses))
	if len(d.Quantities) > 0 {
		page.WriteString("| quantity | unit | range | decimals |\n|---|---|---|---|\n")
	}
	for _, q := range d.Quantities {
		fmt.Fprintf(page, "| `%s` | %s | %s | %d |\n", q.Name, q.Unit, span(q), q.Precision)
	}
	if len(d.Quantities) > 0 {
		page.WriteString("\n")
	}
	fmt.Fprintf(page, "- Identity: %s\n", identity(d))
	for _, line := range [][2]string{{"Wiring", d.Wiring}, {"Notes", d.Notes}, {"Tested", tested(d)}} {
		if line[1] != "" {
			fmt.Fprintf(page, "- %s: %s\n", line[0], line[1])
		}
	}
}

func span(q holdfast.Quantity) string {
	return strconv.FormatFloat(q.Min, 'f', -1, 64) + " to " + strconv.FormatFloat(q.Max, 'f', -1, 64)
}

func identity(d sensors.Driver) string {
	said := "likely; it has none, and is known by what, of these chips, only it does"
	if d.Confidence == sensors.Certain {
		said = "certain; it names itself"
	}
	if d.Commands == nil {
		return said + ". Nothing is written but numbers of registers"
	}
	commands := make([]string, len(d.Commands))
	for i, c := range d.Commands {
		commands[i] = fmt.Sprintf("`% x`", c)
	}
	return said + ". Asked with its own command " + strings.Join(commands, ", ") + ", where no chip with registers answers"
}

func tested(d sensors.Driver) string {
	if len(d.Quantities) == 0 {
		return strings.Join(append([]string{"a model of its registers"}, d.Tested...), "; ")
	}
	return strings.Join(append([]string{"a model of its registers, under the faults above; numbers of the datasheet"}, d.Tested...), "; ")
}
