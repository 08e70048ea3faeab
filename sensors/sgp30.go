package sensors

import (
	"context"
	"errors"
	"time"

	"holdfast"
)

// The SGP30 of Sensirion. Datasheet SGP30, version 1.0, §6.3. It wants to be asked once a second, since its baseline follows
// the air from measurement to measurement; at longer intervals the baseline follows more slowly. Its humidity compensation
// is not used.
var (
	sgp30Serial   = []byte{0x36, 0x82} // three words
	sgp30Features = []byte{0x20, 0x2f} // a word: the product in its upper four bits, 0 for the SGP30
	sgp30Init     = []byte{0x20, 0x03}
	sgp30Measure  = []byte{0x20, 0x08} // two words: CO2 equivalent in ppm, TVOC in ppb
	sgp30Baseline = []byte{0x20, 0x15} // two words, zeros while there is none
)

const (
	sgp30CommandTime = 10 * time.Millisecond // table 10
	sgp30MeasureTime = 12 * time.Millisecond

	// For 15 s after its start the chip says 400 ppm and 0 ppb, which is no measurement. In clean air it says the same, and
	// has a baseline.
	sgp30WarmUp  = 15 * time.Second
	sgp30Settled = 2 * sgp30WarmUp
)

var sgp30 = Driver{
	Chip: "sgp30", Part: "Sensirion SGP30", Addresses: []uint16{0x58}, Confidence: Certain,
	Quantities: []holdfast.Quantity{
		{Name: "co2_equivalent_ppm", Unit: "ppm", Precision: 0, Min: 400, Max: 60000},
		{Name: "tvoc_ppb", Unit: "ppb", Precision: 0, Min: 0, Max: 60000},
	},
	Wiring:   "one address; 1.8 V at most at the bare chip: use a board with a regulator",
	Notes:    "An equivalent computed from hydrogen, not a measurement of CO₂; 15 s of warming up after power-up",
	Tested:   []string{testedPeriph},
	Commands: [][]byte{sgp30Serial, sgp30Features},
	probe:    isSGP30,
	open:     func(d Device) Sensor { return &sgp{device: d} },
}

func isSGP30(ctx context.Context, d Device) (bool, error) {
	is, err := d.answers(ctx, sgp30Serial, sgp30CommandTime, 3)
	if err != nil || !is {
		return false, err
	}
	features, err := d.ask(ctx, sgp30Features, sgp30CommandTime, 1)
	if errors.Is(err, errChecksum) {
		return false, nil
	}
	return err == nil && features[0]>>12 == 0, err
}

// sgp is an SGP30.
type sgp struct {
	device  Device
	started time.Time // when the chip's algorithm began, or was found at work; zero until then
	sure    bool      // it is such a chip and its algorithm is at work; false after an error
}

func (s *sgp) Read(ctx context.Context) (map[string]float64, error) {
	values, err := s.measure(ctx)
	s.sure = err == nil || errors.Is(err, ErrNotReady)
	return values, err
}

func (s *sgp) measure(ctx context.Context) (map[string]float64, error) {
	if !s.sure {
		if err := s.start(ctx); err != nil {
			return nil, err
		}
	}
	var answer [6]byte
	if err := s.device.command(ctx, sgp30Measure, sgp30MeasureTime, answer[:]); err != nil {
		return nil, err
	}
	values, fixed, err := decodeSGP30(answer[:])
	if err != nil {
		return nil, err
	}
	if time.Since(s.started) < sgp30WarmUp {
		return nil, ErrNotReady
	}
	if fixed {
		if err := s.believe(ctx); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// start sets the algorithm going, unless it is at work: that would cost it what it has learnt, and us 15 s. A chip that has
// a baseline has not lost its power since it was started.
func (s *sgp) start(ctx context.Context) error {
	if err := sure(isSGP30(ctx, s.device)); err != nil {
		return err
	}
	working, err := s.hasBaseline(ctx)
	if err != nil {
		return err
	}
	if working && !s.started.IsZero() {
		return nil
	}
	if !working {
		if err := s.device.command(ctx, sgp30Init, sgp30CommandTime, nil); err != nil {
			return err
		}
	}
	s.started = time.Now()
	return nil
}

// believe returns an error where what the chip says is not clean air, but that it has not begun to measure.
func (s *sgp) believe(ctx context.Context) error {
	working, err := s.hasBaseline(ctx)
	switch {
	case err != nil:
		return err
	case working:
		return nil
	case time.Since(s.started) < sgp30Settled:
		return ErrNotReady
	}
	return errors.New("400 ppm and no baseline: the chip has lost its power")
}

func (s *sgp) hasBaseline(ctx context.Context) (bool, error) {
	baseline, err := s.device.ask(ctx, sgp30Baseline, sgp30CommandTime, 2)
	return err == nil && baseline[0]|baseline[1] != 0, err
}

// decodeSGP30 returns the values, and whether they are those of a chip that has not begun to measure.
func decodeSGP30(answer []byte) (values map[string]float64, fixed bool, err error) {
	w, err := words(answer)
	if err != nil {
		return nil, false, err
	}
	return map[string]float64{"co2_equivalent_ppm": float64(w[0]), "tvoc_ppb": float64(w[1])}, w[0] == 400 && w[1] == 0, nil
}
