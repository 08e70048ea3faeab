package sensors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"holdfast"
)

// A Field is a whole number in the registers of a chip.
type Field struct {
	Number byte // of its first register
	Width  int  // bytes, 1 to 4
	Little bool // the low byte stands first
}

// A Register is a quantity of a chip for which there is no driver: value = number · Scale + Offset. Where Min and Max of the
// quantity are 0 its range is what the field can hold; its precision follows from scale and offset.
type Register struct {
	Field
	Signed        bool // two's complement
	Scale, Offset float64
	Quantity      holdfast.Quantity
}

// An Identity is what a chip has in a register, by which no other is taken for it.
type Identity struct {
	Field
	Value uint32
}

const (
	registerChip = "register" // the name of such a chip
	maxRegisters = 64         // of one sensor, as the catalog takes quantities
)

// registerDriver returns the driver of a chip that has these registers.
func registerDriver(registers []Register, identity *Identity) Driver {
	registers = slices.Clone(registers)
	d := Driver{Chip: registerChip, Part: "a chip of the configuration", Confidence: Certain}
	for i := range registers {
		registers[i].complete()
		d.Quantities = append(d.Quantities, registers[i].Quantity)
	}
	d.open = func(at Device) Sensor { return registerSensor{at, registers, identity} }
	return d
}

// complete fills in the quantity's range and precision.
func (r *Register) complete() {
	if q := &r.Quantity; q.Min == 0 && q.Max == 0 {
		bits := 8 * r.Width
		lowest, highest := 0.0, math.Ldexp(1, bits)-1
		if r.Signed {
			lowest, highest = -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1)-1
		}
		a, b := lowest*r.Scale+r.Offset, highest*r.Scale+r.Offset
		q.Min, q.Max = min(a, b), max(a, b)
	}
	r.Quantity.Precision = min(max(decimals(r.Scale), decimals(r.Offset)), 9)
}

// decimals returns how many there are of v.
func decimals(v float64) int {
	_, after, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	return len(after)
}

// check returns what is wrong with the field.
func (f Field) check() error {
	if f.Width < 1 || f.Width > 4 {
		return fmt.Errorf("width %d: want 1 to 4 bytes", f.Width)
	}
	return nil
}

// Check returns what is wrong with the register.
func (r Register) Check() error {
	if err := r.Field.check(); err != nil {
		return err
	}
	if math.Abs(r.Scale) < 1e-12 || !(math.Abs(r.Scale) <= 1e12) {
		return fmt.Errorf("scale %g: want a number from 1e-12 to 1e12, or below 0", r.Scale)
	}
	if !(math.Abs(r.Offset) <= 1e12) {
		return fmt.Errorf("offset %g: want a number within ±1e12", r.Offset)
	}
	q := r.Quantity
	if q.Unit == "" {
		return fmt.Errorf("quantity %q: want its unit", q.Name)
	}
	if (q.Min != 0 || q.Max != 0) && !(q.Min < q.Max) {
		return fmt.Errorf("min %g, max %g: want one below the other", q.Min, q.Max)
	}
	return (&holdfast.Catalog{V: holdfast.Version, Sensors: []holdfast.CatalogSensor{{Name: registerChip, Quantities: []holdfast.Quantity{q}}}}).Validate()
}

// Check returns what is wrong with the identity.
func (i Identity) Check() error {
	if err := i.Field.check(); err != nil {
		return err
	}
	if uint64(i.Value) >= 1<<(8*i.Width) {
		return fmt.Errorf("value 0x%x: does not fit in %d bytes; want its width", i.Value, i.Width)
	}
	return nil
}

// checkRegisters returns what is wrong with the registers of one sensor.
func checkRegisters(registers []Register, identity *Identity) error {
	if len(registers) > maxRegisters {
		return fmt.Errorf("%d registers: want at most %d", len(registers), maxRegisters)
	}
	if identity != nil {
		if err := identity.Check(); err != nil {
			return fmt.Errorf("identity: %w", err)
		}
	}
	for i, r := range registers {
		if err := r.Check(); err != nil {
			return fmt.Errorf("register %d: %w", i+1, err)
		}
		for j, other := range registers[:i] {
			if other.Quantity.Name == r.Quantity.Name {
				return fmt.Errorf("register %d: quantity %s: register %d has it too", i+1, r.Quantity.Name, j+1)
			}
		}
	}
	return nil
}

// unsigned returns the number that stands in the bytes, which are Width at least.
func (f Field) unsigned(b []byte) (n uint32) {
	for i := range f.Width {
		at := i
		if f.Little {
			at = f.Width - 1 - i
		}
		n = n<<8 | uint32(b[at])
	}
	return n
}

// value returns what stands in the bytes, without digits that only the binary fraction has.
func (r Register) value(b []byte) float64 {
	n := float64(r.unsigned(b))
	if full := math.Ldexp(1, 8*r.Width); r.Signed && n >= full/2 {
		n -= full
	}
	v := n*r.Scale + r.Offset
	text := strconv.FormatFloat(v, 'f', max(decimals(r.Scale), decimals(r.Offset)), 64)
	exact, _ := strconv.ParseFloat(text, 64) // just written
	return exact
}

// registerSensor is a chip that nothing is known of but what the configuration says. Nothing is ever written to it but
// numbers of registers.
type registerSensor struct {
	device    Device
	registers []Register
	identity  *Identity
}

func (s registerSensor) Read(ctx context.Context) (map[string]float64, error) {
	if s.identity != nil {
		if err := s.identify(ctx); err != nil {
			return nil, err
		}
	}
	values, ones := make(map[string]float64, len(s.registers)), true
	for _, r := range s.registers {
		var b [4]byte
		if err := s.device.read(ctx, r.Number, b[:r.Width]); err != nil {
			return nil, err
		}
		ones = ones && !slices.ContainsFunc(b[:r.Width], func(v byte) bool { return v != 0xff })
		values[r.Quantity.Name] = r.value(b[:])
	}
	if ones {
		return nil, errors.New("all registers read ones, as a line does that nobody pulls")
	}
	return values, nil
}

func (s registerSensor) identify(ctx context.Context) error {
	var b [4]byte
	if err := s.device.read(ctx, s.identity.Number, b[:s.identity.Width]); err != nil {
		return err
	}
	if got := s.identity.unsigned(b[:]); got != s.identity.Value {
		return fmt.Errorf("%w: register 0x%02x reads 0x%x, want 0x%x", errAnother, s.identity.Number, got, s.identity.Value)
	}
	return nil
}
