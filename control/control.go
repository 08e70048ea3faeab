// Package control is the one arbiter of what can be set while the gateway runs, and the executor of commands.
//
// Button, command, shadow, rule, page and Redis keys are writers and nothing more: each asks [Control.Set], and each
// accepted change gets a revision, an origin, a reason and a time. It is durable before it takes effect: the setting event
// and the settings' state land in one commit, then Options.Apply is called. Changes take effect in the order of their
// revisions, one at a time. A setting that was never changed, or taken back, holds its default.
//
// A command runs once, however often it arrives and whenever the power fails: its id and outcome are kept, and a known id
// is answered from there. A command that changes settings commits the change together with its receipt; one that does
// anything else first makes its intent durable, and an intent that a restart finds without an outcome is never carried out
// again. So no command can make a device reboot in a loop, and of those that end the daemon only a few an hour are taken.
// Retained, expired, malformed, unknown and unsupported commands are refused with a reason and leave an event; those beyond
// the rate are refused without a commit.
//
// The shadow is a view of all this for programs that think in desired and reported state; what it desires it sets as any
// other writer does, in the commit that keeps the desire.
//
// The package knows neither MQTT nor the buffer: payloads come in, results go out, and [Store] is what keeps them.
package control

import (
	"cmp"
	"context"
	"crypto/ed25519"
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

// Options are what a Control needs. Check, Apply and Changed are called on the goroutine of the writer, the last two in the
// order of revisions; they may be nil, and must not call Set, Press, Toggle, Execute or Shadow.
type Options struct {
	Abilities
	Store    Store
	Defaults []holdfast.Setting // what holds until somebody changes it: Key, Value, and Origin config where it is not default
	Fresh    []string           // keys that begin at their default again with each start, whatever they were set to
	Now      func() holdfast.Instant
	Check    func(key string, value json.RawMessage) error // refuses what the device cannot act upon, wrapping ErrInvalid
	Apply    func(holdfast.Setting)                        // makes a change take effect; it is durable already. Value null: not set any more
	Changed  func(holdfast.Setting)                        // is told after Apply
	Rate     float64                                       // commands a second; default 20
	Burst    float64                                       // commands at once; default 50
	Device   string                                        // whom a signed command is for
	Keys     []ed25519.PublicKey                           // whose signature a command needs; none: it needs none
	Log      *slog.Logger                                  // nil: none
}

// Abilities are what a device can do beside holding settings. A nil one is missing, and the commands that need it answer
// unsupported. Those without ctx are called while no other change can be made, and must be quick. The others are called by
// Execute once the command's intent is durable, and give up when ctx ends; what the first four return is written as JSON.
type Abilities struct {
	Sample       func(ctx context.Context, sensor string) (any, error) // reads one sensor now, or all for ""
	Scan         func(ctx context.Context) (any, error)
	Flush        func(ctx context.Context) (any, error) // makes durable what waits, and tries the link
	Measurements func(ctx context.Context, s Selection) (any, error)
	Diagnose     func(ctx context.Context) (any, error)

	Acknowledge func(ctx context.Context, alert, by string) (any, error) // durable when it returns

	Identify func(d time.Duration)                      // shows the device to somebody who looks for it
	MayHold  func(output string, d time.Duration) error // refuses a time that the output cannot be on for
	Hold     func(output string, d time.Duration)       // ends after d what the output does; 0: never
	Sensors  func() []string                            // those that are known by name, found or configured; nil: set_interval takes any name

	Status func() any // of the device; settings stand beside it in the command's result
	Config func() any // the effective configuration without its secrets

	Mistakes func() []string // of the configuration: a line each, bounded and without secrets; nil: nobody knows of any

	// Restart, Shutdown and Reboot start what ends this daemon and return; the next start tells the outcome.
	Restart, Shutdown, Reboot func(ctx context.Context) error
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
	short    shortPress         // the newest press, while it can become long or double

	limit limiter

	mu       sync.RWMutex
	stored   map[string]holdfast.Setting // those that somebody wrote, and nobody took back
	revision int64
	shadow   shadowState
}

// New loads the stored settings and receipts. A stored value that cannot be used falls back to its default; [Control.Resume]
// makes that an event. The error is about Options.
func New(o Options) (*Control, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Control{
		limit:    limiter{rate: cmp.Or(o.Rate, defaultRate), burst: cmp.Or(o.Burst, defaultBurst)},
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
	c.loadShadow()
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

// written reports whether somebody wrote the setting, and it was not taken back.
func (c *Control) written(key string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, ok := c.stored[key]
	return ok
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
