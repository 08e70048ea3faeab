package virtualpi

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"holdfast"
)

// benchDevices are what every test here has on its buses: on the first each kind of chip that QEMU models and the gateway
// knows; on the second chips that closing channel 0 of a multiplexer takes away, which the gateway leaves alone; on the third
// one behind a multiplexer that the gateway finds.
var benchDevices = []string{
	"tmp105,id=t0,address=0x48,bus=i2c-bus.0",
	"emc1413,id=e0,address=0x4c,bus=i2c-bus.0,temperature0=20000,temperature1=30000,temperature2=40000",
	"lsm303dlhc_mag,id=l0,address=0x1e,bus=i2c-bus.0",
	"dps310,id=d0,address=0x77,bus=i2c-bus.0",
	"ds1338,id=c0,address=0x68,bus=i2c-bus.0",
	"pca9546,id=plug,address=0x71,bus=i2c-bus.1",
	"tmp105,id=t1,address=0x49,bus=i2c-bus.1/plug/i2c.0",
	"emc1414,id=e1,address=0x4d,bus=i2c-bus.1/plug/i2c.0,temperature0=20000,temperature1=30000,temperature2=40000,temperature3=50000",
	"lsm303dlhc_mag,id=l1,address=0x1e,bus=i2c-bus.1/plug/i2c.0",
	"dps310,id=d1,address=0x76,bus=i2c-bus.1/plug/i2c.0",
	"pca9546,id=mux,address=0x70,bus=i2c-bus.2",
	"tmp105,id=t2,address=0x4a,bus=i2c-bus.2/mux/i2c.2",
}

// findings are all that a scan tells of them; it leaves both multiplexers alone, to be done in a tenth of the time.
const findings = `i2c-0 0x1e: lsm303dlhc (likely), read as lsm303dlhc-0-1e
i2c-0 0x48: tmp105 (likely), read as tmp105-0-48
i2c-0 0x4c: emc1413 (certain), read as emc1413-0-4c
i2c-0 0x68: ds1338 (likely), which measures nothing; left alone
i2c-0 0x77: dps310 (certain), read as dps310-0-77
i2c-1 0x1e: lsm303dlhc (likely), read as lsm303dlhc-1-1e
i2c-1 0x49: tmp105 (likely), read as tmp105-1-49
i2c-1 0x4d: emc1414 (certain), read as emc1414-1-4d
i2c-1 0x71: left alone, as configured
i2c-1 0x76: dps310 (certain), read as dps310-1-76
i2c-2 0x70: left alone, as configured`

// plugged are the sensors that the test can unplug, and behindMux the one that is found behind a multiplexer.
var plugged = []string{"tmp105-1-49", "emc1414-1-4d", "lsm303dlhc-1-1e", "dps310-1-76"}

const behindMux = "tmp105-2-mux70.2-4a"

// A knob is a value of a model that the test can set.
type knob struct {
	sensor, quantity string
	id, property     string
	unit             float64    // of the model's, in one of the quantity's
	resolution       float64    // of the model, in the quantity's unit
	round            [2]float64 // what it is set to
}

// knobs are all values that QEMU lets a test set and the gateway reads; that of the DPS310 is a constant, and the field of
// the LSM303DLHC cannot be made negative.
var knobs = slices.Concat(
	[]knob{
		{"tmp105-0-48", "temperature_celsius", "t0", "temperature", 1000, 1. / 16, [2]float64{-11.3, 27.77}},
		{behindMux, "temperature_celsius", "t2", "temperature", 1000, 1. / 16, [2]float64{63.9, -40.04}},
		{"tmp105-1-49", "temperature_celsius", "t1", "temperature", 1000, 1. / 16, [2]float64{4.58, 99.03}},
	},
	diodes("emc1413-0-4c", "e0", 3), diodes("emc1414-1-4d", "e1", 4),
	axes("lsm303dlhc-0-1e", "l0"), axes("lsm303dlhc-1-1e", "l1"),
)

func diodes(sensor, id string, channels int) (all []knob) {
	for i, quantity := range []string{"temperature_celsius", "temperature_diode1_celsius", "temperature_diode2_celsius", "temperature_diode3_celsius"}[:channels] {
		to := float64(i) * 10
		all = append(all, knob{sensor, quantity, id, fmt.Sprint("temperature", i), 1000, 1, [2]float64{23.6 + to, 71.2 + to}})
	}
	return all
}

func axes(sensor, id string) (all []knob) {
	for i, axis := range []string{"x", "y", "z"} {
		steps := []float64{1100, 1100, 980}[i] // a gauss
		to := float64(i) * 1e-5
		all = append(all, knob{sensor, "magnetic_flux_density_" + axis + "_teslas", id, "mag-" + axis, 1e9, 1e-4 / steps, [2]float64{1.8e-5 + to, 12.34e-5 - to}})
	}
	return all
}

// shows reports whether a value is what the knob was set to in a round, within the resolution of the chip.
func (k knob) shows(value float64, round int) bool {
	return math.Abs(value-k.round[round]) <= k.resolution
}

// discovered waits until there are values of every sensor in the receiver, with nothing configured, and tells how long each
// took.
func (p *pi) discovered(started time.Time) {
	for _, name := range append([]string{"tmp105-0-48", "emc1413-0-4c", "lsm303dlhc-0-1e", "dps310-0-77", behindMux}, plugged...) {
		eventually(p.T, time.Minute, func(ctx context.Context) error {
			got, err := p.samples(ctx, name, time.Unix(0, 0))
			if err != nil || len(got) == 0 {
				return fmt.Errorf("%s: no values, %v", name, err)
			}
			p.Logf("%s: first value %.1f s after the start of the gateway", name, got[0].at().Sub(started).Seconds())
			return nil
		})
	}
	const celsius, pascals = 24.74, 81433.7 // of the registers of QEMU's DPS310
	for _, name := range []string{"dps310-0-77", "dps310-1-76"} {
		got, err := p.samples(p.Context(), name, time.Unix(0, 0))
		p.do(err)
		for _, s := range got {
			if want := map[string]float64{"temperature_celsius": celsius, "pressure_pascals": pascals}[s.quantity]; s.Value != want {
				p.Errorf("%s: %s is %v, want %v", name, s.quantity, s.Value, want)
			}
		}
	}
}

// follows sets all knobs twice. What was taken more than an interval later shows it, what was taken meanwhile that or what was
// before.
func (p *pi) follows() {
	for round := range 2 {
		before := p.clock()
		for _, k := range knobs {
			p.do(p.Set(p.Context(), k.id, k.property, int(math.Ceil(k.round[round]*k.unit))))
		}
		after := p.clock()
		delays := map[string]time.Duration{} // longest of each sensor
		for _, k := range knobs {
			delays[k.sensor] = max(delays[k.sensor], p.followed(k, round, before, after))
		}
		p.Logf("round %d: %d values set; in a reading after at most %v", round, len(knobs), delays)
		if round == 0 {
			p.run("sleep 3") // some samples between the two
		}
	}
}

// followed waits for what the knob was set to between two instants of the guest, and returns how long after that it was read.
func (p *pi) followed(k knob, round int, before, after time.Time) (delay time.Duration) {
	p.Helper()
	eventually(p.T, 30*time.Second, func(ctx context.Context) error {
		got, err := p.samples(ctx, k.sensor, before)
		got = slices.DeleteFunc(got, func(s sample) bool { return s.quantity != k.quantity })
		i := slices.IndexFunc(got, func(s sample) bool { return k.shows(s.Value, round) })
		if err != nil || i < 0 {
			return fmt.Errorf("%s: %s was set to %v, the receiver has %+v, %v", k.sensor, k.quantity, k.round[round], got, err)
		}
		for j, s := range got {
			if j < i && round > 0 && !k.shows(s.Value, 0) || j > i && !k.shows(s.Value, round) {
				p.Errorf("%s: %s was %v and was set to %v, the receiver has %v", k.sensor, k.quantity, k.round[0], k.round[round], s.Value)
			}
		}
		delay = got[i].at().Sub(after)
		return nil
	})
	if delay > interval+time.Second { // a second for a busy machine
		p.Errorf("%s: %s was set to %v, and read %v later", k.sensor, k.quantity, k.round[round], delay)
	}
	return delay.Round(time.Millisecond)
}

// unplug takes chips off the bus and puts them back: the receiver learns of both, and reads on within ten seconds. What they
// measure has changed meanwhile.
func (p *pi) unplug() {
	p.run("i2cset -y 1 0x71 0x00")
	begin := time.Now()
	for _, name := range plugged {
		p.becomes(name, holdfast.SensorLost, time.Minute)
		p.Logf("%s: lost, in the receiver %v after it was unplugged", name, time.Since(begin).Round(time.Millisecond))
	}
	p.do(p.SetTemperature(p.Context(), "t1", 12.5))
	p.run("i2cset -y 1 0x71 0x01")
	begin = time.Now()
	for _, name := range plugged {
		p.becomes(name, holdfast.SensorOK, 10*time.Second-time.Since(begin))
		p.Logf("%s: ok, in the receiver %v after it was plugged in", name, time.Since(begin).Round(time.Millisecond))
	}
	eventually(p.T, 10*time.Second-time.Since(begin), func(ctx context.Context) error {
		if got, err := p.latest(ctx, "tmp105-1-49"); got != 12.5 || err != nil {
			return fmt.Errorf("tmp105-1-49 was unplugged, and measures 12.5 °C now; the receiver has %v, %v", got, err)
		}
		return nil
	})
	for _, name := range plugged {
		states, err := p.sensorStates(p.Context(), name)
		p.do(err)
		p.Logf("states of %s, newest first: %q", name, states)
	}
}

// becomes waits until the newest event of a sensor tells a state.
func (p *pi) becomes(name string, want holdfast.SensorState, limit time.Duration) {
	p.Helper()
	eventually(p.T, limit, func(ctx context.Context) error {
		states, err := p.sensorStates(ctx, name)
		if err != nil || len(states) == 0 || states[0] != want {
			return fmt.Errorf("%s: the receiver has %q, %v, want %s in front", name, states, err, want)
		}
		return nil
	})
}

// remember writes into the memory of the clock chip, and unchanged asserts that nobody else did.
func (p *pi) remember() { p.run("i2ctransfer -y 0 w9@0x68 0x08 " + clockMemory) }

func (p *pi) unchanged() {
	if got := p.run("i2ctransfer -y 0 w1@0x68 0x08 r8"); got != clockMemory {
		p.Errorf("the memory of the DS1338 is %s, and was %s", got, clockMemory)
	}
}

const clockMemory = "0xde 0xad 0xbe 0xef 0x01 0x02 0x03 0x04"

// clock returns what the guest's clock shows, some milliseconds ago at most.
func (p *pi) clock() time.Time {
	p.Helper()
	said := p.run("touch /tmp/now && stat -c %y /tmp/now")
	t, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", strings.TrimSpace(said))
	p.do(err)
	return t
}
