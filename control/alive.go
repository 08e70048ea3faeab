package control

import "context"

// Alive returns nil as soon as no change is under way, and the error of ctx where one does not come to an end.
func (c *Control) Alive(ctx context.Context) error {
	if err := c.acquire(ctx); err != nil {
		return err
	}
	c.release()
	return nil
}
