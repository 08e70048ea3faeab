package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"holdfast"
	"holdfast/control/redis"
	"holdfast/dashboard"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// dashboard makes the page.
func (g *gateway) dashboard() {
	o := dashboard.Options{
		Status: g, History: history{g}, Archive: history{g}, Settings: settings{g}, Alerts: settings{g}, Rules: pageRules{g}, Health: g.health, Token: g.cfg.DashboardToken, Log: g.log,
	}
	o.Metrics = g.metrics.handler()
	if sampler, ok := g.world.source.(*sensors.Sampler); ok {
		o.Scan = func(ctx context.Context) []string { return scanLines(ctx, sampler) }
	}
	if g.world.simulated != nil {
		o.Simulated = workbench{g.world.simulated}
	}
	g.page = dashboard.New(o)
}

// workbench is the simulated Pi as the page shows it.
type workbench struct{ *simulated.Pi }

func (b workbench) Chips() (all []dashboard.SimulatedChip) {
	for _, part := range b.Parts() {
		all = append(all, dashboard.SimulatedChip{
			Name: part.Name, About: part.About, Address: int(part.Address), Behind: part.Behind, Plugged: part.Plugged, Fault: part.Fault,
		})
	}
	return all
}

// serve answers on the page's address. An address that cannot be had is told of, and measuring goes on.
func (g *gateway) serve(ctx context.Context) error {
	if g.cfg.HTTPListen == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", g.cfg.HTTPListen)
	if err != nil {
		g.log.Error("there is no page", "err", err)
		return nil
	}
	g.log.Info("page", "address", "http://"+listener.Addr().String()+"/")
	if err := g.page.Serve(ctx, listener); err != nil {
		g.log.Error("there is no page any more", "err", err)
	}
	return nil
}

// settings is what the page may do.
type settings struct{ *gateway }

func (s settings) Get(key string) (holdfast.Setting, bool) {
	if !s.isOpen() {
		return holdfast.Setting{}, false
	}
	setting, ok := s.control.Get(key)
	setting.Value = holdfast.ConcealSetting(key, setting.Value)
	return setting, ok
}

// Set changes a setting, as any other writer does.
func (s settings) Set(ctx context.Context, key string, value json.RawMessage, origin holdfast.Origin, reason string) (holdfast.Setting, error) {
	if !s.isOpen() {
		return holdfast.Setting{}, errOpening
	}
	if key == holdfast.SettingRules {
		value = s.sets.revealed(value)
	}
	setting, err := s.control.Set(ctx, key, value, origin, reason)
	setting.Value = holdfast.ConcealSetting(key, setting.Value)
	return setting, err
}

// TakeBack has what the configuration says hold again.
func (s settings) TakeBack(ctx context.Context, key string, origin holdfast.Origin, reason string) (holdfast.Setting, error) {
	if !s.isOpen() {
		return holdfast.Setting{}, errOpening
	}
	setting, err := s.control.Forget(ctx, key, origin, reason)
	setting.Value = holdfast.ConcealSetting(key, setting.Value)
	return setting, err
}

// Press presses the simulated Pi's button where that is the Pi, and does what a press does otherwise.
func (s settings) Press(ctx context.Context, press string) error {
	if !s.isOpen() {
		return errOpening
	}
	if s.cfg.Button.action(press) == none {
		return fmt.Errorf("%w press: %q: no action is configured for it", holdfast.ErrInvalid, press)
	}
	if s.world.press == nil {
		return s.carryOut(ctx, holdfast.Press{Origin: string(holdfast.OriginPage), Press: press})
	}
	before := s.pressed.count(press)
	s.world.press(press)
	return s.afterPress(ctx, press, before)
}

// Acknowledge notes that somebody has seen an alert.
func (s settings) Acknowledge(ctx context.Context, alert, by string) error {
	if !s.isOpen() {
		return errOpening
	}
	return s.acknowledge(ctx, alert, by)
}

// pressLimit is how long a virtual press may take until its change is durable.
const pressLimit = 5 * time.Second

// afterPress returns once a press was carried out: one more than before.
func (g *gateway) afterPress(ctx context.Context, press string, before int) error {
	ctx, cancel := context.WithTimeout(ctx, pressLimit+g.cfg.Button.long())
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for g.pressed.count(press) == before {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the press has had no effect yet: %w", ctx.Err())
		case <-look.C:
		}
	}
	return nil
}

// mirrorTo makes the mirror in Redis, where there is one.
func (g *gateway) mirrorTo() {
	if g.cfg.RedisAddress == "" {
		return
	}
	g.mirror = redis.New(redis.Options{
		Address: g.cfg.RedisAddress, Password: g.cfg.RedisPassword, Keys: g.mirroredKeys(), Get: g.olderValue,
		Set: func(ctx context.Context, key, value string) error {
			return g.setOlder(ctx, key, value, holdfast.OriginRedis, key+" was written")
		},
		Log: g.log,
	})
}

// noticeMistakes shows the mistakes of the configuration on the page, a line each.
func (g *gateway) noticeMistakes() {
	for _, line := range g.mistakes() {
		g.notices.add("configuration: " + line)
	}
}

// mistakes returns those of the configuration, a line each.
func (g *gateway) mistakes() (lines []string) {
	if g.world.mistakes == nil {
		return nil
	}
	for line := range strings.Lines(g.world.mistakes.Error()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// mistakesTold returns those of the configuration as a command's result may tell them.
func (g *gateway) mistakesTold() []string {
	lines := g.mistakes()
	for i, line := range lines {
		lines[i] = string(conceal([]byte(line), g.secrets()))
	}
	told := bounded(lines)
	if more := len(lines) - len(told); more > 0 {
		told = append(told, fmt.Sprintf("and %d more, which the log has", more))
	}
	return told
}

// bounded returns so many lines, of such a length, as a message may carry.
func bounded(lines []string) (short []string) {
	for _, line := range lines[:min(len(lines), holdfast.MaxNotices)] {
		if len(line) > holdfast.MaxNotice {
			line = strings.ToValidUTF8(line[:holdfast.MaxNotice-3], "") + "…"
		}
		short = append(short, line)
	}
	return short
}
