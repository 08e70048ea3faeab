package sensors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// A Sensor measures when it is asked to. Read is called by one goroutine at a time; it returns the values by quantity in
// their base units, or an error and no values. It returns soon after ctx ends. After an error the next Read sets the chip
// up again from the beginning, because whatever answers then may have lost its power meanwhile, or be another chip. Also
// after none a Read looks whether the chip still holds its settings, or writes them anew, where it could have lost them.
type Sensor interface {
	Read(ctx context.Context) (map[string]float64, error)
}

// ErrNotReady is wrapped by what Read returns where a chip is well and has nothing new to tell: it warms up, or measures more
// slowly than it is asked. That is no failure.
var ErrNotReady = errors.New("nothing new is measured yet")

// checked is a sensor whose values are looked at.
type checked struct {
	sensor     Sensor
	quantities []holdfast.Quantity
}

func (c checked) Read(ctx context.Context) (map[string]float64, error) {
	values, err := c.sensor.Read(ctx)
	if err == nil {
		err = checkRange(values, c.quantities)
	}
	if err != nil {
		return nil, err
	}
	return values, nil
}

// checkRange returns an error unless every value lies in the range of its quantity. That also holds off what is no number.
func checkRange(values map[string]float64, quantities []holdfast.Quantity) error {
	for _, q := range quantities {
		if v, ok := values[q.Name]; ok && !(v >= q.Min && v <= q.Max) {
			return fmt.Errorf("%s is %g, outside of %g to %g", q.Name, v, q.Min, q.Max)
		}
	}
	return nil
}

// errAnother is what a Read says that finds another chip than the one it is for, or what reads like one: a bad wire shows ones.
var errAnother = errors.New("another chip answers, or the connection is bad")

// sure makes of what a probe says the error of a Read.
func sure(is bool, err error) error {
	if err == nil && !is {
		return errAnother
	}
	return err
}

// wait returns nil after d, or the error of ctx if that ends first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
