package mqtt

import (
	"context"
	"fmt"
	"time"
)

// Unsubscribe takes subscriptions back and returns when the broker has confirmed it. Messages that were on their way already
// may still arrive.
func (c *Conn) Unsubscribe(ctx context.Context, filters ...string) error {
	token := c.client.Unsubscribe(filters...)
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	select {
	case <-token.Done():
	case <-c.lost:
		return fmt.Errorf("unsubscribe: %w", c.Err())
	case <-ctx.Done():
		return fmt.Errorf("unsubscribe: %w", ctx.Err())
	case <-timeout.C:
		return fmt.Errorf("unsubscribe: no answer after %v", answerTimeout)
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	return nil
}
