package sensors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"holdfast"
)

// A Filter says how several measurements of a sensor become one. The zero filter takes one as it is.
type Filter struct {
	Samples int    // measurements for one value, one right after the other; 1 by default, at most [MaxSamples]
	Combine string // mean or median of them; median by default

	// Spikes makes a value that moved faster than it can be measured again at once. Where the second measurement agrees with
	// the first it was a step, and is taken as good; otherwise the second alone is taken. No old value stands in for a new one.
	Spikes bool
}

// MaxSamples is how many measurements one value can be made of.
const MaxSamples = 16

// Check returns an error that says what would be right.
func (f Filter) Check() error {
	var errs []error
	if f.Samples < 0 || f.Samples > MaxSamples {
		errs = append(errs, fmt.Errorf("samples %d: want 1 to %d", f.Samples, MaxSamples))
	}
	if !slices.Contains([]string{"", "mean", "median"}, f.Combine) {
		errs = append(errs, fmt.Errorf("combine %q: want mean or median", f.Combine))
	}
	return errors.Join(errs...)
}

// A measurement is what one sample of a sensor came to.
type measurement struct {
	values  map[string]float64
	quality map[string]holdfast.Quality
	bad     []string // why values were left out
}

// measure takes one sample: as many measurements as the filter wants, without what is bad, calibrated and graded.
func (t *track) measure(ctx context.Context) (m measurement, err error) {
	m.values, m.bad, err = t.several(ctx)
	switch {
	case errors.Is(err, ErrNotReady):
		return m, err
	case err != nil:
		t.grader.forget()
		return m, err
	}
	jumped := t.grader.jumped(m.values, time.Now())
	if t.filter.Spikes && len(jumped) > 0 {
		again, bad, err := t.several(ctx)
		m.bad = append(m.bad, bad...)
		switch {
		case errors.Is(err, ErrNotReady): // it measures slowly: the first is all there is, and suspect
		case err != nil:
			t.grader.forget()
			return m, err
		default:
			jumped = slices.DeleteFunc(t.grader.jumped(again, time.Now()), func(name string) bool {
				return t.grader.agree(name, m.values, again)
			})
			m.values = again
		}
	}
	m.quality = t.grader.grade(m.values, time.Now(), jumped, len(m.bad) > 0)
	return m, nil
}

// several measures as often as the filter wants, or as a slow chip lets it, and returns what the measurements come to,
// calibrated.
func (t *track) several(ctx context.Context) (values map[string]float64, bad []string, err error) {
	all := map[string][]float64{}
	for range max(t.filter.Samples, 1) {
		values, err := t.sensor.Read(ctx)
		if errors.Is(err, ErrNotReady) && len(all) > 0 {
			break
		}
		if err != nil {
			return nil, bad, err
		}
		wrong, err := t.grader.sort(values)
		bad = append(bad, wrong...)
		if err != nil {
			return nil, bad, err
		}
		for name, v := range values {
			all[name] = append(all[name], v)
		}
	}
	values = make(map[string]float64, len(all))
	for name, list := range all {
		values[name] = t.filter.combine(list)
	}
	t.grader.calibrate(values)
	return values, bad, nil
}

func (f Filter) combine(list []float64) float64 {
	if f.Combine == "mean" {
		var sum float64
		for _, v := range list {
			sum += v
		}
		return sum / float64(len(list))
	}
	slices.Sort(list)
	middle := len(list) / 2
	if len(list)%2 == 0 {
		return (list[middle-1] + list[middle]) / 2
	}
	return list[middle]
}
