package holdfast

import "strings"

// Topics spells the topics of the wire behind one optional prefix. The zero value has no prefix.
type Topics struct{ Prefix string }

func (t Topics) join(parts ...string) string {
	topic := strings.Join(parts, "/")
	if prefix := strings.Trim(t.Prefix, "/"); prefix != "" {
		return prefix + "/" + topic
	}
	return topic
}

// Batch is where the batches of a lane go.
func (t Topics) Batch(device string, lane Lane) string {
	return t.join("devices", device, string(lane))
}

// Device is a topic of one device: receipt, state, catalog, command, response.
func (t Topics) Device(device, leaf string) string { return t.join("devices", device, leaf) }

// Devices is the filter for a leaf of every device.
func (t Topics) Devices(leaf string) string { return t.join("devices", "+", leaf) }

// Broadcast is where commands for every device go.
func (t Topics) Broadcast() string { return t.join("devices", "broadcast", TopicCommand) }

// Group is where commands for the devices of a group go.
func (t Topics) Group(name string) string { return t.join("groups", name, TopicCommand) }

// Receiver is where a receiver's retained presence goes; "+" is the filter for all.
func (t Topics) Receiver(instance string) string { return t.join("receivers", instance, TopicState) }

// Split returns device and leaf of a topic made by Batch or Device.
func (t Topics) Split(topic string) (device, leaf string, ok bool) {
	rest, ok := strings.CutPrefix(topic, t.join("devices")+"/")
	if !ok {
		return "", "", false
	}
	device, leaf, ok = strings.Cut(rest, "/")
	return device, leaf, ok && CheckDevice(device) == nil
}

// Instance returns the receiver's name in a topic made by Receiver.
func (t Topics) Instance(topic string) (string, bool) {
	rest, ok := strings.CutPrefix(topic, t.join("receivers")+"/")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, "/"+TopicState)
}

// Leaves of a device's topics beside its lanes.
const (
	TopicReceipt  = "receipt"
	TopicState    = "state"
	TopicCatalog  = "catalog"
	TopicCommand  = "command"
	TopicResponse = "response"
)
