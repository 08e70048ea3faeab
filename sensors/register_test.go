package sensors

import (
	"context"
	"errors"
	"math"
	"testing"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"holdfast"
)

func TestRegisterValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		register Register
		bytes    []byte
		want     float64
	}{
		{Register{Field: Field{Width: 1}, Scale: 1}, []byte{0xfe}, 254},
		{Register{Field: Field{Width: 1}, Signed: true, Scale: 1}, []byte{0xfe}, -2},
		{Register{Field: Field{Width: 2}, Scale: 0.1, Offset: -40}, []byte{0x02, 0x03}, 11.5},
		{Register{Field: Field{Width: 2, Little: true}, Scale: 0.1}, []byte{0x03, 0x00}, 0.3},
		{Register{Field: Field{Width: 2}, Signed: true, Scale: 1. / 256}, []byte{0xff, 0x80}, -0.5},
		{Register{Field: Field{Width: 3}, Signed: true, Scale: 1}, []byte{0x80, 0, 0}, -8388608},
		{Register{Field: Field{Width: 4, Little: true}, Scale: 2}, []byte{0xff, 0xff, 0xff, 0xff}, 8589934590},
		{Register{Field: Field{Width: 4}, Scale: 1e-12}, []byte{0, 0, 0, 3}, 3e-12},
	} {
		if got := test.register.value(test.bytes); got != test.want {
			t.Errorf("%+v of % x: %v, want %v", test.register, test.bytes, got, test.want)
		}
	}
}

func TestRegisterRange(t *testing.T) {
	t.Parallel()
	r := Register{Field: Field{Width: 2}, Signed: true, Scale: -0.125, Offset: 1}
	r.complete()
	if q := r.Quantity; q.Min != -32767*0.125+1 || q.Max != 32768*0.125+1 || q.Precision != 3 {
		t.Errorf("%+v", q)
	}
	r.Quantity = holdfast.Quantity{Min: 0, Max: 5}
	r.complete()
	if q := r.Quantity; q.Min != 0 || q.Max != 5 {
		t.Errorf("%+v, want what was said", q)
	}
}

// A line that nobody pulls gives ones, an identity that is another's no values, a refusal an error; each time nothing but
// numbers of registers was written.
func TestRegisterSensorErrors(t *testing.T) {
	t.Parallel()
	registers := []Register{
		{Field: Field{Number: 5, Width: 2}, Scale: 1, Quantity: holdfast.Quantity{Name: "a_count", Unit: "1"}},
		{Field: Field{Number: 9, Width: 1}, Scale: 1, Quantity: holdfast.Quantity{Name: "b_count", Unit: "1"}},
	}
	identity := &Identity{Field: Field{Number: 0x0f, Width: 1}, Value: 0x33}
	tests := map[string]struct {
		identity *Identity
		ops      []i2ctest.IO
		good     bool
	}{
		"ones":           {nil, []i2ctest.IO{{Addr: 7, W: []byte{5}, R: []byte{255, 255}}, {Addr: 7, W: []byte{9}, R: []byte{255}}}, false},
		"ones in one":    {nil, []i2ctest.IO{{Addr: 7, W: []byte{5}, R: []byte{255, 255}}, {Addr: 7, W: []byte{9}, R: []byte{1}}}, true},
		"another chip":   {identity, []i2ctest.IO{{Addr: 7, W: []byte{15}, R: []byte{0x34}}}, false},
		"the chip":       {identity, []i2ctest.IO{{Addr: 7, W: []byte{15}, R: []byte{0x33}}, {Addr: 7, W: []byte{5}, R: []byte{0, 1}}, {Addr: 7, W: []byte{9}, R: []byte{1}}}, true},
		"refused":        {identity, []i2ctest.IO{{Addr: 7, W: []byte{15}, R: []byte{0x33}}, {Addr: 7, W: []byte{5}, R: []byte{0, 1}}}, false},
		"refused at all": {nil, nil, false},
	}
	for name, test := range tests {
		bus := &i2ctest.Playback{Ops: test.ops, DontPanic: true}
		values, err := registerDriver(registers, test.identity).open(Device{NewBus(1, bus), 7}).Read(t.Context())
		if (err == nil) != test.good || (values != nil) != test.good {
			t.Errorf("%s: %v, %v", name, values, err)
		}
		if bus.Count != len(test.ops) {
			t.Errorf("%s: %d transactions, want %d", name, bus.Count, len(test.ops))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := registerDriver(registers, nil).open(Device{NewBus(1, &i2ctest.Playback{}), 7}).Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that ended: %v", err)
	}
}

func TestRegisterChecks(t *testing.T) {
	t.Parallel()
	good := Register{Field: Field{Width: 2}, Scale: 1, Quantity: holdfast.Quantity{Name: "a_count", Unit: "1"}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Register){
		"no width":      func(r *Register) { r.Width = 0 },
		"no scale":      func(r *Register) { r.Scale = 0 },
		"endless scale": func(r *Register) { r.Scale = math.Inf(1) },
		"no offset":     func(r *Register) { r.Offset = math.NaN() },
		"no unit":       func(r *Register) { r.Quantity.Unit = "" },
		"a strange one": func(r *Register) { r.Quantity.Unit = "\x00" },
		"no name":       func(r *Register) { r.Quantity.Name = "" },
		"no range":      func(r *Register) { r.Quantity.Min = 1; r.Quantity.Max = math.NaN() },
	} {
		bad := good
		spoil(&bad)
		if bad.Check() == nil {
			t.Errorf("%s passes: %+v", name, bad)
		}
	}
}
