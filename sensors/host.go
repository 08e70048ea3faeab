package sensors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"holdfast"
)

// Host returns the health of the machine itself as the sensor host: the processor's temperature, whether its supply holds,
// memory, and what is free on the disk with that folder. root is where /proc and /sys are found, "/" but for tests. What a
// machine does not tell is missing; a laptop knows nothing of under-voltage.
func Host(root, folder string) Other {
	state := func(name string) holdfast.Quantity { return holdfast.Quantity{Name: name, Min: 0, Max: 1} }
	return Other{
		Name: "host", Chip: "host", Interval: HealthInterval,
		Quantities: []holdfast.Quantity{
			{Name: "cpu_temperature_celsius", Unit: "°C", Precision: 1, Min: -40, Max: 150},
			state("undervoltage_state"), state("throttled_state"), state("frequency_capped_state"),
			{Name: "load_ratio", Precision: 2, Min: 0, Max: 10000},
			{Name: "memory_available_bytes", Unit: "B", Min: 0, Max: 1e15},
			{Name: "disk_free_bytes", Unit: "B", Min: 0, Max: 1e18},
			{Name: "disk_free_ratio", Precision: 3, Min: 0, Max: 1},
			{Name: "uptime_seconds", Unit: "s", Min: 0, Max: 1e10},
		},
		Sensor: hostSensor{root, folder},
	}
}

type hostSensor struct{ root, folder string }

// Read implements [Sensor].
func (h hostSensor) Read(context.Context) (map[string]float64, error) {
	values := make(map[string]float64)
	for _, look := range []func(map[string]float64) error{h.temperature, h.supply, h.memory, h.load, h.uptime, h.disk} {
		if err := look(values); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("host: %w", err)
		}
	}
	if len(values) == 0 {
		return nil, errors.New("host: nothing is known of this machine")
	}
	return values, nil
}

// temperature is the kernel's thermal zone 0, in m°C, which on every Pi is the processor's.
func (h hostSensor) temperature(values map[string]float64) error {
	m, err := h.number("sys/class/thermal/thermal_zone0/temp")
	if err == nil {
		values["cpu_temperature_celsius"] = m / 1000
	}
	return err
}

// Bits of the firmware's word: what holds now. Its upper half says what ever did since the boot.
const (
	underVoltage    = 1 << 0
	frequencyCapped = 1 << 1
	throttled       = 1 << 2
)

// supply is the firmware's word, or where a kernel does not show that, the alarm of its driver rpi_volt.
func (h hostSensor) supply(values map[string]float64) error {
	text, err := h.read("sys/devices/platform/soc/soc:firmware/get_throttled")
	if errors.Is(err, os.ErrNotExist) {
		return h.alarm(values)
	}
	if err != nil {
		return err
	}
	word, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16, 32)
	if err != nil {
		return err
	}
	for name, bit := range map[string]uint64{"undervoltage_state": underVoltage, "frequency_capped_state": frequencyCapped, "throttled_state": throttled} {
		values[name] = 0
		if word&bit != 0 {
			values[name] = 1
		}
	}
	return nil
}

func (h hostSensor) alarm(values map[string]float64) error {
	names, err := filepath.Glob(filepath.Join(h.root, "sys/class/hwmon/*/name"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if driver, err := os.ReadFile(name); err != nil || strings.TrimSpace(string(driver)) != "rpi_volt" {
			continue
		}
		relative, err := filepath.Rel(h.root, filepath.Join(filepath.Dir(name), "in0_lcrit_alarm"))
		if err != nil {
			return err
		}
		values["undervoltage_state"], err = h.number(relative)
		return err
	}
	return os.ErrNotExist
}

func (h hostSensor) memory(values map[string]float64) error {
	text, err := h.read("proc/meminfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kilo, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			values["memory_available_bytes"] = kilo * 1024
			return err
		}
	}
	return nil
}

// load is the average of the last minute, for one processor.
func (h hostSensor) load(values map[string]float64) error {
	load, err := h.first("proc/loadavg")
	if err == nil {
		values["load_ratio"] = load / float64(runtime.NumCPU())
	}
	return err
}

func (h hostSensor) uptime(values map[string]float64) error {
	seconds, err := h.first("proc/uptime")
	if err == nil {
		values["uptime_seconds"] = seconds
	}
	return err
}

func (h hostSensor) disk(values map[string]float64) error {
	free, size, err := diskSpace(h.folder)
	if err == nil && size > 0 {
		values["disk_free_bytes"], values["disk_free_ratio"] = free, free/size
	}
	return err
}

func (h hostSensor) read(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(h.root, name))
	return string(bytes.TrimSpace(text)), err
}

func (h hostSensor) number(name string) (float64, error) {
	text, err := h.read(name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

// first reads the first of several numbers.
func (h hostSensor) first(name string) (float64, error) {
	text, err := h.read(name)
	if err != nil {
		return 0, err
	}
	word, _, _ := strings.Cut(text, " ")
	return strconv.ParseFloat(word, 64)
}
