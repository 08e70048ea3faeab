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

// connect makes the uplink to a broker. Without one it only waits, and everything stays in the buffer.
func (g *gateway) connect(broker mqtt.Options) {
	mode := g.cfg.Ack
	if !g.cfg.native() {
		broker, mode = mqtt.Options{}, holdfast.AckPuback
	}
	g.uplink = uplink.New(uplink.Options{
		Queue: g.buffer, Broker: broker, Device: g.device, Stream: g.buffer.Stream(),
		Topics: holdfast.Topics{Prefix: g.cfg.TopicPrefix}, Mode: mode,
		Pin: g.cfg.Store, First: g.provisioned(), Store: g.binding, Bind: g.bind,
		Status: g.birth, Catalog: g.world.source.Catalog, Command: g.command,
		Overflow: g.refuse, Ask: g.askShadow, Documents: g.documents,
		Now: g.now, Log: g.log,
	})
	g.steer()
}

func (g *gateway) broker() mqtt.Options {
	o := mqtt.Options{
		Username: g.cfg.MQTTUsername, Password: g.cfg.MQTTPassword, KeepAlive: g.cfg.MQTTKeepAlive,
		CleanSession: true, Dial: g.world.dial, Log: g.log,
	}
	if g.cfg.MQTTHost == "" {
		return o
	}
	if g.cfg.exposed() {
		if g.cfg.refused() {
			g.warn(fmt.Sprintf(plainRefused, g.cfg.MQTTHost))
			return o
		}
		g.warn(fmt.Sprintf(plainBanner, g.cfg.MQTTHost))
	}
	scheme := "tcp"
	if g.cfg.TLS.Enable {
		scheme = "ssl"
		o.FreshTLS = g.cfg.TLS.renewing(g.tellTLS())
	}
	o.Broker = scheme + "://" + net.JoinHostPort(g.cfg.MQTTHost, strconv.Itoa(g.cfg.MQTTPort))
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

func (g *gateway) binding() uplink.Binding { return g.kept().Binding }

// provisioned returns the database of the join string if the gateway is not bound by that string yet.
func (g *gateway) provisioned() holdfast.Stream {
	if g.cfg.Join == nil || g.kept().Joined == g.cfg.Join.Store {
		return holdfast.Stream{}
	}
	return g.cfg.Join.Store
}

func (g *gateway) bind(ctx context.Context, b uplink.Binding) error {
	k := kept{Binding: b}
	if g.cfg.Join != nil && !b.Store.IsZero() {
		k.Joined = g.cfg.Join.Store
	}
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return g.buffer.Commit(ctx, buffer.Change{State: map[string][]byte{bindingKey: data}, Urgent: true})
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
		Buffer: &holdfast.BufferStatus{Bytes: held.Bytes, Limit: held.Limit},
	}
}
