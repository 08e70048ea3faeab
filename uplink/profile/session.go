package profile

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"holdfast"
	"holdfast/mqtt"
)

const (
	maxReadings  = 1000     // in a page
	maxBytes     = 64 << 10 // of their records; what the older format adds to each fits into a message too
	maxRequests  = 16       // waiting
	minInterval  = 100 * time.Millisecond
	closeTimeout = 2 * time.Second
)

// session connects and publishes until the link is gone or ctx ends. The error says why the link is gone.
func (p *Profile) session(ctx context.Context) error {
	live, end := context.WithCancel(ctx)
	requests := make(chan mqtt.Message, maxRequests)
	o := p.o.Broker
	o.CleanSession, o.Log = true, p.o.Log
	o.Handler = func(m mqtt.Message) {
		select {
		case requests <- m:
		case <-live.Done():
		}
	}
	conn, err := mqtt.Connect(ctx, o)
	if err != nil {
		end()
		return err
	}
	var running sync.WaitGroup
	defer func() {
		end()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if ctx.Err() != nil && conn.Err() == nil && p.o.Bye != nil {
			if err := conn.Publish(patience, p.o.Bye()); err != nil {
				p.o.Log.Warn("the end of this gateway could not be told", "err", err)
			}
		}
		conn.Close(patience)
		running.Wait()
	}()
	if p.o.Flat != nil {
		if err := conn.Subscribe(ctx, p.o.Flat.Topics.Request, p.o.Flat.Topics.Broadcast); err != nil {
			return err
		}
		running.Go(func() { p.obey(live, conn, requests) })
	}
	if p.o.Hello != nil {
		if err := conn.Publish(ctx, p.o.Hello()); err != nil {
			return err
		}
	}
	p.up()
	return p.forward(ctx, conn)
}

// forward publishes what is new, at each interval.
func (p *Profile) forward(ctx context.Context, conn *mqtt.Conn) error {
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-conn.Lost():
			return conn.Err()
		case <-alarm.C:
		case <-p.rewound:
		}
		if p.o.Enabled() {
			if err := p.drain(ctx, conn); err != nil {
				return err
			}
		}
		alarm.Reset(max(p.o.Interval(), minInterval))
	}
}

// drain publishes all that lies behind the cursor, a page at a time.
func (p *Profile) drain(ctx context.Context, conn *mqtt.Conn) error {
	for p.o.Enabled() {
		from := p.Cursor()
		page, err := p.page(from, maxReadings, func(*holdfast.Reading) bool { return true })
		if err != nil {
			p.o.Log.Error("records cannot be read", "err", err)
			return nil // at the next interval
		}
		if page.last == from {
			return nil
		}
		if err := p.publish(ctx, conn, page.readings); err != nil {
			return err
		}
		p.move(from, page.last, page.readings)
	}
	return nil
}

// A page is some readings, and the position of the last record that was looked at for it.
type page struct {
	readings []*holdfast.Reading
	last     holdfast.Position
}

// page returns the next readings behind from that are wanted, at most so many, and as many as fit.
func (p *Profile) page(from holdfast.Position, most int, wanted func(*holdfast.Reading) bool) (page, error) {
	out, size := page{last: from}, 0
	err := p.o.Records.Follow(holdfast.LaneTelemetry, from, func(at holdfast.Position, record json.RawMessage) bool {
		if size += len(record); size > maxBytes && len(out.readings) > 0 {
			return false
		}
		out.last = at
		if reading := asReading(record); reading != nil && wanted(reading) {
			out.readings = append(out.readings, reading)
		}
		return len(out.readings) < most
	})
	return out, err
}

// asReading returns the reading that a record is, or nil for another kind of record.
func asReading(record json.RawMessage) *holdfast.Reading {
	r, err := holdfast.DecodeRecord(holdfast.LaneTelemetry, record)
	if err != nil {
		return nil
	}
	reading, _ := r.(*holdfast.Reading)
	return reading
}

// publish publishes readings and returns when the broker has acknowledged them.
func (p *Profile) publish(ctx context.Context, conn *mqtt.Conn, readings []*holdfast.Reading) error {
	if len(readings) == 0 {
		return nil
	}
	messages, err := p.o.Format.Messages(readings)
	if err != nil {
		return err
	}
	sent := make([]*mqtt.Sent, 0, len(messages))
	for _, m := range messages {
		sent = append(sent, conn.Send(m))
	}
	for _, s := range sent {
		select {
		case <-s.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.Err(); err != nil && !errors.Is(err, mqtt.ErrMessage) {
			return err
		} else if err != nil {
			p.o.Log.Error("readings cannot be published", "err", err)
		}
	}
	return nil
}
