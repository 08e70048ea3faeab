package profile

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/mqtt"
)

// Topics of the older system.
type Topics struct {
	Values    string // readings, and what send_measurements asks for
	Request   string // commands to this device
	Broadcast string // commands to all devices
	Response  string // answers
}

// Names are what balena calls the device, and the placeholders of topic templates: %(device_uuid)s, %(device_type)s,
// %(app_id)s and %(app_name)s.
type Names struct {
	DeviceUUID, DeviceType, AppID, AppName string
}

// Render puts the names into a template. The error names a placeholder that there is not, or a topic that cannot be.
func (n Names) Render(template string) (string, error) {
	topic := strings.NewReplacer("%(device_uuid)s", n.DeviceUUID, "%(device_type)s", n.DeviceType, "%(app_id)s", n.AppID, "%(app_name)s", n.AppName).Replace(template)
	if i := strings.Index(topic, "%("); i >= 0 {
		return "", fmt.Errorf("%q: %.30q is no placeholder: want %%(device_uuid)s, %%(device_type)s, %%(app_id)s or %%(app_name)s", template, topic[i:])
	}
	if topic == "" || strings.ContainsAny(topic, "+#\x00") {
		return "", fmt.Errorf("%q: want a topic without + and #", template)
	}
	return topic, nil
}

// Flat is the older system's format: a list of objects, whose values are all strings. Each has the id of its reading, what
// balena calls the device, the sensor as _sensor, and a key for each quantity; a value that is bad is left out.
type Flat struct {
	Names  Names
	Topics Topics
}

// Messages returns one message with all readings.
func (f *Flat) Messages(readings []*holdfast.Reading) ([]mqtt.Message, error) {
	list := make([]map[string]string, 0, len(readings))
	for _, r := range readings {
		list = append(list, f.entry(r))
	}
	payload, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	return []mqtt.Message{{Topic: f.Topics.Values, Payload: payload}}, nil
}

func (f *Flat) entry(r *holdfast.Reading) map[string]string {
	e := map[string]string{
		"_id": idOf(r), "_sensor": r.Sensor,
		"_device_uuid": f.Names.DeviceUUID, "_device_type": f.Names.DeviceType, "_app_id": f.Names.AppID, "_app_name": f.Names.AppName,
	}
	for quantity, value := range r.Values {
		if r.Quality[quantity] != holdfast.Bad {
			e[quantity] = strconv.FormatFloat(value, 'f', -1, 64)
		}
	}
	return e
}

// idOf returns the id of a reading. One that was taken before anybody wanted ids has that of its time.
func idOf(r *holdfast.Reading) string {
	if r.ID != "" {
		return r.ID
	}
	return fmt.Sprintf("%d-0", max(r.Time.UnixMilli(), 0))
}
