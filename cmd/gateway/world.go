package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"time"

	"holdfast"
	"holdfast/internal/clock"
	"holdfast/rules"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// A world is what the gateway stands in: where readings and presses come from, what time it is, how a broker is reached.
// There are three: a Pi's hardware, a simulated Pi, a replayed file; tests make a fourth.
type world struct {
	log      *slog.Logger
	level    *slog.LevelVar // of the log, nil where it is fixed
	recent   *recent        // newest lines of the log, nil where none are kept
	mistakes error          // of the configuration

	now    func() holdfast.Instant
	clock  watcher // nil where time is a test's
	source source
	button button // nil where there is none
	// press presses the button from the page, where the button is a virtual one.
	press     func(press string)
	simulated *simulated.Pi // nil where the Pi is real
	// openLine takes a line that is to be driven; nil where there are none.
	openLine func(o sensors.OutputOptions, on bool) (line, error)

	sensorChanges chan holdfast.SensorChange
	presses       chan holdfast.Press

	dial      func(ctx context.Context) (net.Conn, error)                   // nil for the network
	dialHost  func(host string) func(ctx context.Context) (net.Conn, error) // dial of each broker, where there are several; nil for dial
	turn      time.Duration                                                 // of a link on trial; 0 for turnTime
	grow      bool                                                          // let the buffer file grow before there is need
	hung      func(error)                                                   // ends the daemon, parts of which do not end by themselves; nil where nobody watches
	hangup    <-chan os.Signal                                              // has the rules' file read at once; nil where nobody says so
	assembled func(*gateway)                                                // told when the gateway is put together; nil where nobody asks
}

// A source measures. Its methods may be called before and while it runs.
type source interface {
	Run(ctx context.Context, out chan<- *holdfast.Reading) error
	SetMeasuring(on bool)
	SetInterval(sensor string, d time.Duration)
	SetBurst(sensor string, d time.Duration)
	Calibrate(sensor, quantity string, c holdfast.Calibration, revision int64)
	Catalog() holdfast.Catalog
	Sensors() []sensors.State
}

// A button reports presses until ctx ends.
type button interface {
	Run(ctx context.Context) error
}

// A watcher calls f, from its own goroutine until ctx ends, with each anchor: when wall time becomes known, and when it steps.
type watcher interface {
	Watch(ctx context.Context, every time.Duration, f func(anchor holdfast.Anchor, at holdfast.Instant)) error
}

// changes is how many changes of sensors wait until somebody notes them; far more than sensors fit on a Pi.
const changes = 1024

func newWorld(log *slog.Logger, c *clock.Clock) world {
	return world{
		log: log, clock: c, now: c.Now, grow: true,
		sensorChanges: make(chan holdfast.SensorChange, changes),
		presses:       make(chan holdfast.Press, 16),
	}
}

// hardware is a Pi: its I²C buses and its GPIO lines.
func hardware(cfg Config, log *slog.Logger) (world, error) {
	w := newWorld(log, clock.New())
	buses, err := sensors.OpenBuses(log)
	if err != nil {
		log.Warn("some I²C bus did not open", "err", err)
	}
	for _, bus := range buses {
		bus.LeaveAlone(cfg.LeaveAlone)
	}
	if len(buses) == 0 {
		log.Warn("no I²C bus was found; on a Pi, dtparam=i2c_arm=on opens one")
	}
	w.source = samplerOf(&w, cfg, buses, healthSensors(cfg, buses)...)
	w.openLine = func(o sensors.OutputOptions, on bool) (line, error) {
		o.Buses, o.Log = numbers(buses), log
		return sensors.OpenOutput(o, on)
	}
	if cfg.Button.Pin == "" {
		return w, nil
	}
	w.button, err = sensors.NewButton(sensors.ButtonOptions{
		Chip: cfg.Button.Chip, Line: cfg.Button.Pin, Pull: cfg.Button.Pull, Edge: cfg.Button.Edge, Debounce: cfg.Button.Bounce,
		Long: cfg.Button.long(), Double: cfg.Button.double(), Buses: numbers(buses), Press: w.pressed, Log: log,
	})
	if err != nil {
		w.button = nil
		w.mistakes = errors.Join(w.mistakes, err)
	}
	return w, nil
}

// simulatedPi is a Pi without hardware. Its clock counts as synchronised: the weather does not care.
func simulatedPi(cfg *Config, log *slog.Logger) (world, error) {
	w := newWorld(log, clock.New(clock.AssertSynchronized()))
	pi := simulated.New(simulated.Options{})
	w.simulated = pi
	buses := pi.Buses()
	w.source = samplerOf(&w, *cfg, buses, healthSensors(*cfg, buses)...)
	virtual := simulated.NewButton(sensors.Contact{
		Debounce: cfg.Button.Bounce, Long: cfg.Button.long(), Double: cfg.Button.double(), Press: w.pressed,
	})
	w.button, w.press = virtual, virtual.Press
	w.openLine = func(_ sensors.OutputOptions, on bool) (line, error) { return simulated.NewLine(on), nil }
	cfg.LED.Pin = cmp.Or(cfg.LED.Pin, "27")
	if len(cfg.Outputs) == 0 {
		cfg.Outputs = []OutputConfig{{Name: "fan", Pin: "22", Default: outputOff, Release: outputOff, MaxOn: time.Minute}}
	}
	if cfg.RulesFile != "" || cfg.RulesText != "" {
		return w, nil
	}
	var err error
	cfg.Rules, err = readRuleSet(originExample, "example.yaml", string(rules.Example))
	return w, err
}

// replayed hands out the rows of a file.
func replayed(o sensors.ReplayOptions, log *slog.Logger) (world, error) {
	w := newWorld(log, clock.New())
	o.Now, o.Log = w.now, log
	changes := w.sensorChanges
	o.Changed = func(c holdfast.SensorChange) { changes <- c }
	replay, err := sensors.OpenReplay(o)
	w.source = replay
	return w, err
}

// healthSensors returns the health of the machine and of the buses, as sensors.
func healthSensors(cfg Config, buses []*sensors.Bus) (all []sensors.Other) {
	all = append(all, sensors.Host("/", cfg.DataDir))
	for _, bus := range buses {
		all = append(all, sensors.BusSensor(bus))
	}
	return all
}

// samplerOf returns the sampler of what is on the buses, and of others.
func samplerOf(w *world, cfg Config, buses []*sensors.Bus, others ...sensors.Other) *sensors.Sampler {
	changes := w.sensorChanges
	return sensors.New(sensors.Options{
		Buses: buses, Others: others, Sensors: configured(cfg.Sensors), Filters: cfg.Filters, Interval: cfg.Interval, Revision: w.now().Time.Unix(), Now: w.now,
		Changed: func(c holdfast.SensorChange) { changes <- c }, Log: w.log,
	})
}

// pressed passes a press on, and forgets it when nobody takes presses: a press is for now, not for later.
func (w *world) pressed(press string) {
	select {
	case w.presses <- holdfast.Press{Origin: string(holdfast.OriginButton), Press: press}:
	default:
	}
}

func configured(list []SensorConfig) []sensors.Configured {
	var out []sensors.Configured
	for _, s := range list {
		out = append(out, sensors.Configured(s))
	}
	return out
}

func numbers(buses []*sensors.Bus) []int {
	var out []int
	for _, b := range buses {
		out = append(out, b.Number())
	}
	return out
}
