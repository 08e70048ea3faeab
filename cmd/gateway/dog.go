package main

import (
	"log/slog"
	"os"
)

// A dog is the hardware's watchdog, as the kernel offers it (Documentation/watchdog/watchdog-api.rst): from open on it resets
// the machine unless something is written now and then; a V before the close calls it off. A nil dog is none.
type dog struct {
	file *os.File
	log  *slog.Logger
}

// openDog opens the configured device, unless it has reset the Pi often enough. One that cannot be had, because systemd of the
// host feeds it for example, is told of.
func (g *gateway) openDog(allowed bool) *dog {
	if g.cfg.WatchdogDevice == "" {
		return nil
	}
	if !allowed {
		g.notices.add("the hardware's watchdog is left alone: too many boots in a row did not end well, or that cannot be counted")
		return nil
	}
	f, err := os.OpenFile(g.cfg.WatchdogDevice, os.O_WRONLY, 0)
	if err != nil {
		g.log.Error("there is no hardware watchdog", "err", err)
		g.notices.add("the hardware's watchdog is not used: " + err.Error())
		return nil
	}
	g.log.Info("hardware watchdog is fed", "device", g.cfg.WatchdogDevice, "every", feedInterval)
	d := &dog{f, g.log}
	d.feed()
	return d
}

func (d *dog) feed() { d.write("\x00") }

// close calls the dog off. To close it twice does nothing.
func (d *dog) close() {
	if d == nil || d.file == nil {
		return
	}
	d.write("V")
	d.file.Close()
	d.file = nil
}

// leave feeds the dog a last time and does not call it off: a process that hangs in the kernel may not come to its end, and
// nothing is started in its place then. The next start feeds it in time where there is one.
func (d *dog) leave() {
	if d == nil || d.file == nil {
		return
	}
	d.feed()
	d.file.Close()
	d.file = nil
}

func (d *dog) write(text string) {
	if d == nil {
		return
	}
	if _, err := d.file.WriteString(text); err != nil {
		d.log.Error("hardware watchdog does not take what it is fed", "err", err)
	}
}
