package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast"
	"holdfast/balena"
	"holdfast/buffer"
	"holdfast/mqtt"
	"holdfast/uplink/profile"
)

// Profiles: what is spoken with the broker.
const (
	profileNative = "native"
	profileFlat   = "flat"        // the older system's, alone
	profileBoth   = "native+flat" // beside each other
	profilePlain  = "plain"       // a plain message a reading, alone
)

// Where the buffer keeps what the profiles remember.
const (
	cursorKey = "profile/cursor"
	idsKey    = "profile/ids"
)

// defaultSending is how often the profiles send what is new, where nobody has said uplink.interval.
const defaultSending = time.Second

// native reports whether batches go to a receiver, or wait for one.
func (c *Config) native() bool { return c.Profile == profileNative || c.Profile == profileBoth }

// mintIDs gives every reading an id from here on, where programs of the older system may ask for it.
func (g *gateway) mintIDs() {
	if g.cfg.RedisAddress == "" && g.cfg.Profile != profileFlat && g.cfg.Profile != profileBoth {
		return
	}
	g.ids = new(profile.IDs)
	if err := g.ids.Resume(string(g.buffer.State(idsKey))); err != nil {
		g.log.Error("the newest reading's id is damaged, ids begin at the clock", "err", err)
	}
}

// profiled makes the profile that is configured beside the uplink, or in its place. startLinks gives it its broker.
func (g *gateway) profiled() {
	o := profile.Options{
		Records: g.buffer, Enabled: g.sending, Interval: g.sendingInterval,
		Cursor: g.cursor(), Moved: g.moved, Log: g.log,
	}
	switch g.cfg.Profile {
	case profileFlat, profileBoth:
		flat, err := g.flat()
		if err != nil {
			g.log.Error("the older system's profile is not spoken", "err", err)
			g.notices.add("the older system's profile is not spoken: " + err.Error())
			return
		}
		o.Flat, o.Format, o.Device = flat, flat, older{g}
	case profilePlain:
		plain := &profile.Plain{Device: g.device, Topics: holdfast.Topics{Prefix: g.cfg.TopicPrefix}}
		will := plain.State(false, time.Time{})
		o.Format, o.Broker.Will = plain, &will
		o.Hello = func() mqtt.Message { return plain.State(true, g.now().Time) }
		o.Bye = func() mqtt.Message { return plain.State(false, g.now().Time) }
	default:
		return
	}
	o.Broker.ClientID = fmt.Sprintf("%s-%s-%.8s", g.device, g.cfg.Profile, g.buffer.Stream())
	g.profile = profile.New(o)
}

func (g *gateway) flat() (*profile.Flat, error) {
	env := balena.ReadEnvironment(os.Getenv)
	names := profile.Names{DeviceUUID: env.DeviceUUID, DeviceType: env.DeviceType, AppID: env.AppID, AppName: env.AppName}
	if names.DeviceUUID == "" {
		names.DeviceUUID = g.device
	}
	topics, err := g.cfg.olderTopics(names)
	return &profile.Flat{Names: names, Topics: topics}, err
}

// olderTopics renders the templates.
func (c *Config) olderTopics(names profile.Names) (topics profile.Topics, err error) {
	var mistakes []error
	for _, t := range []struct {
		variable, template string
		topic              *string
	}{
		{"MQTT_TOPIC_VALUES", c.OlderTopics.Values, &topics.Values},
		{"MQTT_TOPIC_REQUEST", c.OlderTopics.Request, &topics.Request},
		{"MQTT_TOPIC_RESPONSE", c.OlderTopics.Response, &topics.Response},
		{"MQTT_TOPIC_BROADCAST", c.OlderTopics.Broadcast, &topics.Broadcast},
	} {
		topic, err := names.Render(t.template)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", t.variable, err))
		}
		*t.topic = topic
	}
	return topics, errors.Join(mistakes...)
}

// sending reports whether the profiles send.
func (g *gateway) sending() bool {
	s, ok := g.control.Get(holdfast.SettingUplinkEnabled)
	return !ok || string(s.Value) != "false"
}

func (g *gateway) sendingInterval() time.Duration {
	var seconds float64
	if s, ok := g.control.Get(holdfast.SettingUplinkInterval); ok && json.Unmarshal(s.Value, &seconds) == nil && seconds > 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	return defaultSending
}

// cursor is where the profile goes on; at the begin of this stream where it never was.
func (g *gateway) cursor() holdfast.Position {
	at := holdfast.Position{Stream: g.buffer.Stream()}
	data := g.buffer.State(cursorKey)
	if data == nil {
		return at
	}
	var kept holdfast.Position
	if err := json.Unmarshal(data, &kept); err != nil {
		g.log.Error("the profile's cursor is damaged, it goes on with this start's readings", "err", err)
		return at
	}
	return kept
}

// moved keeps the cursor. A profile that is alone has handed over what lies before it: nobody else will answer for that.
func (g *gateway) moved(at holdfast.Position) {
	data, err := json.Marshal(at)
	if err != nil {
		g.log.Error("the profile's cursor cannot be kept", "err", err)
		return
	}
	g.append(buffer.Change{State: map[string][]byte{cursorKey: data}})
	if g.cfg.native() {
		return
	}
	status := g.buffer.Status()
	g.handedOver(at.Stream, holdfast.LaneTelemetry, at.Seq)
	for _, lane := range []holdfast.Lane{holdfast.LaneAlert, holdfast.LaneEvent} {
		g.handedOver(g.buffer.Stream(), lane, status.Lanes[lane].Head)
	}
	for _, old := range status.Older {
		for lane, state := range old.Lanes {
			if lane != holdfast.LaneTelemetry || at.Stream == g.buffer.Stream() {
				g.handedOver(old.Stream, lane, state.Head)
			}
		}
	}
}

func (g *gateway) handedOver(stream holdfast.Stream, lane holdfast.Lane, last uint64) {
	if last == 0 {
		return
	}
	if err := g.buffer.Done(stream, lane, holdfast.Ranges{{First: 1, Last: last}}); err != nil {
		g.log.Error("handed over, and not noted", "stream", stream, "lane", lane, "err", err)
	}
}

// older is the gateway as those who send commands in the older system's way know it.
type older struct{ *gateway }

// Get implements profile.Device.
func (o older) Get(key string) (string, error) { return o.olderSetting(key) }

// Set implements profile.Device.
func (o older) Set(ctx context.Context, key, value string) error {
	return o.setOlder(ctx, key, value, holdfast.OriginCommand, "set_config "+key)
}

// olderKeys are the keys of the older system and the settings that they stand for. mqtt_sender:last_id is the profile's own.
var olderKeys = map[string]string{
	"measurement:enabled":  holdfast.SettingMeasuring,
	"measurement:interval": holdfast.SettingInterval,
	"mqtt_sender:enabled":  holdfast.SettingUplinkEnabled,
	"mqtt_sender:interval": holdfast.SettingUplinkInterval,
}

func settingOf(key string) (string, error) {
	setting, ok := olderKeys[key]
	if !ok {
		return "", fmt.Errorf("key %.64q: want measurement:enabled, measurement:interval, mqtt_sender:enabled, mqtt_sender:interval or %s", key, profile.KeyLastID)
	}
	return setting, nil
}

// mirroredKeys are the keys that stand in Redis.
func (g *gateway) mirroredKeys() []string {
	keys := slices.Sorted(maps.Keys(olderKeys))
	if g.profile != nil && g.ids != nil {
		keys = append(keys, profile.KeyLastID)
	}
	return keys
}

// olderValue returns what a key holds for those who read it in Redis.
func (g *gateway) olderValue(key string) (string, error) {
	if key == profile.KeyLastID {
		return g.profile.LastID()
	}
	return g.olderSetting(key)
}

// olderSetting returns a setting as the older system wrote it: 1 and 0, or seconds.
func (g *gateway) olderSetting(key string) (string, error) {
	setting, err := settingOf(key)
	if err != nil {
		return "", err
	}
	switch setting {
	case holdfast.SettingMeasuring:
		return bit(g.control.Measuring()), nil
	case holdfast.SettingInterval:
		return seconds10(g.control.Interval("")), nil
	case holdfast.SettingUplinkEnabled:
		return bit(g.sending()), nil
	}
	return seconds10(g.sendingInterval()), nil
}

// setOlder changes a setting, as button, page and commands do.
func (g *gateway) setOlder(ctx context.Context, key, value string, origin holdfast.Origin, reason string) error {
	if key == profile.KeyLastID && g.profile != nil {
		return g.profile.SetLastID(value)
	}
	setting, err := settingOf(key)
	if err != nil {
		return err
	}
	data := json.RawMessage(value)
	if strings.HasSuffix(key, ":enabled") {
		on, ok := map[string]bool{"1": true, "true": true, "0": false, "false": false}[strings.ToLower(strings.TrimSpace(value))]
		if !ok {
			return fmt.Errorf("%s: %.40q: want 1 or 0", key, value)
		}
		data = json.RawMessage(strconv.FormatBool(on))
	} else if _, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil {
		return fmt.Errorf("%s: %.40q: want seconds", key, value)
	}
	_, err = g.control.Set(ctx, setting, data, origin, reason)
	return err
}

// Reboot reboots by way of a command, so that it is bounded, answered for and an event like any other.
func (o older) Reboot(ctx context.Context, begun func()) error {
	payload, err := json.Marshal(holdfast.Command{V: holdfast.Version, ID: "older-" + rand.Text(), Name: "reboot", From: "the older system"})
	if err != nil {
		return err
	}
	var last holdfast.Result
	o.control.Execute(ctx, payload, false, func(r holdfast.Result) {
		if last = r; r.State == holdfast.Running {
			begun()
		}
	})
	if last.Error != nil {
		return errors.New(last.Error.Message)
	}
	return nil
}

func bit(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func seconds10(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
