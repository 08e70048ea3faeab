package sensors

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the kernel shows of its chips, in the ways in which its drivers do: ready values, raw ones with a scale and an offset of
// their own or of all channels, and hwmon.
func TestKernelChips(t *testing.T) {
	t.Parallel()
	devices := t.TempDir()
	for name, text := range map[string]string{
		"1-0076/name":                                   "bme280",
		"1-0076/iio:device0/in_temp_input":              "21530",
		"1-0076/iio:device0/in_pressure_input":          "101.325",
		"1-0076/iio:device0/in_humidityrelative_input":  "45210",
		"1-0076/iio:device0/in_temp_oversampling_ratio": "2",
		"1-0048/name":                          "TI,ads1115",
		"1-0048/iio:device1/in_voltage0_raw":   "16000",
		"1-0048/iio:device1/in_voltage0_scale": "0.125",
		"1-0048/iio:device1/in_voltage1_raw":   "-8000",
		"1-0048/iio:device1/in_voltage1_scale": "0.125",
		"1-0040/name":                          "hdc1080",
		"1-0040/iio:device2/in_temp_raw":       "26000",
		"1-0040/iio:device2/in_temp_offset":    "-15887.515151",
		"1-0040/iio:device2/in_temp_scale":     "2.517700195",
		"1-0049/name":                          "tmp102",
		"1-0049/hwmon/hwmon3/temp1_input":      "-5500",
		"1-0049/hwmon/hwmon3/temp1_max":        "80000",
		"1-0041/name":                          "ina219",
		"1-0041/hwmon/hwmon4/in0_input":        "3",
		"1-0041/hwmon/hwmon4/in1_input":        "12048",
		"1-0041/hwmon/hwmon4/curr1_input":      "310",
		"1-0041/hwmon/hwmon4/power1_input":     "3734880",
		"1-0068/name":                          "ds1307",
	} {
		path := filepath.Join(devices, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for addr, want := range map[uint16]map[string]float64{
		0x76: {"temperature_celsius": 21.53, "pressure_pascals": 101325, "humidity_percent": 45.21},
		0x48: {"voltage_0_volts": 2, "voltage_1_volts": -1},
		0x40: {"temperature_celsius": 25.46},
		0x49: {"temperature_celsius": -5.5},
		0x41: {"voltage_0_volts": 0.003, "voltage_1_volts": 12.048, "current_amperes": 0.31, "power_watts": 3.7349},
	} {
		chip, ok := findKernelChip(devices, 1, addr)
		if !ok {
			t.Errorf("0x%02x: nothing is measured", addr)
			continue
		}
		got, err := chip.Read(t.Context())
		if err != nil || len(got) != len(want) || len(chip.quantities()) != len(want) {
			t.Errorf("0x%02x %s: %v, %v, want %v", addr, chip.name, got, err, want)
		}
		for name, v := range want {
			if got[name] != v {
				t.Errorf("0x%02x %s: %s is %v, want %v", addr, chip.name, name, got[name], v)
			}
		}
	}
	for _, addr := range []uint16{0x68, 0x77} {
		if _, ok := findKernelChip(devices, 1, addr); ok {
			t.Errorf("0x%02x measures something", addr)
		}
	}

	bus := NewBus(1, busFunc(func(addr uint16, _, _ []byte) error {
		t.Errorf("somebody wrote to 0x%02x, which is the kernel's", addr)
		return errors.New("sysfs-i2c: device or resource busy")
	}))
	bus.owner = func(uint16) string { return "some_driver" }
	bus.kernel = func(addr uint16) (kernelChip, bool) { return findKernelChip(devices, 1, addr) }
	var said []string
	for _, f := range Scan(context.Background(), []*Bus{bus}) {
		if f.Chip != "" || f.Address == 0x77 {
			said = append(said, f.String())
		}
	}
	want := "i2c-1 0x48: ti_ads1115, left to the kernel's driver some_driver and read through it as ti_ads1115-1-48"
	if !slices.Contains(said, want) {
		t.Errorf("scan says %q, want %q among them", said, want)
	}
	if last := said[len(said)-1]; !strings.HasSuffix(last, "left to the kernel's driver some_driver") {
		t.Errorf("of a chip that measures nothing: %q", last)
	}
}
