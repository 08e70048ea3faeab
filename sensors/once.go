package sensors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"holdfast"
)

// A Sampled says what came of reading a sensor out of turn.
type Sampled struct {
	Sensor string `json:"sensor"`
	Error  string `json:"error,omitempty"` // why there is no reading
}

// Sample reads one sensor now, or with "" each, beside its schedule, and hands the readings out as any others. It returns
// what came of it in the order of the names once the consumer has them all, or when ctx ends. A sensor that is being read
// is read again after that. It needs Run, and measuring: while that is stopped each sensor says so.
func (s *Sampler) Sample(ctx context.Context, sensor string) ([]Sampled, error) {
	var tracks []*track
	for _, t := range s.known() {
		if sensor == "" || t.name == sensor {
			tracks = append(tracks, t)
		}
	}
	if sensor != "" && tracks == nil {
		return nil, fmt.Errorf("sample %s: there is no such sensor", sensor)
	}
	out := make([]Sampled, len(tracks))
	var asked sync.WaitGroup
	for i, t := range tracks {
		asked.Go(func() {
			out[i].Sensor = t.name
			if err := t.ask(ctx); err != nil {
				out[i].Error = err.Error()
			}
		})
	}
	asked.Wait()
	return out, nil
}

// A question asks a sensor's goroutine for a reading out of turn.
type question struct {
	ctx    context.Context
	answer chan error // cap 1
}

// ask asks, and waits for the answer.
func (t *track) ask(ctx context.Context) error {
	q := question{ctx, make(chan error, 1)}
	select {
	case t.questions <- q:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-q.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once answers a question.
func (s *Sampler) once(ctx context.Context, t *track, q question, out chan<- *holdfast.Reading) error {
	orders := s.orders(t.name)
	if !orders.measuring {
		return errors.New("measuring is stopped")
	}
	r := s.read(ctx, t, orders.patience)
	if r == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Errorf("not read: %s", cmp.Or(t.last.Error, ErrNotReady.Error()))
	}
	copied := copyOf(r)
	select {
	case out <- r:
		s.handed(t, copied)
		return nil
	case <-q.ctx.Done():
		s.skipped(t, 1)
		return q.ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Scan says what is on the buses: the sensors that are sampled, by what is known of them, and what answers at the other
// addresses of the driver table, as [Scan] does. Sampling goes on meanwhile.
func (s *Sampler) Scan(ctx context.Context) []Finding {
	found := make([][]Finding, len(s.o.Buses))
	var scans sync.WaitGroup
	for i, bus := range s.o.Buses {
		scans.Go(func() {
			for _, t := range s.known() {
				if t.wire == bus.wire && s.taken(t.bus, t.addr) {
					found[i] = append(found[i], Finding{
						Bus: bus.Number(), Channel: t.channel, Address: t.addr, Chip: t.driver.Chip, Sensor: t.name, Sure: t.driver.Confidence,
					})
				}
			}
			for f := range scan(ctx, bus, func(b *Bus, addr uint16) bool { return s.taken(b.name(), addr) }) {
				found[i] = append(found[i], f)
			}
			slices.SortFunc(found[i], inOrder)
		})
	}
	scans.Wait()
	return slices.Concat(found...)
}
