package desk

import (
	"context"
	"errors"
	"sync"
	"time"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/receiver/store"
)

// leaves are the topics of devices that the desk listens to: theirs, and those of operators.
func leaves() []string {
	return []string{
		holdfast.TopicState, holdfast.TopicCommand, holdfast.TopicResponse, document,
		get + accepted, update, update + accepted, update + rejected, remove, remove + accepted,
	}
}

// session is one connection's life. It returns nil where ctx ended it, and why it ended otherwise.
func (d *Desk) session(ctx context.Context) error {
	taking, stop := context.WithCancel(ctx)
	defer stop()
	clear(d.online)
	in := make(chan *delivery, group)
	link := d.Link
	link.ClientID = "receiver-" + d.Instance + ":desk" // no instance has a colon
	link.CleanSession, link.ManualAck, link.Log = false, true, d.Log
	link.Handler = func(m mqtt.Message) {
		one := read(d.Topics, m, d.Now())
		select {
		case in <- one:
		case <-taking.Done(): // not acknowledged: it comes again
		}
	}
	conn, err := mqtt.Connect(ctx, link)
	if err != nil {
		return err
	}
	entered := make(chan error, 1)
	var entering sync.WaitGroup
	entering.Go(func() {
		var filters []string
		for _, leaf := range leaves() {
			filters = append(filters, d.Topics.Devices(leaf))
		}
		entered <- conn.Subscribe(ctx, filters...)
	})
	defer func() {
		stop()
		conn.Close(context.WithoutCancel(ctx))
		entering.Wait()
	}()
	return d.serve(ctx, conn, in, entered)
}

// serve commits what comes in and sends what is due, until the connection or ctx ends.
func (d *Desk) serve(ctx context.Context, conn *mqtt.Conn, in <-chan *delivery, entered <-chan error) error {
	looking, tidying := time.NewTicker(look), time.NewTicker(tidy)
	defer looking.Stop()
	defer tidying.Stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	var inbox <-chan *delivery // nil while it rests
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-conn.Lost():
			return conn.Err()
		case err = <-entered:
		case <-rest.C:
			inbox = in
		case first := <-inbox:
			if err = d.commit(ctx, waiting(first, in)); err == nil {
				err = d.hand(ctx, conn)
			}
			inbox = nil
			rest.Reset(calm)
		case <-looking.C:
			if err = d.learn(ctx, conn); err == nil {
				err = d.hand(ctx, conn)
			}
		case <-d.wake:
			err = d.hand(ctx, conn)
		case <-tidying.C:
			err = d.Store.Write(ctx, func(tx *store.Tx) error { return tx.ExpireCommands(d.Now()) })
		}
		if err != nil {
			return err
		}
	}
}

// waiting returns first and what else is there already.
func waiting(first *delivery, in <-chan *delivery) []*delivery {
	all := []*delivery{first}
	for len(all) < group {
		select {
		case one := <-in:
			all = append(all, one)
		default:
			return all
		}
	}
	return all
}

// commit puts deliveries into the database in one transaction and then acknowledges them. One that the database refuses is
// logged and let go: it would be refused again.
func (d *Desk) commit(ctx context.Context, all []*delivery) error {
	err := d.Store.Write(ctx, func(tx *store.Tx) error {
		for _, one := range all {
			if err := d.put(tx, one); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrConflict) && len(all) > 1 {
		half := len(all) / 2
		if err := d.commit(ctx, all[:half]); err != nil {
			return err
		}
		return d.commit(ctx, all[half:])
	}
	if errors.Is(err, store.ErrConflict) {
		d.Log.Error("message for the desk is refused by the database", "topic", all[0].Topic, "err", err)
		err = nil
	}
	if err != nil {
		return err
	}
	for _, one := range all {
		one.Ack()
	}
	return nil
}

// learn asks registered devices for their shadows, as far as these have not published them on this connection: they may have
// done so while nobody listened.
func (d *Desk) learn(ctx context.Context, conn *mqtt.Conn) error {
	now := d.Now()
	for device, p := range d.online {
		if p.learned || now.Before(p.ask) {
			continue
		}
		p.ask = now.Add(askPause)
		found, err := d.Store.Devices(ctx, device, 1)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			p.ask = now.Add(time.Second) // ingest may be about to register it
		} else {
			conn.Send(mqtt.Message{Topic: d.Topics.Device(device, get)})
		}
		d.online[device] = p
	}
	return nil
}

// hand sends to the devices that are online what waits for them and is due.
func (d *Desk) hand(ctx context.Context, conn *mqtt.Conn) error {
	if len(d.online) == 0 {
		return nil
	}
	awaited, err := d.Store.Awaited(ctx)
	if err != nil {
		return err
	}
	for _, device := range awaited {
		p, ok := d.online[device]
		now := d.Now()
		if !ok || now.Before(p.next) {
			continue
		}
		n, err := d.handTo(ctx, conn, device, p.heard, now)
		if err != nil {
			return err
		}
		p.next = now.Add(time.Duration(n) * pace)
		d.online[device] = p
	}
	return nil
}

// handTo sends one device what was not sent since it was heard, a few messages at a time, and returns how many it sent. They
// are noted as sent before: where the process dies between, the device's next heartbeat makes them due again.
func (d *Desk) handTo(ctx context.Context, conn *mqtt.Conn, device string, heard, now time.Time) (int, error) {
	due, err := d.Store.DueCommands(ctx, device, heard, now, handful)
	if err != nil {
		return 0, err
	}
	shadow, err := d.Store.Shadow(ctx, device)
	if err != nil {
		return 0, err
	}
	wishes := string(shadow.Desired) != "{}" && shadow.Sent.Before(heard)
	if len(due) == 0 && !wishes {
		return 0, nil
	}
	var request []byte
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		for _, c := range due {
			if err := tx.SentCommand(c.N, now); err != nil {
				return err
			}
		}
		if !wishes {
			return nil
		}
		request, err = sendWishes(tx, device, now)
		return err
	})
	if err != nil {
		return 0, err
	}
	sent := 0
	if len(request) > 0 {
		conn.Send(mqtt.Message{Topic: d.Topics.Device(device, update), Payload: request})
		sent++
	}
	for _, c := range due {
		conn.Send(mqtt.Message{Topic: d.Topics.Device(device, holdfast.TopicCommand), Payload: c.Payload})
		sent++
	}
	return sent, nil
}
