package mqtt

import "github.com/eclipse/paho.mqtt.golang/packets"

// nothing is a paho.Store that keeps nothing. paho reads its store only when it resumes a session with the same client,
// which never happens here; until then every unacknowledged payload would be held twice.
type nothing struct{}

func (nothing) Open()                             {}
func (nothing) Put(string, packets.ControlPacket) {}
func (nothing) Get(string) packets.ControlPacket  { return nil }
func (nothing) All() []string                     { return nil }
func (nothing) Del(string)                        {}
func (nothing) Close()                            {}
func (nothing) Reset()                            {}
