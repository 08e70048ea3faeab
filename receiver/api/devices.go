package api

import (
	"context"
	"encoding/json"
	"time"

	"holdfast"
	"holdfast/receiver"
	"holdfast/receiver/store"
)

// Device is one device.
type Device struct {
	ID         string          `json:"id"`
	Status     string          `json:"status" doc:"active, or why the device is told to keep its data"`
	Online     bool            `json:"online"`
	Type       string          `json:"type,omitempty" doc:"what kind of device it is, for people"`
	Location   string          `json:"location,omitempty" doc:"where it is, for people"`
	FirstSeen  time.Time       `json:"first_seen,omitzero" doc:"absent before it was heard"`
	LastSeen   time.Time       `json:"last_seen,omitzero" doc:"absent before it was heard"`
	Stream     string          `json:"stream,omitempty" doc:"the current one"`
	State      json.RawMessage `json:"state,omitempty" doc:"latest state message, as the device sent it"`
	Totals     receiver.Totals `json:"totals" doc:"over all streams and lanes"`
	AlertsOpen int             `json:"alerts_open" doc:"alerts that are not cleared"`
}

// DeviceDetail is a device with what it measures.
type DeviceDetail struct {
	Device
	Catalog json.RawMessage `json:"catalog,omitempty" doc:"latest catalog message, as the device sent it"`
	Latest  []Latest        `json:"latest" doc:"newest sample of each series"`
}

// Latest is the newest sample of a series.
type Latest struct {
	Sensor   string    `json:"sensor"`
	Quantity string    `json:"quantity"`
	Unit     string    `json:"unit" doc:"for people"`
	Time     time.Time `json:"time"`
	Value    float64   `json:"value" doc:"in the base unit that the quantity's name ends in"`
	Quality  string    `json:"quality,omitempty" enum:"suspect,bad" doc:"absent where it is good"`
}

type devicesOut struct {
	Body struct {
		Devices []Device `json:"devices"`
	}
}

func (s *server) devices(ctx context.Context, _ *struct{}) (*devicesOut, error) {
	all, err := s.store.Devices(ctx, "", maxDevices)
	if err != nil {
		return nil, err
	}
	totals, err := s.store.Totals(ctx, "")
	if err != nil {
		return nil, err
	}
	out := new(devicesOut)
	out.Body.Devices = []Device{}
	for _, d := range all {
		out.Body.Devices = append(out.Body.Devices, describe(d, totals))
	}
	return out, nil
}

func describe(d store.Device, totals map[string]store.Totals) Device {
	out := Device{
		ID: d.ID, Status: d.Status, Type: d.Type, Location: d.Location, Online: d.Online, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen,
		State: d.State, Totals: receiver.NewTotals(totals[d.ID]), AlertsOpen: d.Alerts,
	}
	if !d.Stream.IsZero() {
		out.Stream = d.Stream.String()
	}
	return out
}

type deviceOut struct{ Body DeviceDetail }

func (s *server) device(ctx context.Context, in *OfDevice) (*deviceOut, error) {
	d, err := s.known(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	totals, err := s.store.Totals(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	latest, err := s.latest(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &deviceOut{DeviceDetail{Device: describe(d, totals), Catalog: d.Catalog, Latest: latest}}, nil
}

func (s *server) latest(ctx context.Context, device string) ([]Latest, error) {
	series, err := s.store.Series(ctx, store.Query{Device: device}, maxSeries)
	if err != nil {
		return nil, err
	}
	all := []Latest{}
	for _, x := range series {
		sample, ok, err := s.store.Latest(ctx, x.ID)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, Latest{x.Sensor, x.Quantity, x.Unit, sample.Time, sample.Value, grade(sample.Quality)})
		}
	}
	return all, nil
}

// grade returns a quality as answers have it: nothing where it is good.
func grade(q holdfast.Quality) string {
	if q == holdfast.Good {
		return ""
	}
	return string(q)
}

type completenessOut struct{ Body *receiver.Completeness }

func (s *server) deviceCompleteness(ctx context.Context, in *OfDevice) (*completenessOut, error) {
	if _, err := s.known(ctx, in.ID); err != nil {
		return nil, err
	}
	c, err := receiver.Complete(ctx, s.store, in.ID)
	if err != nil {
		return nil, err
	}
	return &completenessOut{c}, nil
}

type completenessesOut struct {
	Body struct {
		Devices []*receiver.Completeness `json:"devices"`
	}
}

func (s *server) completeness(ctx context.Context, _ *struct{}) (*completenessesOut, error) {
	all, err := s.store.Devices(ctx, "", maxDevices)
	if err != nil {
		return nil, err
	}
	out := new(completenessesOut)
	out.Body.Devices = []*receiver.Completeness{}
	for _, d := range all {
		c, err := receiver.Complete(ctx, s.store, d.ID)
		if err != nil {
			return nil, err
		}
		out.Body.Devices = append(out.Body.Devices, c)
	}
	return out, nil
}
