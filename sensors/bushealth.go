package sensors

import (
	"context"
	"time"

	"holdfast"
)

// HealthInterval is how often a bus tells of its health, unless a setting says otherwise.
const HealthInterval = time.Minute

// BusSensor returns the health of a bus as a sensor of its own, i2c-1: each sample is about the time since the one before.
func BusSensor(b *Bus) Other {
	ratio := func(name string) holdfast.Quantity {
		return holdfast.Quantity{Name: name, Unit: "", Precision: 3, Min: 0, Max: 1}
	}
	return Other{
		Name: b.String(), Chip: "bus", Interval: HealthInterval,
		Quantities: []holdfast.Quantity{
			{Name: "transfers_count", Unit: "", Precision: 0, Min: 0, Max: 1e12},
			ratio("nack_ratio"), ratio("error_ratio"), ratio("retry_ratio"),
			{Name: "latency_seconds", Unit: "s", Precision: 6, Min: 0, Max: 86400},
			{Name: "latency_max_seconds", Unit: "s", Precision: 6, Min: 0, Max: 86400},
			{Name: "recoveries_count", Unit: "", Precision: 0, Min: 0, Max: 1e12},
		},
		Sensor: &busSensor{bus: b},
	}
}

type busSensor struct {
	bus  *Bus
	last BusHealth
}

// Read implements [Sensor]. Ratios are of the transfers, and missing where there were none.
func (s *busSensor) Read(context.Context) (map[string]float64, error) {
	h := s.bus.Health()
	l := s.last
	s.last = h
	n := float64(h.Transfers - l.Transfers)
	values := map[string]float64{
		"transfers_count":     n,
		"latency_max_seconds": h.Longest.Seconds(),
		"recoveries_count":    float64(h.Clocks + h.MuxResets + h.Reopens - l.Clocks - l.MuxResets - l.Reopens),
	}
	if n > 0 {
		values["nack_ratio"] = float64(h.NACKs-l.NACKs) / n
		values["error_ratio"] = float64(h.Errors+h.Hangs-l.Errors-l.Hangs) / n
		values["retry_ratio"] = float64(h.Retries-l.Retries) / n
		values["latency_seconds"] = (h.Busy - l.Busy).Seconds() / n
	}
	return values, nil
}
