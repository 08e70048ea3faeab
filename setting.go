package holdfast

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// A Setting is something that can be changed at run time, with who changed it, when and why. It is also the data of
// [EventSetting].
type Setting struct {
	Key      string          `json:"key"`
	Value    json.RawMessage `json:"value"`
	Revision int64           `json:"revision"` // grows by one with every accepted change of any setting
	Origin   Origin          `json:"origin"`
	Reason   string          `json:"reason,omitempty"`
	Time     time.Time       `json:"time,omitzero"` // when it was accepted
}

// Origin names the writer of a setting.
type Origin string

const (
	OriginDefault Origin = "default"
	OriginConfig  Origin = "config"
	OriginButton  Origin = "button"
	OriginCommand Origin = "command"
	OriginShadow  Origin = "shadow"
	OriginRule    Origin = "rule"
	OriginPage    Origin = "page"
	OriginRedis   Origin = "redis"
	OriginLimit   Origin = "limit" // an output's time was over
	OriginTrial   Origin = "trial" // what did not prove itself is taken back
)

// Keys of settings. SettingInterval holds for every sensor; with ".{sensor}" behind it, for that one.
const (
	SettingMeasuring      = "measuring"         // true or false
	SettingInterval       = "sampling.interval" // seconds, a number
	SettingUplinkEnabled  = "uplink.enabled"    // true or false
	SettingUplinkInterval = "uplink.interval"   // seconds, a number
	SettingBroker         = "uplink.broker"     // a Broker; it holds secrets, see ConcealSetting
	SettingRules          = "rules"             // a RuleSet
	SettingLogLevel       = "log.level"         // debug, info, warn, error
	SettingGroups         = "groups"            // names of groups, a list
	settingOutput         = "output."           // with an output's name behind it: true or false
)

// OutputKey returns the key that switches an output.
func OutputKey(name string) string { return settingOutput + name }

// OutputOf returns which output key switches, and whether it switches one.
func OutputOf(key string) (name string, ok bool) { return strings.CutPrefix(key, settingOutput) }

// IntervalKey returns the key of one sensor's interval, or of all sensors' for "".
func IntervalKey(sensor string) string {
	if sensor == "" {
		return SettingInterval
	}
	return SettingInterval + "." + sensor
}

// IntervalSensor returns which sensor's interval key sets, "" for all, and whether key sets an interval at all.
func IntervalSensor(key string) (sensor string, ok bool) {
	rest, ok := strings.CutPrefix(key, SettingInterval)
	if !ok || rest == "" {
		return "", ok
	}
	sensor, ok = strings.CutPrefix(rest, ".")
	return sensor, ok && sensor != ""
}

// MinInterval and MaxInterval bound sampling.interval, in seconds.
const (
	MinInterval = 0.1
	MaxInterval = 86400
)

// CheckSetting returns an error unless key is a setting that can be written and value is one it can hold.
func CheckSetting(key string, value json.RawMessage) error {
	if sensor, ok := IntervalSensor(key); ok {
		if sensor != "" {
			if err := CheckSensor(sensor); err != nil {
				return err
			}
		}
		return checkSeconds(key, value)
	}
	if sensor, quantity, ok := CalibrationOf(key); ok {
		if err := errors.Join(CheckSensor(sensor), CheckQuantity(quantity)); err != nil {
			return err
		}
		_, err := ParseCalibration(value)
		return err
	}
	if name, ok := OutputOf(key); ok {
		return errors.Join(CheckOutput(name), checkBoolean(key, value))
	}
	switch key {
	case SettingMeasuring, SettingUplinkEnabled:
		return checkBoolean(key, value)
	case SettingUplinkInterval:
		return checkSeconds(key, value)
	case SettingBroker:
		_, err := ParseBroker(value)
		return err
	case SettingLogLevel:
		var level string
		if json.Unmarshal(value, &level) != nil {
			return invalid(key, "%s: want a string", cut(string(value), 40))
		}
		return oneOf(key, level, "debug", "info", "warn", "error")
	case SettingGroups:
		var groups []string
		if json.Unmarshal(value, &groups) != nil || IsNull(value) {
			return invalid(key, "%s: want a list of names", cut(string(value), 40))
		}
		return CheckGroups(groups)
	case SettingRules:
		return checkRuleSet(value)
	}
	return CheckSettingKey(key)
}

// CheckSettingKey returns an error unless there is a setting of that key.
func CheckSettingKey(key string) error {
	switch key {
	case SettingMeasuring, SettingInterval, SettingUplinkEnabled, SettingUplinkInterval, SettingBroker, SettingRules, SettingLogLevel, SettingGroups:
		return nil
	}
	if sensor, ok := IntervalSensor(key); ok {
		return CheckSensor(sensor)
	}
	if sensor, quantity, ok := CalibrationOf(key); ok {
		return errors.Join(CheckSensor(sensor), CheckQuantity(quantity))
	}
	if name, ok := OutputOf(key); ok {
		return CheckOutput(name)
	}
	return invalid("key", "%q: no such setting: want one of %s", cut(key, 80), settingKeys)
}

// settingKeys names all that CheckSettingKey takes.
const settingKeys = SettingMeasuring + ", " + SettingInterval + ", " + SettingInterval + ".{sensor}, " + settingCalibration + "{sensor}.{quantity}, " +
	settingOutput + "{name}, " + SettingUplinkEnabled + ", " + SettingUplinkInterval + ", " + SettingBroker + ", " + SettingGroups + ", " +
	SettingRules + ", " + SettingLogLevel

// MaxGroups is how many groups a device can be in.
const MaxGroups = 32

// CheckGroups returns an error unless these are names of groups, each once: 1 to 64 of A-Z a-z 0-9 _ -
func CheckGroups(names []string) error {
	if len(names) > MaxGroups {
		return invalid("groups", "%d of them: at most %d", len(names), MaxGroups)
	}
	for i, name := range names {
		if !spelled(name, true, "_-") {
			return invalid("groups", "%q: want 1 to 64 of A-Z a-z 0-9 _ -", cut(name, 70))
		}
		if slices.Contains(names[:i], name) {
			return invalid("groups", "%q stands there twice", name)
		}
	}
	return nil
}

func checkBoolean(key string, value json.RawMessage) error {
	var b bool
	if json.Unmarshal(value, &b) != nil || bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
		return invalid(key, "%s: want true or false", cut(string(value), 40))
	}
	return nil
}

func checkSeconds(key string, value json.RawMessage) error {
	var seconds *float64
	if json.Unmarshal(value, &seconds) != nil || seconds == nil {
		return invalid(key, "%s: want seconds, a number", cut(string(value), 40))
	}
	if *seconds < MinInterval {
		return invalid(key, "%v is below %v", *seconds, MinInterval)
	}
	if *seconds > MaxInterval {
		return invalid(key, "%v is above %v", *seconds, MaxInterval)
	}
	return nil
}

// A RuleSet is the value of the setting [SettingRules]: the text of a rules file and its version.
type RuleSet struct {
	Version int    `json:"version"`
	YAML    string `json:"yaml"`
}

// checkRuleSet tells what is left out from what is wrong.
func checkRuleSet(value json.RawMessage) error {
	var given struct {
		Version *int    `json:"version"`
		YAML    *string `json:"yaml"`
	}
	switch err := json.Unmarshal(value, &given); {
	case err != nil:
		return invalid(SettingRules, "%s", ExplainJSON(value, &given, err))
	case given.Version == nil:
		return invalid("version", "is missing: want 1 or more, as in the text")
	case given.YAML == nil:
		return invalid("yaml", "is missing: want the text of a rules file")
	}
	return (&RuleSet{*given.Version, *given.YAML}).Validate()
}

// Validate bounds the set; package rules says whether its text is right.
func (s *RuleSet) Validate() error {
	if s.Version < 1 {
		return invalid("version", "%d: want 1 or more", s.Version)
	}
	return checkText("yaml", s.YAML, 256<<10)
}
