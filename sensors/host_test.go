package sensors_test

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"holdfast/sensors"
)

func TestHost(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	host := sensors.Host(root, root)
	put("proc/meminfo", "MemTotal:         948304 kB\nMemFree:  100 kB\nMemAvailable:     712340 kB\n")
	put("proc/loadavg", "0.52 0.58 0.59 1/467 12345\n")
	put("proc/uptime", "3600.25 7000.00\n")
	put("sys/class/thermal/thermal_zone0/temp", "48312\n")
	put("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
	put("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
	check := func(want map[string]float64) {
		t.Helper()
		got, err := host.Sensor.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range want {
			if got[name] != v {
				t.Errorf("%s is %v, want %v", name, got[name], v)
			}
		}
		known := map[string]bool{}
		for _, q := range host.Quantities {
			known[q.Name] = true
			if v, ok := got[q.Name]; ok && !(v >= q.Min && v <= q.Max) {
				t.Errorf("%s is %v", q.Name, v)
			}
		}
		for name := range got {
			if !known[name] {
				t.Errorf("the catalog lacks %s", name)
			}
		}
	}
	check(map[string]float64{"cpu_temperature_celsius": 48.312, "undervoltage_state": 1, "memory_available_bytes": 712340 * 1024,
		"uptime_seconds": 3600.25, "load_ratio": 0.52 / float64(runtime.NumCPU())})
	put("sys/devices/platform/soc/soc:firmware/get_throttled", "50004\n")
	check(map[string]float64{"undervoltage_state": 0, "throttled_state": 1, "frequency_capped_state": 0})
	put("sys/devices/platform/soc/soc:firmware/get_throttled", "0x3\n")
	check(map[string]float64{"undervoltage_state": 1, "throttled_state": 0, "frequency_capped_state": 1})
	put("proc/uptime", "soon\n")
	if got, err := host.Sensor.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "soon") {
		t.Errorf("%v, %v, want an error", got, err)
	}
}

// On the machine that runs the test at least memory, load, uptime and disk are known.
func TestThisHost(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the health of other systems is not known")
	}
	got, err := sensors.Host("/", t.TempDir()).Sensor.Read(t.Context())
	for _, name := range []string{"memory_available_bytes", "load_ratio", "uptime_seconds", "disk_free_ratio"} {
		if _, ok := got[name]; !ok {
			t.Errorf("nothing is said of %s: %v, %v", name, slices.Sorted(maps.Keys(got)), err)
		}
	}
}
