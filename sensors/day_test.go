package sensors_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// A troubled chip is a model whose supply breaks down, whose bits are turned over on the wire, or which is another one.
type troubled struct {
	mu     sync.Mutex
	chip   simulated.Chip
	random *rand.Rand
	cuts   bool // of the supply, before one transaction of six, though not twice within a second
	flips  bool // of one bit, in one answer of two
	cut    time.Time
}

func (c *troubled) PowerUp(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chip.PowerUp(at)
}

func (c *troubled) Tx(at time.Time, w, r []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cuts && c.random.IntN(6) == 0 && at.Sub(c.cut) > time.Second {
		c.cut = at
		c.chip.PowerUp(at)
	}
	err := c.chip.Tx(at, w, r)
	if c.flips && len(r) > 0 && c.random.IntN(2) == 0 {
		r[c.random.IntN(len(r))] ^= 1 << c.random.IntN(8)
	}
	return err
}

func (c *troubled) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// stranger is a chip that nobody knows: whatever is asked, it answers with what has nothing to do with it, always the same.
type stranger struct{ seed, pointer byte }

func (stranger) PowerUp(time.Time) {}

func (s *stranger) Tx(_ time.Time, w, r []byte) error {
	if len(w) > 0 {
		s.pointer = w[0]
	}
	for i := range r {
		h := fnv.New32a()
		h.Write([]byte{s.seed, s.pointer, byte(i)})
		r[i] = byte(h.Sum32() >> 7)
	}
	return nil
}

// day is what comes of one chip in 24 hours.
type day struct {
	*bench
	subject subject
	random  *rand.Rand
	bus     *simulated.Bus
	addr    uint16
	chip    *troubled

	mu       sync.Mutex
	fault    string    // the last one
	last     time.Time // of the last reading of the chip itself
	good     int
	suspect  int
	wrong    int                      // of them, those that are wrong
	recovery map[string]time.Duration // the longest, by fault
}

const (
	dayDeadline   = 2 * time.Second // of a read: no value is older, but for the chip's own period
	dayInterval   = 5 * time.Second
	dayRediscover = time.Minute
)

// take checks each reading against what was true, whichever chip it says it is of.
func (d *day) take(ctx context.Context, out <-chan *holdfast.Reading) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-out:
			d.check(r)
		}
	}
}

func (d *day) check(r *holdfast.Reading) {
	chip, _, _ := strings.Cut(r.Sensor, "-")
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.chip == chip })
	s := subjects[i]
	d.mu.Lock()
	defer d.mu.Unlock()
	if chip == d.subject.chip {
		d.last = r.Time
	}
	for name, v := range r.Values {
		wrong := s.wrong(name, v, r.Time)
		switch {
		case r.Quality[name] == holdfast.Suspect && wrong != "":
			d.wrong++
			fallthrough
		case r.Quality[name] == holdfast.Suspect:
			d.suspect++
		case wrong != "":
			d.t.Errorf("%v after the start, in %q, %s: %s", r.Time.Sub(d.start), d.fault, r.Sensor, wrong)
		default:
			d.good++
		}
	}
}

// wrong says why the value cannot have been measured in time; empty where it can.
func (s subject) wrong(name string, v float64, at time.Time) string {
	lowest, highest := math.Inf(1), math.Inf(-1)
	for age := time.Duration(0); age <= dayDeadline+s.period; age += time.Second {
		was := surroundings[name](at.Add(-age))
		lowest, highest = min(lowest, was), max(highest, was)
	}
	within, ok := s.within[name]
	if !ok {
		within = resolution[name]
	}
	if v >= lowest-within && v <= highest+within {
		return ""
	}
	return fmt.Sprintf("%s is %v, and was %v to %v, ± %v", name, v, lowest, highest, within)
}

// A fault goes on for that long, and is over when it returns.
type fault struct {
	name string
	do   func(d *day, long time.Duration)
}

var faults = []fault{
	{"unplugged", func(d *day, long time.Duration) {
		d.bus.Unplug(d.addr)
		time.Sleep(long)
		d.bus.Plug(d.addr)
	}},
	{"loose", func(d *day, long time.Duration) {
		for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(d.upTo(500 * time.Millisecond)) {
			d.bus.Refuse(d.addr, d.random.IntN(12))
		}
		d.bus.Refuse(d.addr, -1)
	}},
	{"an open line", func(d *day, long time.Duration) {
		d.bus.Garbage(d.addr, true)
		time.Sleep(long)
		d.bus.Garbage(d.addr, false)
	}},
	{"brown-outs", func(d *day, long time.Duration) {
		d.chip.change(func() { d.chip.cuts = true })
		time.Sleep(long)
		d.chip.change(func() { d.chip.cuts = false })
	}},
	{"slow", func(d *day, long time.Duration) {
		d.bus.Slow(d.addr, d.upTo(time.Second))
		time.Sleep(long)
		d.bus.Slow(d.addr, 0)
	}},
	{"hung", func(d *day, long time.Duration) {
		d.bus.Stick()
		time.Sleep(long)
		d.bus.Release()
	}},
	{"bits", func(d *day, long time.Duration) {
		if !d.subject.checked {
			return // nobody could know
		}
		d.chip.change(func() { d.chip.flips = true })
		time.Sleep(long)
		d.chip.change(func() { d.chip.flips = false })
	}},
	{"another chip", func(d *day, long time.Duration) {
		mine := d.chip.chip
		others := []simulated.Chip{&stranger{seed: byte(d.random.IntN(256))}}
		for _, s := range subjects {
			if slices.Contains(s.driver(d.t).Addresses, d.addr) {
				others = append(others, s.model())
			}
		}
		for _, chip := range []simulated.Chip{others[d.random.IntN(len(others))], mine} {
			d.bus.Unplug(d.addr)
			time.Sleep(2 * dayInterval) // nobody exchanges a chip between two samples
			d.put(chip)
			d.bus.Plug(d.addr)
			time.Sleep(long)
		}
	}},
}

func (s subject) driver(t testing.TB) sensors.Driver { return specimen{chip: s.chip}.driver(t) }

func (d *day) put(chip simulated.Chip) {
	d.chip.change(func() {
		chip.PowerUp(time.Now())
		d.chip.chip = chip
	})
}

func (d *day) upTo(longest time.Duration) time.Duration {
	return time.Duration(d.random.Int64N(int64(longest)))
}

// pass lets a day pass, with a fault every few minutes, and after each the chip has to be read again in time.
func (d *day) pass(long time.Duration) {
	for time.Since(d.start) < long {
		time.Sleep(d.subject.warmUp + d.upTo(6*time.Minute))
		f := faults[d.random.IntN(len(faults))]
		d.mu.Lock()
		d.fault = f.name
		d.mu.Unlock()
		f.do(d, d.upTo(time.Minute))
		over := time.Now()
		for limit := over.Add(recoveryLimit + d.subject.warmUp); ; time.Sleep(time.Second) {
			synctest.Wait()
			d.mu.Lock()
			last := d.last
			d.mu.Unlock()
			if last.After(over) {
				d.recovery[f.name] = max(d.recovery[f.name], last.Sub(over))
				break
			}
			if time.Now().After(limit) {
				d.t.Errorf("%v after the start nothing is read any more, %v after the fault %q: %+v", over.Sub(d.start), time.Since(over), f.name, d.Sensors())
				return
			}
		}
	}
}

// recoveryLimit is the time until a lost sensor has been tried twice, or one that hung the bus is no longer isolated, and three
// reads. The first attempt may meet a search that asks the same chip something else.
const recoveryLimit = 2*dayRediscover + 3*dayInterval

// Whatever befalls a chip in a day: no wrong value without a flag gets out, and it is read again when that is over.
func TestEveryDriverThroughADayOfFaults(t *testing.T) {
	t.Parallel()
	long := 24 * time.Hour
	if testing.Short() {
		long = time.Hour
	}
	for i, s := range subjects {
		t.Run(s.chip, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { live(t, uint64(i), s, long, false) })
		})
	}
}

// The same behind a multiplexer, where each search takes nine times as long.
func TestEveryDriverBehindAMultiplexer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the hour behind a multiplexer is for the long tests")
	}
	for i, s := range subjects {
		t.Run(s.chip, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { live(t, uint64(100+i), s, time.Hour, true) })
		})
	}
}

// live reads a chip for that long, with faults that follow from the seed.
func live(t *testing.T, seed uint64, s subject, long time.Duration, behind bool) {
	d := &day{subject: s, random: rand.New(rand.NewPCG(5, seed)), bus: simulated.NewBus(1), recovery: map[string]time.Duration{}}
	addresses := s.driver(t).Addresses
	d.addr = addresses[d.random.IntN(len(addresses))]
	d.chip = &troubled{chip: s.model(), random: rand.New(rand.NewPCG(6, seed))}
	root := d.bus
	if behind {
		mux := simulated.NewMux()
		root.AttachMux(0x70, mux)
		d.bus = mux.Channel(d.random.IntN(8))
	}
	d.bus.Attach(d.addr, d.chip)
	out := make(chan *holdfast.Reading)
	ctx, cancel := context.WithCancel(t.Context())
	d.bench = runInto(t, sensors.Options{Deadline: dayDeadline, Interval: dayInterval, Rediscover: dayRediscover}, out, false, root)
	go d.take(ctx, out)
	d.pass(long)
	d.stop()
	cancel()
	t.Logf("%d values right, %d suspect, of them %d wrong; longest recovery %v", d.good, d.suspect, d.wrong, d.recovery)
	if d.good == 0 {
		t.Error("nothing was read")
	}
}
