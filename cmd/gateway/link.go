package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"

	"holdfast"
	"holdfast/buffer"
	"holdfast/mqtt"
	"holdfast/uplink"
	"holdfast/wire"
)

// bindingKey is where the buffer keeps which database this gateway is bound to.
const bindingKey = "uplink/store"

// connect makes the uplink. It has no broker until startLinks gives it one, and without one it only waits, and everything
// stays in the buffer.
func (g *gateway) connect() {
	mode := g.cfg.Ack
	if !g.cfg.native() {
		mode = holdfast.AckPuback
	}
	g.uplink = uplink.New(uplink.Options{
		Queue: g.buffer, Device: g.device, Stream: g.buffer.Stream(),
		Topics: holdfast.Topics{Prefix: g.cfg.TopicPrefix}, Mode: mode,
		Store:  func() uplink.Binding { return g.kept().Binding },
		Status: g.birth, Catalog: g.world.source.Catalog, Command: g.command,
		Overflow: g.refuse, Ask: g.askShadow, Documents: g.documents,
		Now: g.now, Log: g.log,
	})
	g.holdTelemetry(g.edge.is(holdfast.EdgeHold))
	g.steer()
}

// broker returns how to reach the broker of a link.
func (g *gateway) broker(l link) mqtt.Options {
	cfg := g.cfg.with(l)
	o := mqtt.Options{
		Username: cfg.MQTTUsername, Password: cfg.MQTTPassword, KeepAlive: cfg.MQTTKeepAlive,
		CleanSession: true, Dial: g.dial(l), Log: g.log,
	}
	if cfg.MQTTHost == "" {
		return o
	}
	if cfg.exposed() {
		if cfg.refused() {
			g.warn(fmt.Sprintf(plainRefused, cfg.MQTTHost))
			return o
		}
		g.warn(fmt.Sprintf(plainBanner, cfg.MQTTHost))
	}
	g.notices.removeAll(tlsMistake) // of another link
	scheme := "tcp"
	if cfg.TLS.Enable {
		scheme = "ssl"
		o.FreshTLS = g.cfg.files(cfg.TLS).renewing(g.tellTLS)
	}
	o.Broker = scheme + "://" + net.JoinHostPort(cfg.MQTTHost, strconv.Itoa(cfg.MQTTPort))
	return o
}

// kept is what the buffer keeps of the binding: also the database of the join string that it came from. A gateway that gets
// the join string of another database is bound to that one; with the same it stays with what its receiver told it since.
type kept struct {
	uplink.Binding
	Joined holdfast.Stream `json:"joined,omitzero"`
}

func (g *gateway) kept() (k kept) {
	if data := g.buffer.State(bindingKey); data != nil {
		if err := json.Unmarshal(data, &k); err != nil {
			g.log.Error("binding is damaged, the next receiver that answers is bound", "err", err)
		}
	}
	return k
}

// first returns the database of the link's join string if the gateway is not bound by that string yet.
func (k kept) first(l link) holdfast.Stream {
	if k.Joined == l.Store {
		return holdfast.Stream{}
	}
	return l.Store
}

// bind keeps what a link is bound to.
func (g *gateway) bind(ctx context.Context, to link, b uplink.Binding) error {
	k := kept{Binding: b}
	if !b.Store.IsZero() {
		k.Joined = to.Store
	}
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	state := map[string][]byte{bindingKey: data}
	if good, err := g.links.rebound(to, k); err != nil {
		return err
	} else if good != nil {
		state[goodKey] = good
	}
	return g.buffer.Commit(ctx, buffer.Change{State: state, Urgent: true})
}

// command carries out a command and sends its results.
func (g *gateway) command(ctx context.Context, payload []byte, retained bool) {
	if len(payload) == 0 {
		return // so a retained message is deleted
	}
	g.control.Execute(ctx, payload, retained, g.respond)
}

func (g *gateway) respond(r holdfast.Result) {
	data, err := wire.Encode(&r)
	if err != nil {
		g.log.Error("response cannot be written", "id", r.ID, "err", err)
		return
	}
	g.send(holdfast.TopicResponse, data, r.Error != nil && r.Error.Code == holdfast.CodeRateLimited)
}

// birth is what the device's state message says.
func (g *gateway) birth() holdfast.Status {
	measuring, at, held := g.control.Measuring(), g.now(), g.buffer.Status()
	clock := holdfast.ClockUnsynchronized
	if at.Synchronized {
		clock = holdfast.ClockSynchronized
	}
	return holdfast.Status{
		Boot: g.boot, Since: g.since, Version: version, Release: g.balena.Release, Measuring: &measuring, Clock: clock, Volatile: held.Volatile,
		SettingsRevision: g.control.Revision(), Lanes: held.Lanes, OlderStreams: held.Older,
		Buffer: &holdfast.BufferStatus{Bytes: held.Bytes, Limit: held.Limit}, Notices: bounded(g.notices.all()), Edge: g.edgeStatus(),
	}
}
