package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/balena"
	"holdfast/buffer"
	"holdfast/control"
	"holdfast/control/redis"
	"holdfast/dashboard"
	"holdfast/rules"
	"holdfast/uplink"
	"holdfast/uplink/profile"
)

// A gateway is all parts put together. Its fields are set by begin, or by assemble before opened is closed, and not changed
// afterwards. The page is there before: what it calls looks at opened first.
type gateway struct {
	cfg   Config
	world world
	log   *slog.Logger
	now   func() holdfast.Instant

	device string    // this gateway's id
	unkept bool      // it is random and not in the data folder; after begin of the buffer's writer only
	boot   string    // the kernel's boot id
	since  time.Time // start of the daemon
	page   *dashboard.Dashboard
	balena balena.Environment // empty elsewhere

	opened     chan struct{} // closed once all that follows is there
	buffer     *buffer.Buffer
	control    *control.Control
	rules      *rules.Engine
	sets       *ruleSets      // from which the rules are
	uplink     *uplink.Uplink // nil without a broker
	mirror     *redis.Mirror  // nil without Redis
	links      *links         // to which broker
	rulesTrial rulesTrial
	profile    *profile.Profile // nil where only the native profile is spoken
	ids        *profile.IDs     // nil where nobody asks for ids

	restarting       chan struct{}        // closed when a restart was commanded
	newRules         chan struct{}        // has the loop look which set of rules is to be in force
	acknowledgements chan acknowledgement // ask the loop
	questions        chan func()          // are put to the loop, which alone may look at the rules
	emptied          chan chan<- struct{} // asks the loop to take what waits for it, and to close the channel then

	batch    *batch             // of the loop
	asked    chan chan struct{} // asks the loop to hand its batch over, and to close the channel then
	withheld withheld
	measures atomic.Bool // whether measuring was on at any time since the start
	alerts   *alerts
	notices  *notices
	pressed  *presses
	led      *led
	outputs  *outputs
	stuck    atomic.Bool // the watchdog ends the daemon
	bursts   *bursts
	webhooks *webhooks
	safe     atomic.Bool // a safe stop is complete, and nothing was started since
	progress *progress
	edge     *edgePolicy
	metrics  *metrics
	restored []holdfast.Record      // what the rules made of their last state
	damage   *holdfast.BufferChange // what became of the buffer file at the start
}

// begin makes what needs no buffer: who this gateway is, and its page.
func begin(cfg Config, w world) *gateway {
	at := w.now()
	g := &gateway{
		cfg: cfg, world: w, log: w.log, now: w.now, boot: at.Boot, since: at.Time, opened: make(chan struct{}),
		balena: balena.ReadEnvironment(os.Getenv), restarting: make(chan struct{}), newRules: make(chan struct{}, 1), emptied: make(chan chan<- struct{}),
		acknowledgements: make(chan acknowledgement), questions: make(chan func()),
		batch: newBatch(), asked: make(chan chan struct{}), alerts: newAlerts(), notices: new(notices), pressed: newPresses(), progress: newProgress(cfg.BufferWindow),
		edge: newEdge(), metrics: newMetrics(),
	}
	g.noticeMistakes()
	g.linesOf()
	g.identify()
	g.actions()
	g.dashboard()
	return g
}

// assemble opens the buffer and puts the parts round it.
func (g *gateway) assemble(ctx context.Context) error {
	if err := g.openBuffer(ctx); err != nil {
		return err
	}
	if err := g.settle(); err != nil {
		return errors.Join(err, g.buffer.Close())
	}
	g.restoreRules(ctx)
	g.restoreEdge()
	g.mintIDs()
	g.connect()
	g.profiled()
	g.startLinks()
	g.tryRules()
	g.mirrorTo()
	g.progress.begin()
	close(g.opened)
	return nil
}

const unkeptNotice = "the device id could not be kept and will be another one after the next start"

// identify settles who this gateway is.
func (g *gateway) identify() {
	id, source, err := balena.Identify(balena.IdentityOptions{Configured: g.cfg.Device, Folder: g.cfg.DataDir})
	if err != nil {
		g.log.Error("device id will be another one after the next start", "device", id, "err", err)
		g.notices.add(unkeptNotice)
		g.unkept = true
	}
	g.device = id
	g.log.Info("gateway starts", "device", id, "by", source, "version", version, "boot", g.boot, "balena", g.balena.String())
}

func (g *gateway) openBuffer(ctx context.Context) (err error) {
	path := filepath.Join(g.cfg.DataDir, bufferFile)
	defer g.holdUpdates(path)()
	g.buffer, g.damage, err = openBuffer(ctx, buffer.Options{
		Path: path, Device: g.device, MaxBytes: g.cfg.BufferMaxBytes,
		Window: g.cfg.BufferWindow, Grow: g.world.grow, Log: g.log, Gather: g.askForBatch,
		Report: func(c holdfast.BufferChange) {
			g.event(holdfast.EventBuffer, c)
			g.keepIdentity()
			g.uplink.Refresh() // the state says whether the stream is volatile
		},
	})
	return err
}

// keepIdentity makes this device's id durable where that failed at the start, once the data folder takes files.
func (g *gateway) keepIdentity() {
	if !g.unkept {
		return
	}
	if err := balena.Keep(g.cfg.DataDir, g.device); err == nil {
		g.unkept = false
		g.notices.remove(unkeptNotice)
		g.log.Info("device id is kept from now on", "device", g.device)
	}
}

// settle makes the one owner of settings, and gives the source what it should do now.
func (g *gateway) settle() (err error) {
	outputs, fresh := g.outputDefaults()
	g.sets = openRuleSets(g.cfg.DataDir, g.cfg.Rules)
	g.control, err = control.New(control.Options{
		Store: held{g}, Abilities: g.abilities(), Check: g.check, Device: g.device, Keys: g.cfg.CommandKeys,
		Fresh: fresh, Defaults: append(outputs, g.cfg.defaults()...), Now: g.now, Apply: g.apply, Changed: g.changed, Log: g.log,
	})
	if err != nil {
		return err
	}
	g.outputs.keeps.Store(true)
	for _, s := range g.control.Settings() {
		g.apply(s)
	}
	return nil
}

// apply makes a setting take effect.
func (g *gateway) apply(s holdfast.Setting) {
	if sensor, ok := holdfast.IntervalSensor(s.Key); ok {
		interval := g.control.Interval(sensor)
		if holdfast.IsNull(s.Value) {
			interval = 0 // none of its own
		}
		g.world.source.SetInterval(sensor, interval)
	}
	if sensor, quantity, ok := holdfast.CalibrationOf(s.Key); ok {
		if c, err := holdfast.ParseCalibration(s.Value); err == nil { // null is none
			g.world.source.Calibrate(sensor, quantity, c, s.Revision)
		}
	}
	if name, ok := holdfast.OutputOf(s.Key); ok && !g.followed(s) {
		g.outputs.set(name, string(s.Value) == "true", s.Origin, s.Reason)
	}
	switch s.Key {
	case holdfast.SettingMeasuring:
		on := string(s.Value) == "true"
		if on {
			g.measures.Store(true)
			g.safe.Store(false)
		}
		g.world.source.SetMeasuring(on)
	case holdfast.SettingLogLevel:
		var level string
		if g.world.level != nil && json.Unmarshal(s.Value, &level) == nil {
			setLevel(g.world.level, level)
		}
	case holdfast.SettingUplinkEnabled, holdfast.SettingUplinkInterval, holdfast.SettingGroups:
		g.steer()
	case holdfast.SettingBroker:
		g.links.changed()
	case holdfast.SettingRules:
		g.adoptRules(s)
		if g.isOpen() {
			g.tryRules()
		}
	}
}

// changed tells everybody who shows settings.
func (g *gateway) changed(s holdfast.Setting) {
	shown := holdfast.ConcealSetting(s.Key, s.Value)
	g.log.Info("setting changed", "key", s.Key, "value", string(shown[:min(len(shown), 200)]), "origin", s.Origin, "reason", s.Reason, "revision", s.Revision)
	g.mirror.Changed()
	g.uplink.Refresh()
}

// held is how control makes its changes durable: as events and state in one commit of the buffer.
type held struct{ *gateway }

func (h held) Commit(ctx context.Context, events []*holdfast.Event, state map[string][]byte) error {
	records := make([]holdfast.Record, 0, len(events))
	for _, e := range events {
		records = append(records, e)
	}
	return h.buffer.Commit(ctx, buffer.Change{Records: h.encode(records), State: state, Urgent: true})
}

func (h held) State(key string) []byte          { return h.buffer.State(key) }
func (h held) StateKeys(prefix string) []string { return h.buffer.StateKeys(prefix) }
