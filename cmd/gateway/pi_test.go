package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/sensors/simulated"
)

// A pi is a Raspberry Pi: its card, its boot, and the gateway that runs on it, one process after another.
type pi struct {
	*system
	card   string   // the data folder
	config []string // variables and their values
	boot   int      // counts the kernel's starts
	booted time.Time
	bytes  int64 // cap of the buffer file; 0 for the configuration's
	filler int   // values of state of 4 KB each that take room in it
	lives  []*life
	life   *life // nil while no gateway runs
}

// A life is one process of the gateway.
type life struct {
	gateway *gateway
	source  source
	cable   *cable
	cancel  context.CancelFunc
	ended   chan error
	killed  time.Time     // zero unless it was killed
	last    buffer.Status // how it ended

	mu    sync.Mutex
	dead  bool
	taken []*holdfast.Reading // everything that the sensors handed out
}

// pi returns a Pi with an empty card on which no gateway runs. config is variables and their values.
func (s *system) pi(device string, config ...string) *pi {
	config = append(config, "HTTP_LISTEN", "off", "DEVICE_ID", device, "MQTT_HOST", "memory", "MQTT_ACK", "receipt") // the first counts
	p := &pi{system: s, card: s.folder("card"), config: config, booted: time.Now()}
	s.t.Cleanup(func() {
		if p.life != nil {
			p.kill()
		}
	})
	return p
}

// start starts a gateway and returns when it has opened its buffer.
func (p *pi) start() {
	p.t.Helper()
	cfg, err := loadConfig("", variables(append([]string{"DATA_DIR", p.card}, p.config...)...))
	if err != nil {
		p.t.Fatal(err)
	}
	cfg.BufferMaxBytes = cmp.Or(p.bytes, cfg.BufferMaxBytes)
	l := &life{cable: newCable(p.broker), ended: make(chan error, 1)}
	boot, booted, assembled := fmt.Sprint("boot-", p.boot), p.booted, make(chan struct{})
	w := world{
		log: slog.New(slog.DiscardHandler),
		now: func() holdfast.Instant {
			return holdfast.Instant{Time: holdfast.Micro(time.Now()), Boot: boot, Mono: time.Since(booted).Microseconds(), Synchronized: true}
		},
		sensorChanges: make(chan holdfast.SensorChange, changes),
		presses:       make(chan holdfast.Press),
		dial:          l.cable.dial,
		assembled:     func(g *gateway) { l.gateway = g; p.fill(g); close(assembled) },
	}
	l.source = samplerOf(&w, cfg, simulated.New(simulated.Options{Start: p.began}).Buses())
	w.source = witness{l.source, l}
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	l.cancel = cancel
	go func() { l.ended <- run(ctx, cfg, w) }()
	select {
	case <-assembled:
	case err := <-l.ended:
		p.t.Fatalf("gateway: %v", err)
	}
	p.life, p.lives = l, append(p.lives, l)
}

// fill takes room in the buffer's file before the first record.
func (p *pi) fill(g *gateway) {
	for i := range p.filler {
		key := fmt.Sprintf("filler-%03d", i)
		if g.buffer.State(key) != nil {
			return // the card has it already
		}
		if err := g.buffer.Append(buffer.Change{State: map[string][]byte{key: make([]byte, 4000)}}); err != nil {
			p.t.Error(err)
		}
	}
}

// stop ends the gateway as SIGTERM does.
func (p *pi) stop() {
	p.t.Helper()
	p.life.cancel()
	if err := <-p.life.ended; err != nil {
		p.t.Errorf("gateway: %v", err)
	}
	p.life.last = p.life.gateway.buffer.Status()
	p.life = nil
}

// kill ends the gateway as SIGKILL does; see [system].
func (p *pi) kill() {
	p.t.Helper()
	synctest.Wait()
	l := p.life
	l.mu.Lock()
	l.dead, l.killed = true, time.Now()
	l.mu.Unlock()
	l.last = l.gateway.buffer.Status()
	l.cable.cut()
	old := p.card
	p.card = p.duplicate(old, "card")
	l.cancel()
	<-l.ended // whatever it says is not heard any more
	if err := os.RemoveAll(old); err != nil {
		p.t.Error(err)
	}
	p.life = nil
}

// reboot makes the gateway that starts next find itself in another boot.
func (p *pi) reboot() {
	p.boot++
	p.booted = time.Now()
}

// rest stops measuring and lets what was measured arrive.
func (p *pi) rest() {
	p.life.source.SetMeasuring(false)
	time.Sleep(5 * time.Second)
}

// pending is how many numbers the running gateway still owes.
func (p *pi) pending() (n uint64) {
	status := p.life.gateway.buffer.Status()
	for _, l := range status.Lanes {
		n += l.Pending
	}
	for _, older := range status.Older {
		for _, l := range older.Lanes {
			n += l.Pending
		}
	}
	return n
}

// taken returns how many readings the sensors handed out, in all lives.
func (p *pi) taken() (n int) {
	for _, l := range p.lives {
		n += len(l.readings())
	}
	return n
}

// A witness notes every reading on its way from the sensors to the gateway.
type witness struct {
	source
	life *life
}

func (w witness) Run(ctx context.Context, out chan<- *holdfast.Reading) error {
	seen := make(chan *holdfast.Reading)
	var passing sync.WaitGroup
	passing.Go(func() {
		for r := range seen {
			w.life.note(r)
			out <- r
		}
	})
	defer passing.Wait()
	defer close(seen)
	return w.source.Run(ctx, seen)
}

func (l *life) note(r *holdfast.Reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dead {
		l.taken = append(l.taken, r)
	}
}

// readings returns what the sensors have handed out so far.
func (l *life) readings() []*holdfast.Reading {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.taken)
}
