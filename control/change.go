package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"holdfast"
)

// commitTimeout bounds the wait for the disk. A commit is not given up when its caller is, because then nobody would know
// whether the change holds.
const commitTimeout = 10 * time.Second

// maxSettings bounds how many settings can be changed; only intervals of sensors are without end.
const maxSettings = 1000

// Set changes a setting and returns it as it holds then. Where it holds the value already, nothing happens and the setting
// is returned as it is. When Set returns without error the change is durable and has taken effect; with an error nothing
// has changed. The error wraps [holdfast.ErrInvalid] where key or value are wrong.
func (c *Control) Set(ctx context.Context, key string, value json.RawMessage, origin holdfast.Origin, reason string) (holdfast.Setting, error) {
	if err := c.acquire(ctx); err != nil {
		return holdfast.Setting{}, fmt.Errorf("set %s: %w", key, err)
	}
	defer c.release()
	ch := c.begin()
	setting, err := ch.set(key, value, origin, reason)
	if err == nil {
		err = c.carry(ctx, ch)
	}
	if err != nil {
		return holdfast.Setting{}, fmt.Errorf("set %s: %w", key, err)
	}
	return setting, nil
}

// Forget takes a written setting back: its default holds again. It is returned as it holds then, with the value null where it
// has no default. It is for a person who asks for just that; [Control.Set] refuses null, which a writer may send by accident.
func (c *Control) Forget(ctx context.Context, key string, origin holdfast.Origin, reason string) (holdfast.Setting, error) {
	if err := c.acquire(ctx); err != nil {
		return holdfast.Setting{}, fmt.Errorf("take back %s: %w", key, err)
	}
	defer c.release()
	ch := c.begin()
	setting, err := ch.takeBack(key, origin, reason)
	if err == nil {
		err = c.carry(ctx, ch)
	}
	if err != nil {
		return holdfast.Setting{}, fmt.Errorf("take back %s: %w", key, err)
	}
	return setting, nil
}

// TakeBack sets a setting to another value, or to its default with null, if nobody has changed it since that revision, and
// reports whether it did. It is for a value that did not prove itself.
func (c *Control) TakeBack(ctx context.Context, key string, since int64, value json.RawMessage, reason string) (bool, error) {
	if err := c.acquire(ctx); err != nil {
		return false, fmt.Errorf("take back %s: %w", key, err)
	}
	defer c.release()
	if current, ok := c.Get(key); !ok || current.Revision != since {
		return false, nil
	}
	ch := c.begin()
	change := func() (holdfast.Setting, error) { return ch.set(key, value, holdfast.OriginTrial, reason) }
	if holdfast.IsNull(value) {
		change = func() (holdfast.Setting, error) { return ch.takeBack(key, holdfast.OriginTrial, reason) }
	}
	_, err := change()
	if err == nil {
		err = c.carry(ctx, ch)
	}
	if err != nil {
		return false, fmt.Errorf("take back %s: %w", key, err)
	}
	return true, nil
}

func boolean(b bool) json.RawMessage {
	if b {
		return json.RawMessage("true")
	}
	return json.RawMessage("false")
}

// acquire waits for the slot: the right to make the next change.
func (c *Control) acquire(ctx context.Context) error {
	select {
	case c.slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Control) release() { <-c.slot }

// A change is what one commit makes durable, and what takes effect after it. It belongs to the holder of the slot.
type change struct {
	c       *Control
	now     holdfast.Instant
	events  []*holdfast.Event
	state   map[string][]byte
	effects []effect
	shadow  *shadowState // the one that holds then; nil where it stays
}

// An effect is what a change does to one setting.
type effect struct {
	setting holdfast.Setting // as it holds then
	gone    bool             // nobody's word any more: its default holds, and Value is null where it has none
}

func (c *Control) begin() *change {
	return &change{c: c, now: c.o.Now(), state: make(map[string][]byte)}
}

func (ch *change) event(name string, data any) {
	ch.events = append(ch.events, holdfast.NewEvent(ch.now, name, data))
}

// set adds a change of one setting, unless it holds the value already.
func (ch *change) set(key string, value json.RawMessage, origin holdfast.Origin, reason string) (holdfast.Setting, error) {
	if err := holdfast.CheckSetting(key, value); err != nil {
		return holdfast.Setting{}, err
	}
	if ch.c.o.Check != nil {
		if err := ch.c.o.Check(key, value); err != nil {
			return holdfast.Setting{}, err
		}
	}
	value, err := canonical(value)
	if err != nil {
		return holdfast.Setting{}, err
	}
	current, ok := ch.c.Get(key)
	if ok && same(current.Value, value) {
		return current, nil
	}
	if !ok && len(ch.c.Settings())+len(ch.effects) >= maxSettings {
		return holdfast.Setting{}, fmt.Errorf("%w %s: there are %d settings already", holdfast.ErrInvalid, key, maxSettings)
	}
	return ch.effect(holdfast.Setting{Key: key, Value: value, Origin: origin, Reason: reason}, false), nil
}

// takeBack adds that a setting goes back to its default, unless nobody wrote it. The setting returned has the default's
// value, null where it has none.
func (ch *change) takeBack(key string, origin holdfast.Origin, reason string) (holdfast.Setting, error) {
	back, ok := ch.c.defaults[key]
	if !ok {
		back = holdfast.Setting{Key: key, Value: json.RawMessage("null")}
	}
	if !ch.c.written(key) {
		return back, ch.c.checkKey(key)
	}
	back.Origin, back.Reason = origin, "taken back: "+reason
	return ch.effect(back, true), nil
}

// effect numbers and dates a setting, and adds it to what the change does.
func (ch *change) effect(setting holdfast.Setting, gone bool) holdfast.Setting {
	setting.Revision = ch.c.Revision() + int64(len(ch.effects)) + 1
	setting.Reason, setting.Time = cut(setting.Reason, 256), ch.now.Time
	ch.effects = append(ch.effects, effect{setting, gone})
	shown := setting
	shown.Value = holdfast.ConcealSetting(setting.Key, setting.Value)
	ch.event(holdfast.EventSetting, shown)
	return setting
}

// carry makes a change durable and then lets it take effect.
func (c *Control) carry(ctx context.Context, ch *change) error {
	if len(ch.effects) > 0 {
		ch.state[stateKey] = c.encode(ch.effects)
	}
	if len(ch.events) == 0 && len(ch.state) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if err := c.o.Store.Commit(ctx, ch.events, ch.state); err != nil {
		return fmt.Errorf("make it durable: %w", err)
	}
	if ch.shadow != nil {
		c.mu.Lock()
		c.shadow = *ch.shadow
		c.mu.Unlock()
	}
	for _, e := range ch.effects {
		c.adopt(e)
	}
	return nil
}

func (c *Control) adopt(e effect) {
	c.mu.Lock()
	e.on(c.stored)
	c.revision = e.setting.Revision
	c.mu.Unlock()
	if c.o.Apply != nil {
		c.o.Apply(e.setting)
	}
	if c.o.Changed != nil {
		c.o.Changed(e.setting)
	}
}

// on does to settings that were written what the effect does to one of them.
func (e effect) on(written map[string]holdfast.Setting) {
	if e.gone {
		delete(written, e.setting.Key)
		return
	}
	written[e.setting.Key] = e.setting
}

// canonical writes a JSON value in one way: no blanks, sorted keys, 5 for 5.0.
func canonical(value json.RawMessage) (json.RawMessage, error) {
	var v any
	if err := json.Unmarshal(value, &v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func same(a, b json.RawMessage) bool {
	a, err := canonical(a)
	return err == nil && bytes.Equal(a, b)
}

func cut(text string, n int) string {
	if len(text) > n {
		return text[:n]
	}
	return text
}
