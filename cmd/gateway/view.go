package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/dashboard"
	"holdfast/sensors"
)

// Status implements dashboard.Status: one look at everything that the page shows.
func (g *gateway) Status(context.Context) dashboard.View {
	at := g.now()
	v := dashboard.View{
		Time: at.Time, Device: g.device, Version: strings.TrimSpace(version + " " + g.balena.String()), Since: g.since, Clock: holdfast.ClockUnsynchronized,
		Sensors: g.viewSensors(), Alerts: g.alerts.list(at.Time), Notices: g.notices.all(),
	}
	if at.Synchronized {
		v.Clock = holdfast.ClockSynchronized
	}
	if !g.isOpen() {
		g.viewOpening(&v)
		return v
	}
	v.Stream, v.Link = g.buffer.Stream(), g.viewLink()
	if text := g.links.notice(); text != "" {
		v.Notices = append(v.Notices, text)
	}
	v.Measuring, v.SettingsRevision = g.control.Measuring(), g.control.Revision()
	if by, ok := g.control.Get(holdfast.SettingMeasuring); ok && by.Revision > 0 {
		v.MeasuringBy = &by
	}
	v.Buffer, v.Records = g.viewBuffer()
	v.Edge = g.edgeStatus()
	v.MayUnplug, v.Presses, v.Outputs = g.mayUnplug(), g.viewPresses(), g.viewOutputs()
	if g.led.Pin != "" {
		shows, on := g.led.state()
		v.LED = &dashboard.LED{Shows: string(shows), On: on}
	}
	return v
}

func (g *gateway) viewLink() dashboard.Link {
	s, there := g.uplink.Status(), g.cfg.with(g.links.inUse())
	if !g.cfg.native() {
		alone := g.profile.Status()
		s.Up, s.Since, s.Error = alone.Up, alone.Since, alone.Error
	}
	link := dashboard.Link{
		State: dashboard.LinkConnecting, Since: s.Since, Error: s.Error, Mode: s.Mode, Store: s.Store,
		ReceiverOnline: s.Online, Hold: s.Hold, Aside: s.Aside,
	}
	switch {
	case there.MQTTHost == "":
		link.State = dashboard.LinkOff
		return link
	case there.refused():
		link.State, link.Error = dashboard.LinkOff, fmt.Sprintf(plainRefused, there.MQTTHost)
		return link
	case s.Up:
		link.State = dashboard.LinkConnected
	}
	link.Broker = net.JoinHostPort(there.MQTTHost, strconv.Itoa(there.MQTTPort))
	if len(s.Others) > 0 {
		link.OtherStore = s.Others[0]
	}
	return link
}

func (g *gateway) viewBuffer() (dashboard.Buffer, dashboard.Records) {
	s := g.buffer.Status()
	delivered := g.uplink.Status().Receipted
	if !g.cfg.native() {
		delivered = g.profile.Status().Published
	}
	records := dashboard.Records{Delivered: delivered, Dropped: s.Dropped + s.Corrupt + s.Rejected, Withheld: g.withheld.all()}
	for _, lane := range s.Lanes {
		records.Produced += lane.Head
		records.Waiting += lane.Pending
	}
	for _, stream := range s.Older {
		for _, lane := range stream.Lanes {
			records.Waiting += lane.Pending
		}
	}
	return dashboard.Buffer{
		Lanes: s.Lanes, Older: s.Older, Bytes: s.Bytes, Limit: s.Limit, Failing: s.Failing, Volatile: s.Volatile,
	}, records
}

func (g *gateway) viewSensors() []dashboard.Sensor {
	quantities := map[string][]holdfast.Quantity{}
	for _, s := range g.world.source.Catalog().Sensors {
		quantities[s.Name] = s.Quantities
	}
	out := []dashboard.Sensor{}
	for _, s := range g.world.source.Sensors() {
		out = append(out, dashboard.Sensor{
			Name: s.Name, Chip: s.Chip, State: s.State, Error: s.Error, Time: s.Time, IntervalS: s.Interval.Seconds(),
			Values: viewValues(quantities[s.Name], s), Samples: s.Samples, Skipped: s.Skipped, Errors: s.Errors, Suspect: s.Suspect, Bad: s.Bad,
		})
	}
	return out
}

// viewValues puts the newest values beside what the catalog says of them.
func viewValues(quantities []holdfast.Quantity, s sensors.State) []dashboard.Value {
	out := []dashboard.Value{}
	rest := maps.Clone(s.Values)
	for _, q := range quantities {
		value := dashboard.Value{Quantity: q.Name, Unit: q.Unit, Precision: q.Precision, Quality: s.Quality[q.Name]}
		if v, ok := rest[q.Name]; ok {
			value.Value = &v
			delete(rest, q.Name)
		}
		out = append(out, value)
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		v := rest[name]
		out = append(out, dashboard.Value{Quantity: name, Precision: 3, Value: &v})
	}
	return out
}
