package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/clock"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// The example of docs/configuration.md: a MAX17048, the fuel gauge of many batteries for the Pi.
const registersExample = `sensors:
  - name: battery
    bus: 1
    address: 0x36
    identity: {register: 0x08, width: 2, value: 0x0012}      # VERSION
    registers:
      - {quantity: battery_voltage_volts, unit: V, register: 0x02, width: 2, scale: 0.000078125, max: 5}
      - {quantity: charge_percent, unit: "%", register: 0x04, width: 2, scale: 0.00390625}
      - {quantity: charge_rate_percent_per_hour, unit: "%/h", register: 0x16, width: 2, signed: true, scale: 0.208}
`

func TestTheReferenceHasTheExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil || !strings.Contains(string(text), registersExample) {
		t.Errorf("docs/configuration.md does not hold the example that is tested here: %v", err)
	}
}

// wordChip has words behind its registers, high byte first.
type wordChip map[byte]uint16

func (wordChip) PowerUp(time.Time) {}

func (c wordChip) Tx(_ time.Time, w, r []byte) error {
	for i := range r {
		r[i] = byte(c[w[0]] >> (8 - 8*i))
	}
	return nil
}

// A sensor of registers goes from the text of the configuration to readings, and into the catalog with its units; where
// another chip answers there are none.
func TestRegistersFromTheConfiguration(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig("", variables("GATEWAY_CONFIG", registersExample))
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[uint16]int{0x0012: 1, 0x0003: 0} {
		synctest.Test(t, func(t *testing.T) {
			bus := simulated.NewBus(1)
			bus.Attach(0x36, wordChip{0x08: version, 0x02: 0xc000, 0x04: 0x5780, 0x16: 0xfff6})
			s := sensors.New(sensors.Options{
				Buses: []*sensors.Bus{sensors.NewBus(1, bus)}, Sensors: configured(cfg.Sensors), NoSearch: true, Now: clock.New().Now,
			})
			readings := make(chan *holdfast.Reading, 10)
			done := make(chan struct{})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			go func() { defer close(done); s.Run(ctx, readings) }()
			<-done
			if len(readings) != want {
				t.Fatalf("version 0x%04x: %d readings, want %d: %+v", version, len(readings), want, s.Sensors())
			}
			c := s.Catalog().Sensors[0]
			if c.Name != "battery" || len(c.Quantities) != 3 || c.Quantities[0].Unit != "V" || c.Quantities[0].Max != 5 ||
				c.Quantities[1].Max != 65535./256 || c.Quantities[2].Min != -32768*0.208 || c.Quantities[2].Precision != 3 {
				t.Errorf("catalog: %+v", c)
			}
			if want == 0 {
				return
			}
			r := <-readings
			if r.Sensor != "battery" || r.Values["battery_voltage_volts"] != 3.84 || r.Values["charge_percent"] != 87.5 ||
				r.Values["charge_rate_percent_per_hour"] != -2.08 {
				t.Errorf("read %+v, want 3.84 V, 87.5 %% and -2.08 %%/h", r)
			}
		})
	}
}

// Every mistake names its line and its key, and the sensor is left out.
func TestRegisterMistakes(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig("", variables("GATEWAY_CONFIG", `sensors:
  - address: 0x18
    registers:
      - {quantity: x_volts, unit: V, register: 0x100}
      - {quantity: X, unit: V, register: 1}
      - {quantity: x_volts, unit: V, register: 1, width: 5}
      - {quantity: x_volts, unit: V, register: 1, endian: middle}
      - {quantity: x_volts, unit: V, register: 1, signed: perhaps}
      - {quantity: x_volts, unit: V, register: 1, scale: nan}
      - {quantity: x_volts, unit: V, register: 1, scale: 0}
      - {quantity: x_volts, register: 1}
      - {quantity: x_volts, unit: V, register: 1, min: 3, max: 2}
      - {quantity: x_volts, unit: V, register: 1, bits: 3}
      - {quantity: x_volts, unit: V, register: [1]}
      - seven
    identity: {register: 1, value: 0x100}
  - {address: 0x19, registers: []}
  - {address: 0x1a, chip: tmp102, registers: [{quantity: x_volts, unit: V, register: 1}]}
  - {address: 0x1b, chip: tmp102, identity: {register: 1, value: 2}}
  - address: 0x1c
    registers:
      - {quantity: x_volts, unit: V, register: 1}
      - {quantity: x_volts, unit: V, register: 2}
  - {address: 0x48, chip: tmp103}
  - {address: 0x68, chip: ds1338}
`))
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, want := range []string{
		`GATEWAY_CONFIG:4: sensors[0].registers[0].register: "0x100": want the number of a register`,
		`GATEWAY_CONFIG:5: sensors[0].registers[1].quantity: invalid`,
		`GATEWAY_CONFIG:6: sensors[0].registers[2].width: "5": want 1 to 4 bytes`,
		`GATEWAY_CONFIG:7: sensors[0].registers[3].endian: "middle": want big`,
		`GATEWAY_CONFIG:8: sensors[0].registers[4].signed: "perhaps": want true or false`,
		`GATEWAY_CONFIG:9: sensors[0].registers[5].scale: "nan": want a number`,
		`GATEWAY_CONFIG:10: sensors[0].registers[6]: scale 0: want`,
		`GATEWAY_CONFIG:11: sensors[0].registers[7]: want unit`,
		`GATEWAY_CONFIG:12: sensors[0].registers[8]: min 3, max 2`,
		`GATEWAY_CONFIG:13: sensors[0].registers[9].bits: no such key; want register, width`,
		`GATEWAY_CONFIG:14: sensors[0].registers[10].register: want one value`,
		`GATEWAY_CONFIG:15: sensors[0].registers[11]: want keys and values`,
		`GATEWAY_CONFIG:16: sensors[0].identity: value 0x100: does not fit in 1 bytes`,
		`GATEWAY_CONFIG:17: sensors[1].registers: want a list`,
		`GATEWAY_CONFIG:18: sensors[2]: chip "tmp102" and registers: want one of the two`,
		`GATEWAY_CONFIG:19: sensors[3]: identity: want registers beside it`,
		`GATEWAY_CONFIG:20: sensors[4]: register 2: quantity x_volts: register 1 has it too`,
		`GATEWAY_CONFIG:24: sensors[5]: chip "tmp103": want one of bme280`,
		`GATEWAY_CONFIG:25: sensors[6]: chip "ds1338": measures nothing`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes lack %q:\n%v", want, err)
		}
	}
	if len(cfg.Sensors) != 0 {
		t.Errorf("a sensor with a mistake is read: %+v", cfg.Sensors)
	}
}
