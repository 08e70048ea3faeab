package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast"
)

// stateKey is where the settings are kept.
const stateKey = "settings"

// settingsState is what is kept there.
type settingsState struct {
	V        int                `json:"v"`
	Revision int64              `json:"revision"`
	Settings []holdfast.Setting `json:"settings"`
}

// encode returns the state with effects on top of what holds.
func (c *Control) encode(effects []effect) []byte {
	c.mu.RLock()
	settings, revision := maps.Clone(c.stored), c.revision
	c.mu.RUnlock()
	for _, e := range effects {
		e.on(settings)
		revision = e.setting.Revision
	}
	return encodeSettings(settings, revision)
}

func encodeSettings(settings map[string]holdfast.Setting, revision int64) []byte {
	state := settingsState{V: 1, Revision: revision}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		state.Settings = append(state.Settings, settings[key])
	}
	data, err := json.Marshal(state)
	if err != nil {
		panic(fmt.Sprintf("control: settings that were checked have no JSON: %v", err))
	}
	return data
}

// load takes over the stored settings that can be used. The others fall back to their defaults.
func (c *Control) load() {
	data := c.o.Store.State(stateKey)
	if data == nil {
		return
	}
	var state settingsState
	err := json.Unmarshal(data, &state)
	if err == nil && state.V != 1 {
		err = fmt.Errorf("version %d: want 1", state.V)
	}
	if err != nil {
		c.o.Log.Error("stored settings are damaged, defaults hold", "err", err)
		for _, key := range slices.Sorted(maps.Keys(c.defaults)) {
			c.fall(key, err)
		}
		return
	}
	c.revision = state.Revision
	for _, s := range state.Settings {
		if err := holdfast.CheckSetting(s.Key, s.Value); err != nil {
			c.o.Log.Error("stored setting cannot be used, its default holds", "key", s.Key, "err", err)
			c.fall(s.Key, err)
			continue
		}
		if slices.Contains(c.o.Fresh, s.Key) {
			c.forget(s)
			continue
		}
		c.stored[s.Key] = s
	}
}

// forget takes back what was stored of a setting that begins at its default; where that is another value, it is an event.
func (c *Control) forget(stored holdfast.Setting) {
	if s, ok := c.defaults[stored.Key]; ok && !same(stored.Value, s.Value) {
		s.Reason = "start"
		c.fallen = append(c.fallen, s)
	}
}

func (c *Control) fall(key string, err error) {
	if s, ok := c.defaults[key]; ok {
		s.Reason = cut("stored value: "+strings.TrimSpace(err.Error()), 256)
		c.fallen = append(c.fallen, s)
	}
}
