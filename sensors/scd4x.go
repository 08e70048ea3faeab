package sensors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// The SCD40, SCD41 and SCD43 of Sensirion. Datasheet SCD4x, version 1.4, §3. It measures by itself every 5 s, or every 30 s
// where somebody has set it to low power, and is never stopped here: it may be somebody else's measurement, and one begins
// with a minute of adapting. Its self-calibration, altitude and offset stay as they are.
var (
	scd4xSerial = []byte{0x36, 0x82} // three words; not acknowledged while it measures
	scd4xReady  = []byte{0xe4, 0xb8} // a word; the lower 11 bits are 0 where there is nothing new; also while it measures
	scd4xStart  = []byte{0x21, 0xb1}
	scd4xRead   = []byte{0xec, 0x05} // three words, once
)

const (
	scd4xCommandTime = time.Millisecond
	scd4xPeriod      = 5 * time.Second
	scd4xLongPeriod  = 30 * time.Second
)

var scd4x = Driver{
	Chip: "scd4x", Part: "Sensirion SCD40, SCD41, SCD43", Addresses: []uint16{0x62}, Confidence: Certain,
	Quantities: []holdfast.Quantity{
		restless(holdfast.Quantity{Name: "co2_ppm", Unit: "ppm", Precision: 0, Min: 1, Max: 40000}, time.Hour), celsius(2, -10, 60), humidity,
	},
	Wiring:   "one address; it draws 200 mA for moments, more than a weak 3V3 line bears",
	Notes:    "It measures every five seconds; a shorter interval skips samples",
	Tested:   []string{testedPeriph},
	Commands: [][]byte{scd4xSerial, scd4xReady},
	probe:    isSCD4x,
	open:     func(d Device) Sensor { return &scd{device: d} },
}

// scd4xMode is what such a chip is doing.
type scd4xMode int

const (
	scd4xOther scd4xMode = iota // it is no such chip
	scd4xIdle
	scd4xMeasuring
)

// scd4xLook asks for the serial number. A chip that is measuring does not take that question, but this one: is there
// something new?
func scd4xLook(ctx context.Context, d Device) (scd4xMode, error) {
	is, err := d.answers(ctx, scd4xSerial, scd4xCommandTime, 3)
	switch {
	case is:
		return scd4xIdle, nil
	case !errors.Is(err, ErrNoAnswer):
		return scd4xOther, err
	}
	if is, err = d.answers(ctx, scd4xReady, scd4xCommandTime, 1); is {
		return scd4xMeasuring, nil
	}
	return scd4xOther, err
}

func isSCD4x(ctx context.Context, d Device) (bool, error) {
	mode, err := scd4xLook(ctx, d)
	return mode != scd4xOther, err
}

// scd is an SCD4x, whose measurements are fetched as they come.
type scd struct {
	device  Device
	checked time.Time // when it was last sure that the chip measures; zero after an error
	asked   time.Time
	waited  time.Duration // for something new, a pause in asking counted as one period at most
}

func (s *scd) Read(ctx context.Context) (map[string]float64, error) {
	values, err := s.fetch(ctx)
	if err != nil && !errors.Is(err, ErrNotReady) {
		s.checked, s.waited = time.Time{}, 0
		return nil, err
	}
	return values, err
}

func (s *scd) fetch(ctx context.Context) (map[string]float64, error) {
	if !s.checked.IsZero() {
		s.waited += min(time.Since(s.asked), scd4xLongPeriod)
	}
	s.asked = time.Now()
	if time.Since(s.checked) > scd4xPeriod+time.Second { // it measures slowly, or has been without power
		if err := s.start(ctx); err != nil {
			return nil, err
		}
	}
	ready, err := s.device.ask(ctx, scd4xReady, scd4xCommandTime, 1)
	if err != nil {
		return nil, err
	}
	if ready[0]&0x7ff == 0 {
		if s.waited > 2*scd4xLongPeriod {
			return nil, fmt.Errorf("no measurement for %v", s.waited.Round(time.Second))
		}
		return nil, ErrNotReady
	}
	var answer [9]byte
	if err := s.device.command(ctx, scd4xRead, scd4xCommandTime, answer[:]); err != nil {
		return nil, err
	}
	s.checked, s.waited = time.Now(), 0
	return decodeSCD4x(answer[:])
}

// start makes sure that the chip measures.
func (s *scd) start(ctx context.Context) error {
	mode, err := scd4xLook(ctx, s.device)
	switch {
	case err != nil:
		return err
	case mode == scd4xOther:
		return errAnother
	case mode == scd4xIdle:
		if err := s.device.command(ctx, scd4xStart, scd4xCommandTime, nil); err != nil {
			return err
		}
	}
	s.checked = time.Now()
	return nil
}

// decodeSCD4x is §3.6.2.
func decodeSCD4x(answer []byte) (map[string]float64, error) {
	w, err := words(answer)
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		"co2_ppm":             float64(w[0]),
		"temperature_celsius": sensirionCelsius(w[1]),
		"humidity_percent":    round(100*float64(w[2])/65535, 0.01),
	}, nil
}
