package sensors

import (
	"context"
	"time"

	"holdfast"
)

// The SHT40, SHT41, SHT43 and SHT45 of Sensirion. Datasheet SHT4x, version 6. Commands are one byte and carry all settings;
// the heater ends by itself after a second at most, and the chip acknowledges nothing until then.
var (
	sht4xSerial  = []byte{0x89} // §4.5, table 8: two words
	sht4xMeasure = []byte{0xfd} // there: high precision
)

const (
	sht4xMeasureTime = 8300 * time.Microsecond // §3.1, table 5
	sht4xCommandTime = time.Millisecond
)

var sht4x = Driver{
	Chip: "sht4x", Part: "Sensirion SHT40, SHT41, SHT43, SHT45", Addresses: []uint16{0x44, 0x45, 0x46}, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(2, -45, 130), humidity},
	Wiring:     "the address is part of the type: 0x44, 0x45 or 0x46",
	Commands:   [][]byte{sht4xSerial},
	probe:      isSHT4x,
	open: func(d Device) Sensor {
		return &sht{device: d, is: isSHT4x, measure: sht4xMeasure, takes: sht4xMeasureTime, decode: decodeSHT4x}
	},
}

func isSHT4x(ctx context.Context, d Device) (bool, error) {
	return d.answers(ctx, sht4xSerial, sht4xCommandTime, 2)
}

// decodeSHT4x is §4.6. At the ends of its scale the formula goes beyond 0 and 100 %, which says no more than these.
func decodeSHT4x(answer []byte) (map[string]float64, error) {
	w, err := words(answer)
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		"temperature_celsius": sensirionCelsius(w[0]),
		"humidity_percent":    round(min(max(-6+125*float64(w[1])/65535, 0), 100), 0.01),
	}, nil
}
