package profile

import (
	"encoding/json"
	"time"

	"holdfast"
	"holdfast/mqtt"
)

// Plain is one object for each reading: {"device_id", "timestamp", "data"}, with the values as numbers. Those of a sensor stand
// beside its name, sensor. A value that is bad is left out.
type Plain struct {
	Device string
	Topics holdfast.Topics
}

type plainMessage struct {
	Device    string         `json:"device_id"`
	Timestamp time.Time      `json:"timestamp,omitzero"`
	Data      map[string]any `json:"data"`
}

// Messages returns a message for each reading.
func (p *Plain) Messages(readings []*holdfast.Reading) ([]mqtt.Message, error) {
	topic := p.Topics.Device(p.Device, "telemetry")
	out := make([]mqtt.Message, 0, len(readings))
	for _, r := range readings {
		data := map[string]any{"sensor": r.Sensor}
		for quantity, value := range r.Values {
			if r.Quality[quantity] != holdfast.Bad {
				data[quantity] = value
			}
		}
		payload, err := json.Marshal(plainMessage{p.Device, r.Time, data})
		if err != nil {
			return nil, err
		}
		out = append(out, mqtt.Message{Topic: topic, Payload: payload})
	}
	return out, nil
}

// State returns the retained message that says whether the device is there, since when. The time of a last will is zero and
// left out: it is made at the connection, and nobody knows when that ends.
func (p *Plain) State(online bool, at time.Time) mqtt.Message {
	payload, err := json.Marshal(plainMessage{p.Device, at, map[string]any{"online": online}})
	if err != nil {
		panic("profile: a state without JSON: " + err.Error())
	}
	return mqtt.Message{Topic: p.Topics.Device(p.Device, holdfast.TopicState), Payload: payload, Retained: true}
}
