package profile

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
	"holdfast/mqtt"
)

type nothing struct{}

func (nothing) Follow(holdfast.Lane, holdfast.Position, func(holdfast.Position, json.RawMessage) bool) error {
	return nil
}

// The profile goes over to another broker at once, also from one that cannot be reached, and from none.
func TestRetarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := testenv.MemoryBroker(t), testenv.MemoryBroker(t)
		p := New(Options{
			Records: nothing{}, Format: &Plain{Device: "pi-7"}, Hello: func() mqtt.Message { return mqtt.Message{Topic: "hello", Payload: []byte("x"), Retained: true} },
			Enabled: func() bool { return true }, Interval: func() time.Duration { return time.Second },
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		var stood atomic.Int32
		for i, broker := range []*testenv.Broker{first, second} {
			time.Sleep(time.Minute)
			p.Retarget(mqtt.Options{Dial: broker.Dial}, func() { stood.Add(1) })
			time.Sleep(time.Second)
			if broker.Retained("hello") == nil || int(stood.Load()) != i+1 || !p.Status().Up {
				t.Errorf("broker %d: stood %d times, %+v", i+1, stood.Load(), p.Status())
			}
			broker.Block()
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
