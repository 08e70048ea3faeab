package holdfast

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// Each edit of a golden file makes it invalid, and the error names the field.
func TestInvalidMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, old, new, want string }{
		{"batch_data.json", `"v":1`, `"v":2`, "v: 2"},
		{"batch_data.json", `"pi-7"`, `"pi 7"`, "device"},
		{"batch_data.json", `"pi-7"`, `"broadcast"`, "reserved"},
		{"batch_data.json", `9f2c1ab4d07e4c5e8a3b6f1029384756`, `9f2c`, "stream"},
		{"batch_data.json", `9f2c1ab4d07e4c5e8a3b6f1029384756`, strings.Repeat("0", 32), "stream"},
		{"batch_data.json", `"lane":"telemetry"`, `"lane":"other"`, "lane"},
		{"batch_data.json", `"first":1201`, `"first":0`, "range"},
		{"batch_data.json", `"first":1201`, `"first":1203`, "range"},
		{"batch_data.json", `"first":1201`, `"first":1200`, "records"},
		{"batch_data.json", `"head":98000`, `"head":1201`, "head"},
		{"batch_data.json", `"head":98000`, `"head":9007199254740992`, "head"},
		{"batch_data.json", `"what":"data"`, `"what":"more"`, "what"},
		{"batch_thinned.json", `"lane":"telemetry"`, `"lane":"event"`, "what"},
		{"batch_dropped.json", `"full"`, `"whim"`, "cause"},
		{"receipt_ranges.json", `[[1201,1300]]`, `[]`, "ranges"},
		{"receipt_ranges.json", `[[1201,1300]]`, `[[0,3]]`, "range"},
		{"receipt_ranges.json", `c41d0f5e6a7b48c99d8e7f6a5b4c3d2e`, strings.Repeat("0", 32), "store"},
		{"receipt_hold.json", `60`, `-1`, "retry_s"},
		{"state_online.json", `"pending":1000`, `"pending":98001`, "lanes.telemetry"},
		{"state_online.json", `"clock":`, `"notices":["` + strings.Repeat("x", MaxNotice+1) + `"],"clock":`, "notices[0]"},
		{"state_online.json", `"clock":`, `"notices":[""` + strings.Repeat(`,""`, MaxNotices) + `],"clock":`, "notices"},
		{"catalog.json", `bme280-1-76`, `BME280`, "sensor"},
		{"presence.json", `"e0b7a1c2"`, `""`, "start"},
		{"command.json", `"01JABCDEF"`, `""`, "id"},
		{"command.json", `"set_interval"`, `"Set Interval"`, "name"},
		{"result_failed.json", `"failed"`, `"perhaps"`, "state"},
		{"shadow.json", `"desired":{"measuring":true}`, `"desired":{"measuring":1}`, "measuring"},
	} {
		err := decodeGolden(t, c.file, c.old, c.new)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: got %v, want an invalid %s", c.file, c.new, err, c.want)
		}
	}
}

func decodeGolden(t *testing.T, file, old, new string) error {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), old, new, 1)
	if text == string(data) {
		t.Fatalf("%s does not hold %s", file, old)
	}
	word, _, _ := strings.Cut(strings.TrimSuffix(file, ".json"), "_")
	noun := golden[word]()
	if err := json.Unmarshal([]byte(text), noun); err != nil {
		return err
	}
	return noun.Validate()
}

func TestInvalidRecords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lane       Lane
		data, want string
	}{
		{LaneTelemetry, `{`, "record"},
		{LaneTelemetry, `null`, "time"},
		{LaneTelemetry, `{"kind":"alert"}`, "kind"},
		{LaneAlert, `{"time":"2026-05-01T12:00:00Z"}`, "kind"},
		{LaneTelemetry, `{"time":"yesterday","sensor":"a","values":{"x":1}}`, "record"},
		{LaneTelemetry, `{"time":"1969-12-31T23:59:59Z","sensor":"a","values":{"x":1}}`, "time"},
		{LaneTelemetry, `{"time":"2026-05-01T12:00:00Z","sensor":"A b","values":{"x":1}}`, "sensor"},
		{LaneTelemetry, `{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{}}`, "values"},
		{LaneTelemetry, `{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"X":1}}`, "quantity"},
		{LaneTelemetry, `{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":"NaN"}}`, "record"},
		{LaneTelemetry, `{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1e999}}`, "record"},
		{LaneTelemetry, `{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"quality":{"y":"bad"}}`, "quality"},
		{LaneTelemetry, `{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"quality":{"x":"so-so"}}`, "quality"},
		{LaneTelemetry, `{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"x":1},"clock":{"boot":"","mono":1}}`, "clock.boot"},
		{LaneTelemetry, `{"kind":"aggregate","time":"2026-05-01T12:00:00Z","from":"2026-05-01T12:00:00Z","to":"2026-05-01T12:00:00Z","rule":"m","values":{"x":1}}`, "to"},
		{LaneEvent, `{"kind":"event","time":"2026-05-01T12:00:00Z","event":"Boot!"}`, "event"},
		{LaneAlert, `{"kind":"alert","time":"2026-05-01T12:00:00Z","id":"a","rule":"r","state":"gone"}`, "state"},
	} {
		_, err := DecodeRecord(c.lane, []byte(c.data))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want an invalid %s", c.lane, c.data, err, c.want)
		}
	}
}

// What would be right is a plain list of words.
func TestOneOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{Severity("fatal").Validate(), `invalid severity: "fatal": want one of info, warning, critical`},
		{LaneLocal.Validate(), `invalid lane: "local": want one of alert, event, telemetry`},
		{CheckSetting(SettingLogLevel, json.RawMessage(`"loud"`)), `invalid log.level: "loud": want one of debug, info, warn, error`},
	} {
		if tt.err == nil || tt.err.Error() != tt.want {
			t.Errorf("got %v, want %s", tt.err, tt.want)
		}
	}
}

func TestCheckSetting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, value string
		ok         bool
	}{
		{"measuring", `true`, true}, {"measuring", `null`, false}, {"measuring", `1`, false}, {"measuring", ``, false},
		{"sampling.interval", `5`, true}, {"sampling.interval", `0.01`, false}, {"sampling.interval", `1e9`, false},
		{"sampling.interval", `null`, false}, {"sampling.interval.bme280-1-76", `0.5`, true},
		{"sampling.interval.", `1`, false}, {"sampling.interval.A B", `1`, false}, {"sampling.intervals", `1`, false},
		{"log.level", `"debug"`, true}, {"log.level", `"loud"`, false},
		{"rules", `{"version":1,"yaml":"rules: []"}`, true}, {"rules", `{"version":0,"yaml":""}`, false},
		{"nonsense", `1`, false},
	} {
		err := CheckSetting(c.key, json.RawMessage(c.value))
		if (err == nil) != c.ok {
			t.Errorf("%s = %s: got %v, want ok %v", c.key, c.value, err, c.ok)
		}
	}
}

func TestCheckSettingKey(t *testing.T) {
	t.Parallel()
	for key, ok := range map[string]bool{
		"measuring": true, "sampling.interval": true, "sampling.interval.bme280-1-76": true, "uplink.enabled": true, "uplink.interval": true,
		"rules": true, "log.level": true, "groups": true, "sampling.interval.": false, "sampling.interval.A": false, "sampling.intervals": false, "": false,
	} {
		if err := CheckSettingKey(key); (err == nil) != ok {
			t.Errorf("%q: %v, want ok %v", key, err, ok)
		}
	}
	// The error names all there are.
	err := CheckSettingKey("measurin")
	_, list, _ := strings.Cut(err.Error(), "want one of ")
	names := strings.NewReplacer("{sensor}", "room", "{quantity}", "temperature_celsius", "{name}", "fan")
	for _, key := range strings.Split(names.Replace(list), ", ") {
		if err := CheckSettingKey(key); err != nil {
			t.Error(err)
		}
	}
	if strings.Count(list, ",") != 10 {
		t.Errorf("%q names not all", list)
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	for _, topics := range []Topics{{}, {Prefix: "plant/7/"}} {
		device, leaf, ok := topics.Split(topics.Batch("pi-7", LaneAlert))
		if !ok || device != "pi-7" || leaf != "alert" {
			t.Errorf("%q: split %q %q %v", topics.Prefix, device, leaf, ok)
		}
		if _, _, ok := topics.Split(topics.Broadcast()); ok {
			t.Errorf("%q: broadcast passes for a device", topics.Prefix)
		}
		if instance, ok := topics.Instance(topics.Receiver("cloud-1")); !ok || instance != "cloud-1" {
			t.Errorf("%q: instance %q %v", topics.Prefix, instance, ok)
		}
	}
	if got, want := (Topics{Prefix: "x"}).Batch("pi-7", LaneTelemetry), "x/devices/pi-7/telemetry"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
