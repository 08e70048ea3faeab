package sensors

import (
	"fmt"
	"strconv"
	"strings"
)

// An Address is an address on one bus, or with Bus below 0 on every bus.
type Address struct {
	Bus  int
	Addr uint16
}

// ParseAddresses reads a list such as 0x50, 1:0x70: an address on every bus, and one on bus 1.
func ParseAddresses(text string) (list []Address, err error) {
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		a := Address{Bus: -1}
		bus, addr, both := strings.Cut(item, ":")
		if !both {
			addr = item
		} else if n, err := strconv.ParseUint(bus, 10, 8); err == nil {
			a.Bus = int(n)
		} else {
			return nil, fmt.Errorf("%q: want the number of a bus before the colon, 1:0x70", item)
		}
		n, err := strconv.ParseUint(addr, 0, 8)
		if err != nil || n < 0x03 || n > 0x77 {
			return nil, fmt.Errorf("%q: want an address from 0x03 to 0x77, or bus and address, 1:0x70", item)
		}
		a.Addr = uint16(n)
		list = append(list, a)
	}
	return list, nil
}

// LeaveAlone makes searches pass over these addresses, as far as they are the bus's: nothing is written to what is there.
func (b *Bus) LeaveAlone(list []Address) {
	for _, a := range list {
		if a.Bus < 0 || a.Bus == b.Number() {
			b.left[a.Addr] = true
		}
	}
}
