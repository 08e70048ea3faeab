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
)

// dashboard makes the page.
func (g *gateway) dashboard() {
	g.page = dashboard.New(dashboard.Options{
		Status: g, History: history{g}, Settings: settings{g}, Health: g.health, Token: g.cfg.DashboardToken, Log: g.log,
	})
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
	setting, err := s.control.Set(ctx, key, value, origin, reason)
	setting.Value = holdfast.ConcealSetting(key, setting.Value)
	return setting, err
}

// Press presses the simulated Pi's button where that is the Pi, and toggles measuring as a press does otherwise.
func (s settings) Press(ctx context.Context) error {
	if !s.isOpen() {
		return errOpening
	}
	if s.world.press == nil {
		_, err := s.control.Toggle(ctx, holdfast.OriginPage, "button on the page")
		return err
	}
	before := s.control.Revision()
	s.world.press()
	return s.afterRevision(ctx, before)
}

// pressLimit is how long a virtual press may take until its change is durable.
const pressLimit = 5 * time.Second

func (g *gateway) afterRevision(ctx context.Context, before int64) error {
	ctx, cancel := context.WithTimeout(ctx, pressLimit)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for g.control.Revision() == before {
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
