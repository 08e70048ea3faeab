package uplink

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/mqtt"
)

// The uplink turns within five minutes without a broker, and with one that nobody reaches.
func TestTurns(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]func(context.Context) (net.Conn, error){
		"no broker": nil,
		"refused":   func(context.Context) (net.Conn, error) { return nil, errors.New("refused") },
		"hangs":     func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				u := New(Options{
					Broker: mqtt.Options{Dial: dial}, Device: "turns", Stream: holdfast.NewStream(), Mode: holdfast.AckPuback,
					Status: func() holdfast.Status { return holdfast.Status{} },
				})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- u.Run(ctx) }()
				for range 100 {
					before := u.Turns()
					time.Sleep(5 * time.Minute)
					if u.Turns() == before {
						t.Fatal("it stands still")
					}
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
