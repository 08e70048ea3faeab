package uplink

import (
	"fmt"
	"testing"

	"holdfast/mqtt"
)

func TestOutbox(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	if _, _, ok := o.peek(); ok {
		t.Fatal("a new outbox holds a message")
	}
	put := func(i int) bool { return o.put(mqtt.Message{Payload: fmt.Append(nil, i)}) }
	for i := range maxOutbox {
		if put(i) {
			t.Fatalf("message %d took the place of another", i)
		}
	}
	<-o.wake
	_, number, _ := o.peek() // on its way, and dropped meanwhile
	if !put(maxOutbox) {
		t.Error("the outbox grew beyond its bound")
	}
	<-o.wake
	o.done(number)
	for i := 1; i <= maxOutbox; i++ {
		m, number, ok := o.peek()
		if !ok || string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("message %s, want %d", m.Payload, i)
		}
		o.done(number)
	}
	if m, _, ok := o.peek(); ok {
		t.Errorf("message %s is left", m.Payload)
	}
}
