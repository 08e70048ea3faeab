package sensors

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast"
)

// Run samples until ctx ends; then it waits for its goroutines and returns nil. A transaction that hangs in the kernel is
// not waited for. Run is called once. A reading is handed over for good: the sampler does not touch it again.
func (s *Sampler) Run(ctx context.Context, out chan<- *holdfast.Reading) error {
	var work sync.WaitGroup
	follow := func(t *track) { work.Go(func() { s.follow(ctx, t, out) }) }
	for _, t := range s.known() {
		follow(t)
	}
	if !s.o.NoSearch {
		for _, bus := range s.o.Buses {
			work.Go(func() { s.search(ctx, bus, follow) })
		}
	}
	<-ctx.Done()
	work.Wait()
	return nil
}

// follow samples one sensor until ctx ends.
func (s *Sampler) follow(ctx context.Context, t *track, out chan<- *holdfast.Reading) {
	var plan schedule
	var tried time.Time // when it was last read
	for ctx.Err() == nil {
		now, orders := time.Now(), s.orders(t.name)
		if !orders.measuring {
			plan = schedule{}
			t.grader.forget()
			s.rest(ctx, t, orders.changed, nil, out)
			continue
		}
		if plan.interval != orders.interval {
			plan = schedule{start: now, interval: orders.interval}
		}
		s.skipped(t, plan.skipLate(now))
		if due := plan.due(); due.After(now) {
			timer := time.NewTimer(due.Sub(now))
			s.rest(ctx, t, orders.changed, timer.C, out)
			timer.Stop()
			continue
		}
		plan.n++
		if s.gone(t) && (now.Sub(tried) < s.o.Rediscover || t.wire != nil && !s.free(t)) {
			s.skipped(t, 1)
			continue
		}
		tried = now
		if r := s.read(ctx, t, orders.patience); r != nil {
			s.hand(ctx, t, r, out, plan.due(), orders.changed)
		}
	}
}

// sleep returns when ctx ends, the orders change or the timer fires; a nil timer never does.
func sleep(ctx context.Context, changed <-chan struct{}, timer <-chan time.Time) {
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer:
	}
}

// rest is sleep, and returns too when it has answered a question.
func (s *Sampler) rest(ctx context.Context, t *track, changed <-chan struct{}, timer <-chan time.Time, out chan<- *holdfast.Reading) {
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer:
	case q := <-t.questions:
		q.answer <- s.once(ctx, t, q, out)
	}
}

// read takes one reading, or returns nil and has noted why there is none.
func (s *Sampler) read(ctx context.Context, t *track, patience time.Duration) *holdfast.Reading {
	timed, cancel := context.WithTimeout(ctx, s.deadline(t, patience))
	defer cancel()
	s.reads(t, true)
	defer s.reads(t, false)
	if t.wire != nil {
		defer t.wire.reads()()
	}
	t.grader.calibrations = s.orders(t.name).corrected
	m, err := t.measure(timed)
	if err != nil && !errors.Is(err, ErrNotReady) && s.worthARetry(t) && timed.Err() == nil {
		s.retried(t)
		m, err = t.measure(timed)
	}
	at := s.o.Now()
	if ctx.Err() != nil || !s.orders(t.name).measuring {
		return nil // stopped meanwhile
	}
	if errors.Is(err, ErrNotReady) {
		s.skipped(t, 1)
		return nil
	}
	r := &holdfast.Reading{Time: at.Time, Mono: at.Mono, Clock: at.Clock(), Sensor: t.name, Values: m.values, Quality: m.quality}
	if err == nil {
		err = r.Validate()
	}
	s.note(t, m, err)
	if err != nil {
		s.o.Log.Debug("read failed", "sensor", t.name, "err", err)
		return nil
	}
	s.o.Log.Debug("reading", "sensor", t.name, "values", m.values, "quality", m.quality, "bad", m.bad)
	return r
}

// free reports whether no other sensor at the address of a lost one is being read, and notes that this one is. Two kinds of
// chip that are asked for in turns, step by step, can keep whichever is there from answering for ever.
func (s *Sampler) free(t *track) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	busy := slices.ContainsFunc(s.tracks, func(o *track) bool { return o != t && o.reading && o.bus == t.bus && o.addr == t.addr })
	t.reading = t.reading || !busy
	return !busy
}

// reads notes whether the sensor is being read.
func (s *Sampler) reads(t *track, now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.reading = now
}

// worthARetry reports whether a sensor that failed is read again at once: one that has been well. A single disturbance on the
// wires costs no sample then.
func (s *Sampler) worthARetry(t *track) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.health.state() == holdfast.SensorOK
}

func (s *Sampler) retried(t *track) {
	s.mu.Lock()
	t.last.Retries++
	s.mu.Unlock()
	if t.wire != nil {
		t.wire.retried()
	}
}

// deadline returns how long a read may take. While all is well it has to be done within the interval that is set. A chip that
// has to be set up gets the full time, since some need longer for that than a short interval is.
func (s *Sampler) deadline(t *track, patience time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.health.state() != holdfast.SensorOK {
		return s.o.Deadline
	}
	return min(patience, s.o.Deadline)
}

// note takes the outcome of a sample into the sensor's state, and tells of a change.
func (s *Sampler) note(t *track, m measurement, err error) {
	s.mu.Lock()
	before := t.health.state()
	t.last.Error = ""
	if err != nil {
		if errors.Is(err, errWaited) {
			t.health.disturb()
		} else {
			t.health.fail()
		}
		t.last.Errors++
		t.last.Error = err.Error()
	} else {
		t.health.succeed()
	}
	t.last.Bad += uint64(len(m.bad))
	t.last.Suspect += uint64(len(m.quality))
	if len(m.bad) > 0 && err == nil {
		t.last.Error = strings.Join(m.bad, "; ")
	}
	now, text := t.health.state(), t.last.Error
	if now != before {
		s.revision++
	}
	s.mu.Unlock()

	if now == before {
		return
	}
	switch now {
	case holdfast.SensorOK:
		s.o.Log.Info("sensor answers", "sensor", t.name, "before", before)
	default:
		s.o.Log.Warn("sensor fails", "sensor", t.name, "state", now, "err", err)
	}
	s.o.Changed(holdfast.SensorChange{Sensor: t.name, State: now, Error: text})
}

// hand gives the reading to the consumer, who has until the next sample is due or something else is ordered.
func (s *Sampler) hand(ctx context.Context, t *track, r *holdfast.Reading, out chan<- *holdfast.Reading, next time.Time, changed <-chan struct{}) {
	copied := copyOf(r)
	select {
	case out <- r:
		s.handed(t, copied)
		return
	default:
	}
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	select {
	case out <- r:
		s.handed(t, copied)
	case <-timer.C:
		s.skipped(t, 1)
	case <-changed:
		s.skipped(t, 1)
	case <-ctx.Done():
	}
}

// copyOf returns a reading to keep, for the original is the consumer's as soon as he has it.
func copyOf(r *holdfast.Reading) *holdfast.Reading {
	copied := *r
	copied.Values, copied.Quality = maps.Clone(r.Values), maps.Clone(r.Quality)
	return &copied
}

func (s *Sampler) handed(t *track, r *holdfast.Reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.last.Samples++
	t.last.Values, t.last.Quality, t.last.Time = r.Values, r.Quality, r.Time
}

func (s *Sampler) skipped(t *track, n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.last.Skipped += n
}

func (s *Sampler) gone(t *track) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.health.gone()
}
