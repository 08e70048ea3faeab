package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/clock"
	"holdfast/internal/proof"
)

// A steppedClock is a device's clock in a bubble: its monotonic time is right, its wall time is off as the test has it.
type steppedClock struct {
	boot time.Time // the true time of the boot

	mu           sync.Mutex
	off          time.Duration
	synchronized bool
}

// set changes the clock, as whoever sets it does.
func (c *steppedClock) set(off time.Duration, synchronized bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off, c.synchronized = off, synchronized
}

func (c *steppedClock) Now() holdfast.Instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return holdfast.Instant{
		Time: holdfast.Micro(time.Now().Add(c.off)), Boot: "bubble", Mono: time.Since(c.boot).Microseconds(), Synchronized: c.synchronized,
	}
}

func (c *steppedClock) Watch(ctx context.Context, every time.Duration, f func(holdfast.Anchor, holdfast.Instant)) error {
	return clock.Watch(ctx, every, func() (holdfast.Instant, time.Duration) { return c.Now(), time.Microsecond }, f)
}

// A step is what becomes of the clock at a time after the boot.
type step struct {
	at           time.Duration
	off          time.Duration
	synchronized bool
}

const (
	clockTest = 20 * time.Minute
	decades   = -30*365*24*time.Hour - 7*24*time.Hour // from a bubble's 2000-01-01 to 1970-01-01
)

// The wall clock steps while everything runs. Every reading that was taken is in the database once; aggregates of a minute
// count each of them once; and a reading that was taken before the time was known has its true time once it is known.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("seven clocks; one that is set at random remains")
	}
	for _, test := range []struct {
		name  string
		steps []step // the first is at the boot
		right bool   // in the end every time in the database is the true one
	}{
		{"a clock that is right", []step{{0, 0, true}}, true},
		{"a step of +3 h", []step{{0, 0, true}, {7*time.Minute + 30*time.Second, 3 * time.Hour, true}}, false},
		{"a step of -3 h", []step{{0, 0, true}, {7*time.Minute + 30*time.Second, -3 * time.Hour, true}}, false},
		{"a step of -3 min, into windows that have been", []step{{0, 0, true}, {7*time.Minute + 30*time.Second, -3 * time.Minute, true}}, false},
		{"1970 until the time is known", []step{{0, decades, false}, {8*time.Minute + 20*time.Second, 0, true}}, true},
		{"a guess of tomorrow until the time is known", []step{{0, 26 * time.Hour, false}, {5 * time.Minute, 0, true}}, true},
		{"synchronised, lost, set wrong, found again", []step{
			{0, 0, true}, {3 * time.Minute, 0, false}, {5 * time.Minute, -time.Hour, false}, {9 * time.Minute, 0, true}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { tryClock(t, test.name, test.steps, test.right, "") })
		})
	}
}

// The wall clock is set again and again, anywhere within hours, known to be right or not.
func TestClockStepsAtRandom(t *testing.T) {
	t.Parallel()
	seed := proof.Count(t, "HOLDFAST_SEED", int(time.Now().UnixNano()%1e6))
	t.Logf("HOLDFAST_SEED=%d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 3))
	steps := []step{{0, decades, false}}
	for at := time.Duration(0); at < clockTest; at += time.Duration(random.Int64N(int64(90 * time.Second))) {
		off := time.Duration(random.Int64N(int64(6*time.Hour))) - 3*time.Hour
		steps = append(steps, step{at, off, random.IntN(3) > 0})
	}
	synctest.Test(t, func(t *testing.T) { tryClock(t, "a clock that is set at random", steps, false, fmt.Sprint(seed)) })
}

func tryClock(t *testing.T, name string, steps []step, right bool, seed string) {
	b := newBubble(t)
	b.clock = &steppedClock{boot: time.Now()}
	b.clock.set(steps[0].off, steps[0].synchronized)
	b.rules = "version: 1\nrules:\n  - name: minute\n    aggregate: {sensor: \"*\", window: 1m, functions: [count]}\n"
	b.receiver()
	stop := b.gateway(holdfast.AckReceipt)
	for _, s := range steps[1:] {
		time.Sleep(time.Until(b.clock.boot.Add(s.at)))
		b.clock.set(s.off, s.synchronized)
	}
	time.Sleep(time.Until(b.clock.boot.Add(clockTest)))
	taken := stop()
	time.Sleep(time.Minute) // the receiver re-times in rounds

	got := b.readTimes()
	t.Logf("%d readings taken; %+v", taken, got)
	failed := b.completeness().Totals.Head - b.completeness().Totals.Data
	failed += max(taken, got.readings) - min(taken, got.readings)
	if failed > 0 || taken < 2*uint64(clockTest/time.Second)-10 {
		t.Errorf("%d readings taken, %d in the database; all lanes: %+v", taken, got.readings, b.completeness().Totals)
	}
	if got.counted > taken || got.counted+2*61 < taken { // of two sensors; the last minute is not over
		t.Errorf("the aggregates count %d of %d readings", got.counted, taken)
	}
	if right && got.wrong+got.guessed > 0 {
		t.Errorf("%d times are wrong, %d are guesses still", got.wrong, got.guessed)
	}
	proof.Record(t, proof.Trial{
		Part: "Clock steps", Fault: name, Holds: "every reading is in the database once, each counted by one window; guessed times become the true ones",
		Tried: len(steps) - 1, Unit: "steps", Failed: int(failed), Seed: seed,
		Note: fmt.Sprintf("%d readings taken in %v, %d of them re-timed; %d aggregates count %d", taken, clockTest, got.retimed, got.aggregates, got.counted),
	})
}

// times is what the database says of readings, by SQL of the test's own.
type times struct {
	readings   uint64 // different numbers of telemetry that have samples
	wrong      uint64 // readings whose time is not that of their sample, within a second's half
	guessed    uint64 // readings that wait for their time
	retimed    uint64 // readings that got it later
	aggregates uint64
	counted    uint64 // readings that the aggregates count
}

func (b *bubble) readTimes() (n times) {
	b.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.dir, "receiver.db")+"?mode=ro")
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	var clocks int
	err = db.QueryRow(`SELECT count(*), coalesce(sum(boot IS NOT NULL AND orig_time_us IS NULL), 0), coalesce(sum(orig_time_us IS NOT NULL), 0),
		count(DISTINCT time_us / 1000000) FROM (SELECT * FROM sample GROUP BY stream, seq)`).Scan(&n.readings, &n.guessed, &n.retimed, &clocks)
	if err != nil {
		b.t.Fatal(err)
	}
	err = db.QueryRow(`SELECT count(*), coalesce(sum(count), 0) FROM aggregate`).Scan(&n.aggregates, &n.counted)
	if err != nil {
		b.t.Fatal(err)
	}
	// The sampler takes each sensor once a second from the start on, so that the true times are known.
	first, last := b.clock.boot.UnixMicro(), b.clock.boot.Add(clockTest).UnixMicro()
	err = db.QueryRow(`SELECT count(*) FROM (SELECT time_us, row_number() OVER (PARTITION BY series.sensor ORDER BY seq) AS nth
			FROM (SELECT * FROM sample GROUP BY stream, seq) AS one JOIN series ON series.id = one.series)
		WHERE time_us < ?1 OR time_us > ?2 OR abs(time_us - ?1 - (nth - 1) * 1000000) > 500000`, first, last).Scan(&n.wrong)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}
