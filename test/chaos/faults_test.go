package chaos

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"holdfast/internal/testenv"
	"holdfast/test/chaos/proxy"
)

// A fault is one thing that happens to a system for a while.
type fault struct {
	name        string
	place       string // what it takes hold of: two faults of one place do not overlap
	least, most time.Duration
	lonely      bool // is not tried together with others
	// begin lets it happen; end undoes it.
	begin func(t *testing.T, b *bench, random *rand.Rand) (end func())
}

// long is longer than any keep-alive of the gateway's (5 s, and 10 s for the answer) and of the receiver's (30 s and 10 s).
const (
	longNear = 17 * time.Second
	longFar  = 42 * time.Second
)

// kills are the deaths: of each process, for a moment.
func kills(mosquitto bool) []fault {
	all := []fault{
		killed("gateway", func(b *bench) *testenv.Process { return b.gateway }),
		killed("receiver", func(b *bench) *testenv.Process { return b.receiver }),
	}
	if mosquitto {
		all = append(all, killed("broker", func(b *bench) *testenv.Process { return b.broker }))
	}
	return all
}

func killed(name string, of func(*bench) *testenv.Process) fault {
	return fault{name: name + " killed", place: name, most: 300 * time.Millisecond,
		begin: func(t *testing.T, b *bench, _ *rand.Rand) func() {
			b.kill(of(b))
			return func() { b.revive(t, of(b)) }
		}}
}

// faults are everything else.
func faults(mosquitto bool) []fault {
	all := slices.Concat(
		broken("gateway's link", longNear, func(b *bench) *proxy.Proxy { return b.near }),
		[]fault{
			hung("gateway", func(b *bench) *testenv.Process { return b.gateway }),
			hung("receiver", func(b *bench) *testenv.Process { return b.receiver }),
			{name: "receiver's database locked by another process", place: "database", least: time.Second, most: 9 * time.Second, begin: locked},
			{name: "gateway may write its buffer's first pages only", place: "gateway's files", least: time.Second, most: 4 * time.Second, begin: short},
			{name: "receiver may write no file", place: "receiver's files", least: time.Second, most: 6 * time.Second, begin: unwritable},
		})
	if !mosquitto {
		return all
	}
	return slices.Concat(all,
		broken("receiver's link", longFar, func(b *bench) *proxy.Proxy { return b.far }),
		[]fault{
			hung("broker", func(b *bench) *testenv.Process { return b.broker }),
			{name: "broker throws both clients out", place: "both links", begin: func(_ *testing.T, b *bench, _ *rand.Rand) func() {
				b.near.Reset()
				b.far.Reset()
				return func() {}
			}},
			{name: "broker's access rules deny everything: it acknowledges and throws away", place: "access", least: time.Second, most: 5 * time.Second,
				begin: func(t *testing.T, b *bench, _ *rand.Rand) func() {
					b.allow(t, denyAll)
					return func() { b.allow(t, allowAll) }
				}},
		})
}

// hung stops a process as an overloaded machine does, without an end.
func hung(name string, of func(*bench) *testenv.Process) fault {
	return fault{name: name + " hangs", place: name, least: time.Second / 2, most: 5 * time.Second,
		lonely: name == "gateway", // what it takes over while it wakes is as old as its sleep was long, when a kill comes
		begin: func(_ *testing.T, b *bench, _ *rand.Rand) func() {
			of(b).Signal(syscall.SIGSTOP)
			return func() { of(b).Signal(syscall.SIGCONT) }
		}}
}

// broken are the faults of one connection to the broker. A way that swallows or cuts begins to within a few batches.
func broken(name string, long time.Duration, link func(*bench) *proxy.Proxy) []fault {
	var all []fault
	add := func(what string, least, most time.Duration, begin func(p *proxy.Proxy, random *rand.Rand)) {
		all = append(all, fault{name: name + " " + what, place: name, least: least, most: most, lonely: least == long,
			begin: func(_ *testing.T, b *bench, random *rand.Rand) func() {
				begin(link(b), random)
				return func() { link(b).Set(proxy.Fault{}) }
			}})
	}
	set := func(f proxy.Fault) func(*proxy.Proxy, *rand.Rand) {
		return func(p *proxy.Proxy, _ *rand.Rand) { p.Set(f) }
	}
	soon := func(random *rand.Rand) int { return random.IntN(8 << 10) }
	const some, more = 500 * time.Millisecond, 4 * time.Second

	add("reset, new ones refused", 0, more, func(p *proxy.Proxy, _ *rand.Rand) {
		p.Set(proxy.Fault{Refuse: true})
		p.Reset()
	})
	add("frozen", some, more, set(proxy.Fault{Up: proxy.Way{Freeze: true}, Down: proxy.Way{Freeze: true}}))
	add("frozen to the broker", some, more, set(proxy.Fault{Up: proxy.Way{Freeze: true}}))
	add("frozen from the broker", some, more, set(proxy.Fault{Down: proxy.Way{Freeze: true}}))
	add("frozen for longer than its keep-alive", long, long, set(proxy.Fault{Up: proxy.Way{Freeze: true}, Down: proxy.Way{Freeze: true}}))
	add("half-open: the broker is not told", some, more, func(p *proxy.Proxy, _ *rand.Rand) {
		p.Set(proxy.Fault{Unclosed: true})
		p.Leave(proxy.Up)
	})
	add("half-open: only the broker knows, for longer than the keep-alive", long, long, func(p *proxy.Proxy, _ *rand.Rand) {
		p.Set(proxy.Fault{Unclosed: true})
		p.Leave(proxy.Down)
	})
	add("half-open: only the broker knows", some, more, func(p *proxy.Proxy, _ *rand.Rand) {
		p.Set(proxy.Fault{Unclosed: true})
		p.Leave(proxy.Down)
	})
	add("swallows what goes to the broker", some, more, func(p *proxy.Proxy, random *rand.Rand) {
		p.Set(proxy.Fault{Up: proxy.Way{Swallow: true, After: soon(random)}})
	})
	add("swallows what comes from the broker", some, more, func(p *proxy.Proxy, random *rand.Rand) {
		p.Set(proxy.Fault{Down: proxy.Way{Swallow: true, After: soon(random) / 8}})
	})
	add("cut in the middle of packets to the broker", some, more, func(p *proxy.Proxy, random *rand.Rand) {
		p.Set(proxy.Fault{Up: proxy.Way{Cut: true, After: soon(random)}})
	})
	add("cut in the middle of packets from the broker", some, more, func(p *proxy.Proxy, random *rand.Rand) {
		p.Set(proxy.Fault{Down: proxy.Way{Cut: true, After: soon(random) / 8}})
	})
	late := proxy.Way{Latency: 200 * time.Millisecond, Jitter: 400 * time.Millisecond}
	add("200 to 600 ms late", some, more, set(proxy.Fault{Up: late, Down: late}))
	add("at 4 kB/s", some, more, set(proxy.Fault{Up: proxy.Way{Rate: 4000}, Down: proxy.Way{Rate: 4000}}))
	add("gets its subscriptions refused", some, more, func(p *proxy.Proxy, _ *rand.Rand) {
		p.Set(proxy.Fault{Deny: true})
		p.Reset()
	})
	return all
}
