package sensors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"holdfast"
)

// A kernelChip is a chip that a driver of the kernel owns, and what it measures, as far as the kernel shows it: through the
// subsystem IIO (Documentation/ABI/testing/sysfs-bus-iio) or hwmon (Documentation/hwmon/sysfs-interface.rst).
type kernelChip struct {
	name     string // of the chip: bme280
	channels []kernelChannel
}

// A kernelChannel is one quantity in the kernel's files.
type kernelChannel struct {
	quantity holdfast.Quantity
	value    string  // file with the value
	offset   string  // file with what is added before scaling; empty for none
	scale    string  // file with the factor; empty for none
	factor   float64 // from the kernel's unit to ours
}

// A kernelKind says what a kind of channel measures.
type kernelKind struct {
	pattern  *regexp.Regexp // of the file without _input or _raw; its group is a number or an axis
	quantity holdfast.Quantity
	factor   float64
}

func kind(pattern string, q holdfast.Quantity, factor float64) kernelKind {
	return kernelKind{regexp.MustCompile("^" + pattern + "$"), q, factor}
}

var (
	volts   = holdfast.Quantity{Name: "voltage_volts", Unit: "V", Precision: 3, Min: -1e6, Max: 1e6}
	amperes = holdfast.Quantity{Name: "current_amperes", Unit: "A", Precision: 3, Min: -1e6, Max: 1e6}
	watts   = holdfast.Quantity{Name: "power_watts", Unit: "W", Precision: 3, Min: -1e9, Max: 1e9}
)

// iioKinds are in the units of IIO: m°C, m%, kPa, lx, mV, mA, mW.
var iioKinds = []kernelKind{
	kind(`in_temp(\d*)`, celsius(2, -100, 300), 0.001),
	kind(`in_humidityrelative(\d*)`, humidity, 0.001),
	kind(`in_pressure(\d*)`, pascals(1000, 200000), 1000),
	kind(`in_illuminance(\d*)`, lux(1, 200000), 1),
	kind(`in_voltage(\d*)`, volts, 0.001),
	kind(`in_current(\d*)`, amperes, 0.001),
	kind(`in_power(\d*)`, watts, 0.001),
}

// hwmonKinds are in the units of hwmon: m°C, m%, mV, mA, µW.
var hwmonKinds = []kernelKind{
	kind(`temp(\d+)`, celsius(2, -100, 300), 0.001),
	kind(`humidity(\d+)`, humidity, 0.001),
	kind(`in(\d+)`, volts, 0.001),
	kind(`curr(\d+)`, amperes, 0.001),
	kind(`power(\d+)`, watts, 1e-6),
}

// findKernelChip returns what the kernel shows of the chip at addr, and whether it shows any measurement. devices is
// [sysfsDevices] but for tests.
func findKernelChip(devices string, bus int, addr uint16) (kernelChip, bool) {
	folder := filepath.Join(devices, fmt.Sprintf("%d-%04x", bus, addr))
	name, err := os.ReadFile(filepath.Join(folder, "name"))
	if err != nil {
		return kernelChip{}, false
	}
	c := kernelChip{name: chipName(string(name))}
	for _, from := range []struct {
		pattern string
		kinds   []kernelKind
	}{{"iio:device*", iioKinds}, {"hwmon/hwmon*", hwmonKinds}} {
		found, err := filepath.Glob(filepath.Join(folder, from.pattern))
		if err != nil || len(found) == 0 {
			continue
		}
		if c.channels = kernelChannels(found[0], from.kinds); len(c.channels) > 0 {
			return c, true
		}
	}
	return c, false
}

// chipName makes of the kernel's name of a chip one that the name of a sensor can begin with.
func chipName(text string) string {
	return regexp.MustCompile(`[^a-z0-9_]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), "_")
}

// kernelChannels returns the channels in a folder of the kernel, in the order of the kinds and of their numbers.
func kernelChannels(folder string, kinds []kernelKind) (channels []kernelChannel) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	have := func(name string) string {
		if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == name }) {
			return filepath.Join(folder, name)
		}
		return ""
	}
	for _, k := range kinds {
		first := len(channels)
		for _, e := range entries {
			base, ready := strings.CutSuffix(e.Name(), "_input")
			if !ready {
				var raw bool
				if base, raw = strings.CutSuffix(e.Name(), "_raw"); !raw || have(base+"_input") != "" {
					continue
				}
			}
			m := k.pattern.FindStringSubmatch(base)
			if m == nil {
				continue
			}
			c := kernelChannel{quantity: k.quantity, value: filepath.Join(folder, e.Name()), factor: k.factor}
			if !ready {
				shared := strings.TrimSuffix(base, m[1])
				c.scale, c.offset = have(base+"_scale"), have(base+"_offset")
				if c.scale == "" && m[1] != "" {
					c.scale = have(shared + "_scale")
				}
				if c.offset == "" && m[1] != "" {
					c.offset = have(shared + "_offset")
				}
			}
			c.quantity.Name = numbered(c.quantity.Name, m[1])
			channels = append(channels, c)
		}
		if len(channels) == first+1 { // alone of its kind it needs no number
			channels[first].quantity.Name = k.quantity.Name
		}
	}
	return channels
}

// numbered puts a number into a name before its unit: temperature_2_celsius.
func numbered(name, n string) string {
	i := strings.LastIndexByte(name, '_')
	if n == "" || i < 0 {
		return name
	}
	return name[:i] + "_" + n + name[i:]
}

func (c kernelChip) quantities() (all []holdfast.Quantity) {
	for _, channel := range c.channels {
		all = append(all, channel.quantity)
	}
	return all
}

// Read implements [Sensor]. A channel that cannot be read now, which some drivers say while they measure, is missing.
func (c kernelChip) Read(context.Context) (map[string]float64, error) {
	values := make(map[string]float64)
	var errs []error
	for _, channel := range c.channels {
		v, err := channel.read()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		values[channel.quantity.Name] = v
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("the kernel's driver: %w", errors.Join(errs...))
	}
	return values, nil
}

func (c kernelChannel) read() (float64, error) {
	v, err := numberIn(c.value, 0)
	offset, wrong := numberIn(c.offset, 0)
	scale, bad := numberIn(c.scale, 1)
	if err := errors.Join(err, wrong, bad); err != nil {
		return 0, err
	}
	digits := math.Pow(10, float64(c.quantity.Precision+1))
	return math.Round((v+offset)*scale*c.factor*digits) / digits, nil
}

// numberIn reads the number in a file of the kernel; without a file it is the fallback.
func numberIn(file string, fallback float64) (float64, error) {
	if file == "" {
		return fallback, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
}
