package main

import (
	"context"
	"errors"
	"time"

	"holdfast"
	"holdfast/dashboard"
)

// While the buffer is being opened the page answers already: it shows the sensors, refuses to change anything, and says
// what the gateway waits for.

var errOpening = errors.New("the gateway is still opening its buffer; try again in a moment")

// isOpen reports whether assemble is through.
func (g *gateway) isOpen() bool {
	select {
	case <-g.opened:
		return true
	default:
		return false
	}
}

// viewOpening fills in what is known before the settings are: the source measures until it is told otherwise.
func (g *gateway) viewOpening(v *dashboard.View) {
	v.Measuring = true
	v.Link = dashboard.Link{State: dashboard.LinkConnecting, Since: g.since, Mode: g.cfg.Ack}
	if g.cfg.MQTTHost == "" {
		v.Link.State = dashboard.LinkOff
	}
	v.Buffer = dashboard.Buffer{Limit: g.cfg.BufferMaxBytes, Volatile: true}
	v.Notices = append(v.Notices, "The buffer is being opened. After a power cut its file is examined first.")
}

// stopPatience is how long a stop waits for the buffer to be opened, so that what was measured meanwhile is kept. Whoever stops
// containers gives them 10 s.
const stopPatience = 7 * time.Second

// outlive returns a context that ends so long after ctx.
func outlive(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })
	return longer, func() { stop(); cancel() }
}

// openingLimit is how long a start may take until it is ill: the file is examined, salvaged and opened.
const openingLimit = 2*examineLimit + stuck

// health implements the page's /healthz.
func (g *gateway) health() error {
	if !g.isOpen() && time.Since(g.progress.start) < openingLimit {
		return nil
	}
	return g.progress.health()
}

// historyPatience is how long a page that comes early waits for the history.
const historyPatience = 5 * time.Second

// history is the buffer's, once it is open.
type history struct{ *gateway }

func (h history) History(from, to time.Time, f func(lane holdfast.Lane, record []byte) bool) error {
	select {
	case <-h.opened:
		return h.buffer.History(from, to, f)
	case <-time.After(historyPatience):
		return errOpening
	}
}
