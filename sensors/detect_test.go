package sensors_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// foreign is a chip with 16-bit registers that is none of ours. It keeps what is written to it.
type foreign struct {
	registers map[byte][2]byte
	written   [][]byte
}

func (f *foreign) PowerUp(time.Time) {}

func (f *foreign) Tx(_ time.Time, w, r []byte) error {
	if len(w) != 1 {
		f.written = append(f.written, slices.Clone(w))
	}
	if len(w) > 0 {
		content := f.registers[w[0]]
		copy(r, content[:])
	}
	return nil
}

func TestScanFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		room := air(simulated.Air{Celsius: 20, Percent: 50, Pascals: 1e5})
		one, two := simulated.NewBus(1), simulated.NewBus(20)
		one.Attach(0x48, simulated.NewThermometer(simulated.TMP102, room))
		one.Attach(0x49, simulated.NewThermometer(simulated.TMP105, room))
		one.Attach(0x4f, simulated.NewThermometer(simulated.LM75, room))
		one.Attach(0x76, simulated.NewBME280(room))
		one.Attach(0x20, simulated.NewBME280(room)) // not an address of the table
		two.Attach(0x77, simulated.NewBMP280(room))

		for _, when := range []string{"from power-up", "after they were set up and read"} {
			var got []string
			for _, f := range sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, one), sensors.NewBus(20, two)}) {
				got = append(got, f.Sensor)
				if f.Err != nil || f.Kernel != "" {
					t.Errorf("%s: %+v", when, f)
				}
			}
			want := []string{"tmp102-1-48", "tmp105-1-49", "lm75-1-4f", "bme280-1-76", "bmp280-20-77"}
			if !slices.Equal(got, want) {
				t.Errorf("%s: found %v, want %v", when, got, want)
			}
			for i, chip := range []string{"tmp102", "tmp105", "lm75", "bme280"} {
				sensor := openChip(t, chip, sensors.NewBus(1, one), []uint16{0x48, 0x49, 0x4f, 0x76}[i])
				if _, err := read(t, sensor); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// The addresses of the family are shared; what stands there and is something else is reported and not touched.
func TestScanLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]map[byte][2]byte{
		"an ads1115 that compares":   {0: {0x12, 0x34}, 1: {0x85, 0x80}, 2: {0x80, 0x00}, 3: {0x7f, 0xff}},
		"tmp117":                     {0: {0x0c, 0x80}, 1: {0x02, 0x20}, 2: {0x60, 0x00}, 3: {0x80, 0x00}},
		"zeros":                      {},
		"ones":                       {0: {255, 255}, 1: {255, 255}, 2: {255, 255}, 3: {255, 255}, 6: {255, 255}},
		"limits that somebody set":   {1: {0x60, 0xa0}, 2: {0x10, 0x00}, 3: {0x20, 0x00}, 6: {0x10, 0x00}},
		"limits alone prove nothing": {1: {0xe0, 0x00}, 2: {0x4b, 0x00}, 3: {0x50, 0x00}, 6: {0x50, 0x00}},
		"an echo of the other byte":  {1: {0x9f, 0x9f}, 2: {0x4b, 0x4b}, 3: {0x50, 0x50}, 6: {0x4b, 0x4b}},
	}
	for name, registers := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chip := &foreign{registers: registers}
			bus := simulated.NewBus(1)
			bus.Attach(0x48, chip)
			bus.Attach(0x76, &foreign{registers: map[byte][2]byte{0xd0: {0x55, 0}}}) // a BMP180
			found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, bus)})
			if len(found) != 2 || found[0].Chip != "" || found[1].Chip != "" || found[0].Address != 0x48 {
				t.Errorf("found %v, want two that answer and are not known", found)
			}
			for _, f := range found {
				if !strings.Contains(f.String(), "left alone") {
					t.Errorf("%q does not say that it is left alone", f)
				}
			}
			if len(chip.written) > 0 {
				t.Errorf("%x was written to it", chip.written)
			}
		})
	}
}

func TestScanGivesUpOnAStuckBus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pi, other := simulated.New(simulated.Options{}), simulated.NewBus(0)
		other.Attach(0x77, simulated.NewBME280(air(simulated.Air{})))
		pi.Bus().Stick()
		defer pi.Bus().Release()
		start := time.Now()
		found := sensors.Scan(t.Context(), append(pi.Buses(), sensors.NewBus(0, other)))
		if len(found) != 2 || found[0].Bus != 1 || found[0].Err == nil || found[0].Address != 0 || found[1].Sensor != "bme280-0-77" {
			t.Errorf("found %v", found)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("that took %v, want the time limit of one address", took)
		}
	})
}

// wire is a bus that always fails in the same way.
type wire string

func (e wire) Tx(uint16, []byte, []byte) error { return fmt.Errorf("sysfs-i2c: %s", string(e)) }
func (wire) SetSpeed(physic.Frequency) error   { return nil }
func (wire) String() string                    { return "wire" }

func tableAddresses() []uint16 {
	var all []uint16
	for _, d := range sensors.Drivers() {
		all = append(all, d.Addresses...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestScanErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"remote I/O error":        0,
		"connection timed out":    0, // what an i.MX says of an absent chip
		"input/output error":      len(tableAddresses()),
		"device or resource busy": 1,
	} {
		found := sensors.Scan(t.Context(), []*sensors.Bus{sensors.NewBus(1, wire(text))})
		if len(found) != want {
			t.Errorf("%s: %d findings, want %d: %v", text, len(found), want, found)
		}
		for _, f := range found {
			if f.Err == nil || !strings.Contains(f.String(), text) {
				t.Errorf("%s: finding %q does not say so", text, f)
			}
		}
	}
}

func TestDriverTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range sensors.Drivers() {
		if seen[d.Chip] {
			t.Errorf("%s stands there twice", d.Chip)
		}
		seen[d.Chip] = true
		c := holdfast.Catalog{V: holdfast.Version, Sensors: []holdfast.CatalogSensor{{
			Name: sensors.SensorName(d.Chip, "1", d.Addresses[0]), Chip: d.Chip, Quantities: d.Quantities,
		}}}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", d.Chip, err)
		}
		for _, q := range d.Quantities {
			if q.Min >= q.Max || q.Unit == "" {
				t.Errorf("%s: %+v", d.Chip, q)
			}
		}
	}
}
