package control

import (
	"context"
	"encoding/json"
	"fmt"

	"holdfast"
)

// An Action is what a press of the button does to measuring.
type Action string

const (
	ActionToggle Action = "toggle" // on or off
	ActionStop   Action = "stop"   // off
	ActionMark   Action = "mark"   // nothing: the press is an event, for notes in the field
)

// A shortPress is what a long or double press takes back: it began as a short one, which took effect at once.
type shortPress struct {
	revision int64           // that it brought about
	before   json.RawMessage // measuring until then
}

// Press is a press of the button. The press and what it makes of measuring land in one commit. One that is long or double
// acts upon what was before the short press that it began as, unless somebody else wrote in between.
func (c *Control) Press(ctx context.Context, press holdfast.Press, action Action) (holdfast.Setting, error) {
	return c.press(ctx, press, action, press.Press+" press")
}

// Toggle is a short press that turns measuring on or off.
func (c *Control) Toggle(ctx context.Context, origin holdfast.Origin, reason string) (holdfast.Setting, error) {
	return c.press(ctx, holdfast.Press{Origin: string(origin), Press: holdfast.PressShort}, ActionToggle, reason)
}

func (c *Control) press(ctx context.Context, press holdfast.Press, action Action, reason string) (holdfast.Setting, error) {
	if err := c.acquire(ctx); err != nil {
		return holdfast.Setting{}, fmt.Errorf("%s press: %w", press.Press, err)
	}
	defer c.release()
	base := boolean(c.Measuring())
	if press.Press != holdfast.PressShort && c.short.before != nil {
		if s, _ := c.Get(holdfast.SettingMeasuring); s.Revision == c.short.revision {
			base = c.short.before
		}
	}
	c.short = shortPress{}
	wanted := base
	switch action {
	case ActionToggle:
		wanted = boolean(string(base) != "true")
	case ActionStop:
		wanted = boolean(false)
	}
	ch := c.begin()
	ch.event(holdfast.EventButton, press)
	setting, err := ch.set(holdfast.SettingMeasuring, wanted, holdfast.Origin(press.Origin), reason)
	if err == nil {
		err = c.carry(ctx, ch)
	}
	if err != nil {
		return holdfast.Setting{}, fmt.Errorf("%s press: %w", press.Press, err)
	}
	if press.Press == holdfast.PressShort && len(ch.effects) > 0 {
		c.short = shortPress{setting.Revision, base}
	}
	return setting, nil
}
