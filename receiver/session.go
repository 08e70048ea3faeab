package receiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/wire"
)

const (
	groupSize    = 64 // messages committed together at most
	goodbye      = time.Second
	wantInterval = 10 * time.Second
	heartbeat    = time.Minute // of the presence: a broker may have forgotten it, or kept it from one that just came
)

// leaves are the topics of devices that a receiver listens to.
var leaves = []string{
	string(holdfast.LaneTelemetry), string(holdfast.LaneEvent), string(holdfast.LaneAlert),
	holdfast.TopicState, holdfast.TopicCatalog, holdfast.TopicResponse,
}

// session is one connection's life. It returns nil where ctx ended it, and why it ended otherwise.
func (r *Receiver) session(ctx context.Context) error {
	taking, stop := context.WithCancel(ctx)
	in := make(chan *delivery, groupSize)
	link := r.Link
	link.ClientID = "receiver-" + r.Instance
	link.CleanSession = false
	link.ManualAck = true
	link.Log = r.Log
	will := r.presence(false)
	link.Will = &will
	link.Handler = func(m mqtt.Message) {
		select {
		case in <- read(r.Topics, m, time.Now()):
		case <-taking.Done(): // not acknowledged: it comes again
		}
	}
	conn, err := mqtt.Connect(ctx, link)
	if err != nil {
		stop()
		return err
	}
	entered := make(chan error, 1)
	var entering sync.WaitGroup
	entering.Go(func() { entered <- r.enter(ctx, conn) })
	defer func() {
		stop()
		r.leave(ctx, conn)
		entering.Wait()
	}()
	return r.take(ctx, conn, in, entered)
}

// enter subscribes and then, when nothing can be missed any more, says that the receiver is there.
func (r *Receiver) enter(ctx context.Context, conn *mqtt.Conn) error {
	var filters []string
	for _, leaf := range leaves {
		filters = append(filters, r.Topics.Devices(leaf))
	}
	if err := conn.Subscribe(ctx, filters...); err != nil {
		return err
	}
	return conn.Publish(ctx, r.presence(true))
}

// take commits what comes in, group by group, until the connection or ctx ends. It does so from the start: what the broker
// kept for this session comes before the subscriptions are granted, and a broker may grant none while all that waits
// for its acknowledgement.
func (r *Receiver) take(ctx context.Context, conn *mqtt.Conn, in <-chan *delivery, entered <-chan error) error {
	wants := newWants(r)
	ticker := time.NewTicker(wantInterval)
	defer ticker.Stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-conn.Lost():
			return conn.Err()
		case err := <-entered:
			if err != nil {
				return errors.Join(err, r.takeRest(ctx, conn, in))
			}
			r.setDown(nil)
		case <-ticker.C:
			if err := wants.sweep(ctx, conn); err != nil {
				return err
			}
		case <-beat.C:
			conn.Send(r.presence(true)) // one that is lost is followed by the next
		case first := <-in:
			if err := r.commit(ctx, conn, waiting(first, in)); err != nil {
				return err
			}
		}
	}
}

// takeRest commits what is there already before a connection is given up.
func (r *Receiver) takeRest(ctx context.Context, conn *mqtt.Conn, in <-chan *delivery) error {
	patience := time.NewTimer(goodbye)
	defer patience.Stop()
	select {
	case first := <-in:
		return r.commit(ctx, conn, waiting(first, in))
	case <-patience.C:
	case <-ctx.Done():
	}
	return nil
}

// waiting returns first and what else is there already.
func waiting(first *delivery, in <-chan *delivery) []*delivery {
	group := []*delivery{first}
	for len(group) < groupSize {
		select {
		case d := <-in:
			group = append(group, d)
		default:
			return group
		}
	}
	return group
}

// leave says that the receiver is gone, as far as the connection still carries it, and closes the connection.
func (r *Receiver) leave(ctx context.Context, conn *mqtt.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if conn.Err() == nil {
		if err := conn.Publish(ctx, r.presence(false)); err != nil {
			r.Log.Warn("presence not withdrawn", "err", err)
		}
	}
	conn.Close(ctx)
}

// presence is the retained message by which gateways know the receiver.
func (r *Receiver) presence(online bool) mqtt.Message {
	p := holdfast.Presence{V: holdfast.Version, Store: r.Store.ID(), Start: r.start, Online: online, Version: r.Version}
	if online {
		p.Accepts = []string{holdfast.AcceptsJSON, holdfast.AcceptsZstd}
	}
	payload, err := wire.Encode(&p)
	if err != nil {
		panic(fmt.Sprintf("receiver: presence: %v", err)) // store and start are set, whatever else
	}
	return mqtt.Message{Topic: r.Topics.Receiver(r.Instance), Payload: payload, Retained: true}
}
