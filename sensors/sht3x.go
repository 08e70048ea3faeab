package sensors

import (
	"context"
	"time"

	"holdfast"
)

// The SHT30, SHT31 and SHT35 of Sensirion. Datasheet SHT3x-DIS, version 7. A single shot carries all its settings but the
// heater's, which is off from power-up and is switched off in the set-up.
var (
	sht3xSerial    = []byte{0x36, 0x82} // "Electronic Identification Code": two words, without clock stretching
	sht3xMeasure   = []byte{0x24, 0x00} // §4.3: single shot, high repeatability, without clock stretching
	sht3xHeaterOff = []byte{0x30, 0x66} // §4.10
)

const (
	sht3xMeasureTime = 15500 * time.Microsecond // §2.2, table 4, at any supply
	sht3xCommandTime = time.Millisecond         // §4.1: between two commands
)

var sht3x = Driver{
	Chip: "sht3x", Part: "Sensirion SHT30, SHT31, SHT35", Addresses: []uint16{0x44, 0x45}, Confidence: Certain,
	Quantities: []holdfast.Quantity{celsius(2, -45, 130), humidity},
	Wiring:     "ADDR to GND: 0x44; to Vcc: 0x45",
	Commands:   [][]byte{sht3xSerial},
	probe:      isSHT3x,
	open: func(d Device) Sensor {
		return &sht{device: d, is: isSHT3x, setUp: sht3xHeaterOff, measure: sht3xMeasure, takes: sht3xMeasureTime, decode: decodeSHT3x}
	},
}

func isSHT3x(ctx context.Context, d Device) (bool, error) {
	return d.answers(ctx, sht3xSerial, sht3xCommandTime, 2)
}

// sht is an SHT3x or SHT4x, measuring once for each Read.
type sht struct {
	device  Device
	is      func(context.Context, Device) (bool, error)
	setUp   []byte // a command without an answer; nil for none
	measure []byte
	takes   time.Duration
	decode  func(answer []byte) (map[string]float64, error)
	known   bool // it is such a chip, and is set up
}

func (s *sht) Read(ctx context.Context) (map[string]float64, error) {
	values, err := s.shot(ctx)
	s.known = err == nil
	return values, err
}

func (s *sht) shot(ctx context.Context) (map[string]float64, error) {
	if !s.known {
		if err := s.identify(ctx); err != nil {
			return nil, err
		}
	}
	var answer [6]byte
	if err := s.device.command(ctx, s.measure, s.takes, answer[:]); err != nil {
		return nil, err
	}
	return s.decode(answer[:])
}

func (s *sht) identify(ctx context.Context) error {
	if err := sure(s.is(ctx, s.device)); err != nil {
		return err
	}
	if s.setUp == nil {
		return nil
	}
	return s.device.command(ctx, s.setUp, sht3xCommandTime, nil)
}

// decodeSHT3x is §4.13.
func decodeSHT3x(answer []byte) (map[string]float64, error) {
	w, err := words(answer)
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		"temperature_celsius": sensirionCelsius(w[0]),
		"humidity_percent":    round(100*float64(w[1])/65535, 0.01),
	}, nil
}
