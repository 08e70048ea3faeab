package sensors_test

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// QEMU's models of chips know less than the chips: these behave as they do, so that what is shown on a real kernel is tried
// here first.

// qemuDPS310 has registers that keep what is written to them, the status among them, and nothing ever measures.
type qemuDPS310 struct {
	regs    [0x33]byte
	pointer int
}

func (c *qemuDPS310) PowerUp(time.Time) {
	c.regs = [0x33]byte{
		0xfe, 0x2f, 0xee, 0x02, 0x69, 0xa6, 0x00, 0x80, 0xf0, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0x0e, 0x1e, 0xdd, 0x13,
		0xca, 0x5f, 0x21, 0x52, 0xf9, 0xc6, 0x04, 0xd1, 0xdb, 0x47, 0x00, 0x5b, 0xfb, 0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0x90, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
	}
}

func (c *qemuDPS310) Tx(_ time.Time, w, r []byte) error {
	for i, v := range w {
		switch {
		case i == 0:
			c.pointer = int(v)
			continue
		case c.pointer >= 0x06 && c.pointer <= 0x09:
			c.regs[c.pointer] = v
		}
		c.pointer++
	}
	for i := range r {
		r[i] = 0xff
		if c.pointer < len(c.regs) {
			r[i] = c.regs[c.pointer]
		}
		c.pointer++
	}
	return nil
}

// qemuEMC1413 has whole degrees in one form, no configuration, and one byte a transaction.
type qemuEMC1413 struct {
	celsius [3]byte
	pointer byte
}

func (c *qemuEMC1413) PowerUp(time.Time) {}

func (c *qemuEMC1413) Tx(_ time.Time, w, r []byte) error {
	if len(w) > 0 {
		c.pointer = w[0]
	}
	for i := range r {
		r[i] = 0xff
	}
	if len(r) > 0 {
		r[0] = map[byte]byte{0xfd: 0x21, 0xfe: 0x5d, 0xff: 0x04, 0x00: c.celsius[0], 0x01: c.celsius[1], 0x23: c.celsius[2]}[c.pointer]
	}
	return nil
}

// qemuLSM303DLHC is always ready, keeps its mode, and writes every byte of a transaction to the same register.
type qemuLSM303DLHC struct {
	regs    [13]byte
	pointer int
}

func (c *qemuLSM303DLHC) PowerUp(time.Time) {
	c.regs = [13]byte{0x10, 0x20, 0x03, 0x00, 0xdc, 0xfe, 0x51, 0xff, 0xdf, 0x01, 'H', '4', '3'}
}

func (c *qemuLSM303DLHC) Tx(_ time.Time, w, r []byte) error {
	for i, v := range w {
		if i == 0 {
			c.pointer = int(v)
		} else if c.pointer < 3 {
			c.regs[c.pointer] = v
		}
	}
	for i := range r {
		r[i] = 0
		if c.pointer < len(c.regs) {
			r[i] = c.regs[c.pointer]
		}
		if c.pointer++; c.pointer == 9 {
			c.pointer = 3
		}
	}
	return nil
}

func TestModelsOfQEMUAreRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		chip  string
		addr  uint16
		model simulated.Chip
		want  map[string]float64
	}{
		{"dps310", 0x76, &qemuDPS310{}, map[string]float64{"temperature_celsius": 24.74, "pressure_pascals": 81433.7}},
		{"emc1413", 0x4c, &qemuEMC1413{celsius: [3]byte{29, 0, 71}},
			map[string]float64{"temperature_celsius": 29, "temperature_diode2_celsius": 71}},
		{"lsm303dlhc", 0x1e, &qemuLSM303DLHC{}, map[string]float64{"magnetic_flux_density_x_teslas": 2e-05,
			"magnetic_flux_density_y_teslas": -3e-06, "magnetic_flux_density_z_teslas": -4.398e-05}},
	} {
		synctest.Test(t, func(t *testing.T) {
			sim := simulated.NewBus(1)
			sim.Attach(test.addr, test.model)
			bus := sensors.NewBus(1, sim)
			found := sensors.Scan(t.Context(), []*sensors.Bus{bus})
			if len(found) != 1 || found[0].Chip != test.chip {
				t.Errorf("%s: found %v", test.chip, found)
			}
			sensor := openChip(t, test.chip, bus, test.addr)
			for range 3 {
				if got, err := read(t, sensor); err != nil || !maps.Equal(got, test.want) {
					t.Errorf("%s: %v, %v, want %v", test.chip, got, err, test.want)
				}
			}
		})
	}
}
