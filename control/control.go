// Package control is the one arbiter of what can be set while the gateway runs, and the executor of commands.
//
// Button, command, shadow, rule, page and Redis keys are writers and nothing more: each asks [Control.Set], and each
// accepted change gets a revision, an origin, a reason and a time. It is durable before it takes effect: the setting event
// and the settings' state land in one commit, then Options.Apply is called. Changes take effect in the order of their
// revisions, one at a time. A setting that was never changed holds its default.
//
// A command runs once, however often it arrives and whenever the power fails: its id and outcome are kept, and a known id
// is answered from there. A command that changes a setting commits the change together with its receipt; one that does
// something that cannot be undone (reboot) first makes its intent durable, and an intent that a restart finds without an
// outcome is never carried out again. So no command can make a device reboot in a loop. Retained, expired, malformed and
// unknown commands are refused with a reason and leave an event.
//
// The package knows neither MQTT nor the buffer: payloads come in, results go out, and [Store] is what keeps them.
package control

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast"
)

// A Store makes changes durable. Control never calls Commit from two goroutines at once.
type Store interface {
	// Commit makes the events and the state durable, all or nothing, and returns once they are. A nil value deletes a key.
	Commit(ctx context.Context, events []*holdfast.Event, state map[string][]byte) error
	// State returns what is kept under key, nil where nothing is.
	State(key string) []byte
	// StateKeys returns the keys that begin with prefix.
	StateKeys(prefix string) []string
}

// Options are what a Control needs. Apply and Changed are called in the order of revisions, on the goroutine of the writer;
// they may be nil, and must not call Set, Toggle or Execute.
type Options struct {
	Store    Store
	Defaults []holdfast.Setting // what holds until somebody changes it: Key, Value, and Origin config where it is not default
	Now      func() holdfast.Instant
	Apply    func(holdfast.Setting)      // makes a change take effect; it is durable already
	Changed  func(holdfast.Setting)      // is told after Apply
	Reboot   func(context.Context) error // starts a reboot and returns; nil: this device cannot
	Log      *slog.Logger                // nil: none
}

// A Control holds the settings. Its methods may be called from any goroutine.
type Control struct {
	o        Options
	defaults map[string]holdfast.Setting

	// slot is held by the one writer whose change is under way, so that the mutex is never held over I/O. It guards the
	// fields up to mu.
	slot     chan struct{}
	receipts *receipts
	refused  map[string]bool    // refusals that left their event already
	fallen   []holdfast.Setting // settings whose stored value could not be used

	mu       sync.RWMutex
	stored   map[string]holdfast.Setting // those that differ from their default, or once did
	revision int64
}

// New loads the stored settings and receipts. A stored value that cannot be used falls back to its default; [Control.Resume]
// makes that an event. The error is about Options.
func New(o Options) (*Control, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Control{
		o:        o,
		defaults: make(map[string]holdfast.Setting),
		slot:     make(chan struct{}, 1),
		refused:  make(map[string]bool),
		stored:   make(map[string]holdfast.Setting),
	}
	for _, d := range o.Defaults {
		if err := holdfast.CheckSetting(d.Key, d.Value); err != nil {
			return nil, fmt.Errorf("default of %s: %w", d.Key, err)
		}
		if d.Origin == "" {
			d.Origin = holdfast.OriginDefault
		}
		c.defaults[d.Key] = d
	}
	c.load()
	c.receipts = loadReceipts(o.Store, o.Log)
	return c, nil
}

// Get returns the setting that holds for key, and whether there is one.
func (c *Control) Get(key string) (holdfast.Setting, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if s, ok := c.stored[key]; ok {
		return s, true
	}
	s, ok := c.defaults[key]
	return s, ok
}

// Settings returns every setting that holds, by key.
func (c *Control) Settings() []holdfast.Setting {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := maps.Clone(c.defaults)
	maps.Copy(all, c.stored)
	return slices.SortedFunc(maps.Values(all), func(a, b holdfast.Setting) int { return strings.Compare(a.Key, b.Key) })
}

// Revision returns the number of the newest accepted change, 0 where nothing was ever changed.
func (c *Control) Revision() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.revision
}

// Measuring reports whether the gateway is to measure. Without a setting it is.
func (c *Control) Measuring() bool {
	s, ok := c.Get(holdfast.SettingMeasuring)
	return !ok || string(s.Value) != "false"
}

// Interval returns how often a sensor is to be read: its own setting, else the one for all sensors, else 0.
func (c *Control) Interval(sensor string) time.Duration {
	s, ok := c.Get(holdfast.IntervalKey(sensor))
	if !ok {
		s, ok = c.Get(holdfast.SettingInterval)
	}
	var seconds float64
	if !ok || json.Unmarshal(s.Value, &seconds) != nil {
		return 0
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Microsecond)
}
