package virtualpi

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"holdfast"
)

// What the tests look at in the receiver's API. Sensors are named by how their name ends: bus and address, -0-48.

// latest returns the newest value of the one quantity of a sensor.
func (r *receiver) latest(ctx context.Context, sensor string) (float64, error) {
	var got struct {
		Latest []struct {
			Sensor, Quantity string
			Value            float64
		}
	}
	if err := r.get(ctx, "/api/v1/devices/"+device, &got); err != nil {
		return 0, err
	}
	for _, l := range got.Latest {
		if strings.HasSuffix(l.Sensor, sensor) && l.Quantity == "temperature_celsius" {
			return l.Value, nil
		}
	}
	return 0, fmt.Errorf("no temperature of a sensor %s in %+v", sensor, got.Latest)
}

// A sample is one quantity at one instant.
type sample struct {
	quantity     string
	Value        float64
	Time         time.Time
	OriginalTime time.Time `json:"original_time"`
}

// at returns when the sample was taken by the guest's clock.
func (s sample) at() time.Time {
	if s.OriginalTime.IsZero() {
		return s.Time
	}
	return s.OriginalTime
}

// samples returns what a sensor has measured since, quantity by quantity, in order of time.
func (r *receiver) samples(ctx context.Context, sensor string, since time.Time) (all []sample, err error) {
	var got struct {
		Series []struct {
			Quantity string
			Samples  []sample
		}
	}
	query := url.Values{"sensor": {sensor}, "from": {since.UTC().Format(time.RFC3339Nano)}, "to": {"2200-01-01T00:00:00Z"}, "limit": {"10000"}}
	err = r.get(ctx, "/api/v1/devices/"+device+"/readings?"+query.Encode(), &got)
	for _, series := range got.Series {
		for _, s := range series.Samples {
			s.quantity = series.Quantity
			all = append(all, s)
		}
	}
	return all, err
}

// measuring returns whether the device's newest state says that it measures.
func (r *receiver) measuring(ctx context.Context) (bool, error) {
	var got struct{ State holdfast.Status }
	if err := r.get(ctx, "/api/v1/devices/"+device, &got); err != nil {
		return false, err
	}
	if got.State.Measuring == nil {
		return false, fmt.Errorf("state without measuring: %+v", got.State)
	}
	return *got.State.Measuring, nil
}

// event is one event of the device, its data read as T.
type event[T any] struct{ Data T }

// events returns all events of one name, newest first. The guest's clock starts in 1970.
func events[T any](ctx context.Context, r *receiver, name string) ([]event[T], error) {
	var got struct{ Events []event[T] }
	err := r.get(ctx, "/api/v1/devices/"+device+"/events?limit=1000&from=1970-01-01T00:00:00Z&to=2200-01-01T00:00:00Z&event="+name, &got)
	return got.Events, err
}

// sensorStates returns what became of a sensor, newest first.
func (r *receiver) sensorStates(ctx context.Context, sensor string) ([]holdfast.SensorState, error) {
	all, err := events[holdfast.SensorChange](ctx, r, holdfast.EventSensor)
	var states []holdfast.SensorState
	for _, e := range all {
		if strings.HasSuffix(e.Data.Sensor, sensor) {
			states = append(states, e.Data.State)
		}
	}
	return states, err
}

// completeness is how much of what the device numbered the receiver holds.
type completeness struct {
	Totals  struct{ Head, Data, Thinned, Dropped, Rejected, Missing int }
	Streams []struct{ Stream holdfast.Stream }
}

func (r *receiver) completeness(ctx context.Context) (completeness, error) {
	var got completeness
	return got, r.get(ctx, "/api/v1/devices/"+device+"/completeness", &got)
}
