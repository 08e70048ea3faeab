package main

import (
	"context"
	"sync"
	"time"

	"holdfast"
	"holdfast/dashboard"
	"holdfast/sensors"
)

// A lamp is what the status LED says. Count the flashes: one is paused, two offline, three safe to unplug; an even slow
// blink is well, an even quick one is not.
type lamp string

const (
	lampStarting lamp = "starting"
	lampRunning  lamp = "running"
	lampPaused   lamp = "paused"
	lampOffline  lamp = "offline" // and something waits to be sent
	lampFault    lamp = "fault"   // the disk takes nothing, or a sensor that was there is lost
	lampSafe     lamp = "safe"    // the power may be pulled
	lampIdentify lamp = "identify"
)

// flashes are n short ones and a pause, two seconds together.
func flashes(n int) []time.Duration {
	const flash = 150 * time.Millisecond
	var steps []time.Duration
	for range n {
		steps = append(steps, flash, flash)
	}
	steps[2*n-1] = 2*time.Second - time.Duration(2*n-1)*flash
	return steps
}

// pattern returns how long the LED is on, off, on … in turn; it begins again at the end.
func (l lamp) pattern() []time.Duration {
	const ms = time.Millisecond
	switch l {
	case lampRunning:
		return []time.Duration{1000 * ms, 1000 * ms}
	case lampPaused:
		return flashes(1)
	case lampOffline:
		return flashes(2)
	case lampSafe:
		return flashes(3)
	case lampFault:
		return []time.Duration{250 * ms, 250 * ms}
	case lampIdentify:
		return []time.Duration{50 * ms, 50 * ms}
	}
	return []time.Duration{time.Second} // starting: on
}

// lampFacts are what the LED tells of.
type lampFacts struct {
	open, identify, fault, safe, measuring, offline bool
}

// lamp returns what is most important.
func (f lampFacts) lamp() lamp {
	switch {
	case f.identify:
		return lampIdentify
	case !f.open:
		return lampStarting
	case f.fault:
		return lampFault
	case f.safe:
		return lampSafe
	case !f.measuring:
		return lampPaused
	case f.offline:
		return lampOffline
	}
	return lampRunning
}

// led is the status LED.
type led struct {
	LEDConfig

	mu       sync.Mutex
	identify time.Time // until then
	shows    lamp
	on       bool
}

func newLED(c LEDConfig) *led { return &led{LEDConfig: c} }

// show has the LED identify the device for d.
func (l *led) show(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.identify = time.Now().Add(d)
}

func (l *led) identifies() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.identify)
}

func (l *led) note(shows lamp, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shows, l.on = shows, on
}

func (l *led) state() (shows lamp, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shows, l.on
}

// ledPace is how soon the LED follows what happens.
const ledPace = 100 * time.Millisecond

// runLED blinks until ctx ends, and then switches the LED off. An LED that cannot be had is told of.
func (g *gateway) runLED(ctx context.Context) error {
	if g.led.Pin == "" {
		return nil
	}
	line, err := g.world.openLine(sensors.OutputOptions{Chip: g.led.Chip, Line: g.led.Pin, ActiveLow: g.led.ActiveLow, Consumer: "led"}, true)
	if err != nil {
		g.log.Error("LED does not work", "err", err)
		g.notices.add("the LED does not work: " + err.Error())
		return nil
	}
	for ctx.Err() == nil {
		if err = g.blink(ctx, line); err != nil {
			g.log.Error("LED cannot be switched", "err", err)
			g.notices.add("the LED cannot be switched: " + err.Error())
			break
		}
	}
	if err := line.Set(false); err != nil {
		g.log.Error("LED is not switched off", "err", err)
	}
	if err := line.Close(); err != nil {
		g.log.Error("LED is not given back", "err", err)
	}
	return nil
}

// blink shows one pattern once, or as much of it as holds.
func (g *gateway) blink(ctx context.Context, line line) error {
	shows := g.lamp()
	for i, step := range shows.pattern() {
		on := i%2 == 0
		if err := line.Set(on); err != nil {
			return err
		}
		g.led.note(shows, on)
		for step > 0 {
			wait := min(step, ledPace)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(wait):
			}
			if step -= wait; g.lamp() != shows {
				return nil
			}
		}
	}
	return nil
}

// lamp looks at what the gateway does.
func (g *gateway) lamp() lamp {
	f := lampFacts{open: g.isOpen(), identify: g.led.identifies()}
	if !f.open {
		return f.lamp()
	}
	s, link := g.buffer.Status(), g.viewLink()
	f.measuring, f.safe = g.control.Measuring(), g.mayUnplug()
	f.fault = s.Failing != "" || s.Volatile
	for _, sensor := range g.world.source.Sensors() {
		f.fault = f.fault || f.measuring && sensor.State == holdfast.SensorLost
	}
	_, records := g.viewBuffer()
	f.offline = link.Broker != "" && link.State != dashboard.LinkConnected && records.Waiting > 0
	return f.lamp()
}
