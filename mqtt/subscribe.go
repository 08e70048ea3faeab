package mqtt

import (
	"context"
	"errors"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// ErrRefused says that the broker refused a subscription.
var ErrRefused = errors.New("refused by the broker")

const refused = 0x80 // the SUBACK's code

// Subscribe subscribes to the filters at QoS 1 and returns when the broker has granted them all. Their messages go to
// Options.Handler. Where it refuses one, the error names it and wraps [ErrRefused]; the others are granted then.
func (c *Conn) Subscribe(ctx context.Context, filters ...string) error {
	want := make(map[string]byte, len(filters))
	for _, filter := range filters {
		want[filter] = 1
	}
	token := c.client.SubscribeMultiple(want, nil).(*paho.SubscribeToken)
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	select {
	case <-token.Done():
	case <-c.lost:
		return fmt.Errorf("subscribe: %w", c.Err())
	case <-ctx.Done():
		return fmt.Errorf("subscribe: %w", ctx.Err())
	case <-timeout.C:
		return fmt.Errorf("subscribe: no answer after %v", answerTimeout)
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	granted := token.Result()
	for _, filter := range filters {
		if code, ok := granted[filter]; !ok || code >= refused {
			return fmt.Errorf("subscribe %s: %w", filter, ErrRefused)
		}
	}
	return nil
}
