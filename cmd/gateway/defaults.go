package main

import (
	"encoding/json"
	"slices"

	"holdfast"
	"holdfast/sensors"
)

// defaults are the settings that hold until somebody writes them, and again once they are taken back.
func (c *Config) defaults() []holdfast.Setting {
	level, _ := json.Marshal(c.LogLevel) // words always have JSON, and so have numbers
	groups, _ := json.Marshal(append([]string{}, c.Groups...))
	all := []holdfast.Setting{
		{Key: holdfast.SettingMeasuring, Value: json.RawMessage("true"), Origin: holdfast.OriginDefault},
		{Key: holdfast.SettingInterval, Value: jsonNumber(c.Interval.Seconds()), Origin: c.origin("sampling.interval")},
		{Key: holdfast.SettingLogLevel, Value: level, Origin: c.origin("log.level")},
		{Key: holdfast.SettingUplinkEnabled, Value: json.RawMessage("true"), Origin: holdfast.OriginDefault},
		{Key: holdfast.SettingBroker, Value: json.RawMessage("{}"), Origin: c.origin("mqtt.host")},
		{Key: holdfast.SettingGroups, Value: groups, Origin: c.origin("device.groups")},
	}
	for _, s := range c.Sensors {
		name := sensors.Configured(s).SensorName()
		own := holdfast.Setting{Key: holdfast.IntervalKey(name), Value: jsonNumber(s.Interval.Seconds()), Origin: holdfast.OriginConfig}
		if holdfast.CheckSetting(own.Key, own.Value) == nil { // else it has none, or the sampler says what is wrong with it
			all = append(all, own)
		}
	}
	return all
}

// origin is that of a setting whose value the configuration gives under a key: default where nothing was said there.
func (c *Config) origin(key string) holdfast.Origin {
	if slices.ContainsFunc(c.Values, func(v ConfigValue) bool { return v.Key == key && v.Source == sourceDefault }) {
		return holdfast.OriginDefault
	}
	return holdfast.OriginConfig
}

func jsonNumber(n float64) json.RawMessage {
	data, _ := json.Marshal(n)
	return data
}
