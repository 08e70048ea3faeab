package holdfast

import (
	"encoding/json"
	"time"
)

// A Record is one numbered thing: *[Reading], *[Aggregate], *[Thinned], *[Alert] or *[Event]. Its JSON goes into a batch
// of its lane.
type Record interface {
	Lane() Lane
	When() time.Time
	Validate() error
}

// DecodeRecord reads one record of a batch of the given lane and validates it. The error wraps [ErrInvalid] and says
// which field is wrong.
func DecodeRecord(lane Lane, data []byte) (Record, error) {
	record, err := parseRecord(lane, data)
	if err != nil {
		return nil, err
	}
	if err := record.Validate(); err != nil {
		return nil, err
	}
	return record, nil
}

func parseRecord(lane Lane, data []byte) (Record, error) {
	if lane == LaneTelemetry {
		if reading := scanReading(data); reading != nil {
			return reading, nil
		}
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, invalid("record", "%v", err)
	}
	record := newRecord(lane, head.Kind)
	if record == nil {
		return nil, invalid("kind", "%q does not belong to lane %s", cut(head.Kind, 40), lane)
	}
	if err := json.Unmarshal(data, record); err != nil {
		return nil, invalid("record", "%v", err)
	}
	return record, nil
}

func newRecord(lane Lane, kind string) Record {
	switch {
	case lane == LaneTelemetry && kind == "":
		return new(Reading)
	case lane == LaneTelemetry && kind == "aggregate":
		return new(Aggregate)
	case lane == LaneTelemetry && kind == "thinned":
		return new(Thinned)
	case lane == LaneAlert && kind == "alert":
		return new(Alert)
	case lane == LaneEvent && kind == "event":
		return new(Event)
	}
	return nil
}
