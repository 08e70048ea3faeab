// Package access says who may log in at the broker between gateways and receiver, and what each of them may do there. It is
// the one policy: the embedded broker enforces it, and [Mosquitto] writes it down for a mosquitto.
//
// A device publishes what it measured and answers, and hears its receipts and commands, on its own topics and nowhere else.
// An operator hears everything and publishes commands. The receiver hears everything of the devices and answers them.
//
// Secrets are 256 random bits, shown once. What is kept of one is a hash that mosquitto's password files have too, so that
// both brokers let the same devices in. It is a quick hash: nobody guesses 256 bits, whatever a guess costs.
//
// The package is pure: it knows neither a broker nor a database.
package access

import (
	"strings"

	"holdfast"
)

// A Login is one name that may log in.
type Login struct {
	Name     string
	Hash     string // see [Hash]
	Operator bool   // else a device
}

// Rights are the topics that somebody may use, as MQTT's filters.
type Rights struct{ Publish, Subscribe []string }

// Rights returns what the login may do.
func (l Login) Rights(t holdfast.Topics) Rights {
	if l.Operator {
		return Operator(t)
	}
	return Device(t, l.Name)
}

// Device returns the rights of one device, its own topics.
func Device(t holdfast.Topics, id string) Rights {
	var r Rights
	for _, leaf := range []string{
		string(holdfast.LaneTelemetry), string(holdfast.LaneEvent), string(holdfast.LaneAlert),
		holdfast.TopicState, holdfast.TopicCatalog, holdfast.TopicResponse,
		"shadow/#",
	} {
		r.Publish = append(r.Publish, t.Device(id, leaf))
	}
	r.Subscribe = []string{
		t.Device(id, holdfast.TopicReceipt), t.Device(id, holdfast.TopicCommand), t.Device(id, "shadow/#"),
		t.Broadcast(), t.Group("+"), t.Receiver("+"),
	}
	return r
}

// Operator returns the rights of a person or program that steers devices.
func Operator(t holdfast.Topics) Rights {
	return Rights{
		Publish: []string{
			t.Device("+", holdfast.TopicCommand), t.Group("+"),
			t.Device("+", "shadow/get"), t.Device("+", "shadow/update"), t.Device("+", "shadow/delete"),
		},
		Subscribe: []string{strings.Replace(t.Devices("#"), "/+/#", "/#", 1), t.Group("+"), t.Receiver("+")},
	}
}

// Receiver returns the rights of the receiver itself.
func Receiver(t holdfast.Topics, instance string) Rights {
	return Rights{
		Publish: []string{
			t.Device("+", holdfast.TopicReceipt), t.Receiver(instance),
			t.Device("+", holdfast.TopicCommand), t.Group("+"), t.Device("+", "shadow/#"),
		},
		Subscribe: Operator(t).Subscribe,
	}
}

// ReceiverName is what a receiver is called at a broker. Names that begin with it are for receivers alone, since the client
// ids of theirs do.
const ReceiverName = "receiver"

// CheckName returns an error unless a device or an operator may have that name.
func CheckName(name string) error {
	if err := holdfast.CheckDevice(name); err != nil {
		return err
	}
	if name == ReceiverName || strings.HasPrefix(name, ReceiverName+"-") {
		return errReserved
	}
	return nil
}

// MayUse reports whether name may connect under an MQTT client id: its name, a dash, and letters or digits of its own. So no
// two names share a client id, and none can take over another's session. An operator may leave it to the broker or to a tool
// to make one up, without a dash.
func (l Login) MayUse(clientID string) bool {
	end := strings.LastIndexByte(clientID, '-')
	if end < 0 {
		return l.Operator
	}
	return clientID[:end] == l.Name && end < len(clientID)-1
}
