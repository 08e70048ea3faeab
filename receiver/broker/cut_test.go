package broker

import (
	"context"
	"net"
)

// cut is a connection that a test can cut without a word to the broker.
type cut struct{ net.Conn }

func dialCut(addr string, dialled chan<- *cut) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		c := &cut{conn}
		dialled <- c
		return c, nil
	}
}
