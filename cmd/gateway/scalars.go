package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"holdfast"
)

// A scalar is one value of the configuration. Its variable is its path in capitals; aliases are the older system's names.
type scalar struct {
	path     string
	aliases  []string
	fallback string
	about    string
	secret   bool
	set      func(cfg *Config, value string) error
}

// variables returns the names of the environment variables that set s, its own first.
func (s scalar) variables() []string {
	own := strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
	return append([]string{own}, s.aliases...)
}

// scalars is the one table of everything that a file or a variable can set.
func scalars() []scalar {
	return []scalar{
		{path: "holdfast.join", secret: true, about: "the line that `receiver device add` prints: broker, TLS, device id, secret, receipt mode and database in one; what is set beside it goes before", set: join},
		{path: "device.id", about: "device id; else BALENA_DEVICE_UUID, the Pi's serial, or a random one kept with the data", set: deviceID},
		{path: "data.dir", fallback: "data", about: "folder of the durable buffer", set: text(func(c *Config) *string { return &c.DataDir })},
		{path: "http.listen", fallback: "127.0.0.1:8080", about: "address of the Pi's own page; off for none", set: listen},
		{path: "dashboard.token", secret: true, about: "lets the page of another computer write; without it only the Pi itself may", set: token},
		{path: "mqtt.host", about: "broker; without it nothing is sent and everything is kept", set: text(func(c *Config) *string { return &c.MQTTHost })},
		{path: "mqtt.port", fallback: "1883", about: "the broker's port", set: integer(1, 65535, func(c *Config, n int64) { c.MQTTPort = int(n) })},
		{path: "mqtt.username", about: "name at the broker", set: text(func(c *Config) *string { return &c.MQTTUsername })},
		{path: "mqtt.password", secret: true, about: "password at the broker", set: text(func(c *Config) *string { return &c.MQTTPassword })},
		{path: "mqtt.keepalive_seconds", fallback: "30", about: "MQTT keep-alive", set: integer(5, 3600, func(c *Config, n int64) { c.MQTTKeepAlive = time.Duration(n) * time.Second })},
		{path: "mqtt.ack", fallback: "puback", about: "what frees a reading here: receipt (a receiver's database holds it) or puback (the broker has it)", set: ack},
		{path: "mqtt.store", about: "the receiver's database to be bound to, 32 hex digits; else the first that answers", set: boundStore},
		{path: "mqtt.tls_enable", fallback: "false", about: "TLS to the broker", set: boolean(func(c *Config) *bool { return &c.TLS.Enable })},
		{path: "mqtt.plain_public", fallback: "false", about: "allows a public broker without TLS; the flat profile alone needs no such word", set: boolean(func(c *Config) *bool { return &c.PlainPublic })},
		{path: "mqtt.tls_insecure", fallback: "false", about: "do not check the broker's certificate", set: boolean(func(c *Config) *bool { return &c.TLS.Insecure })},
		{path: "mqtt.tls_ca_certs", about: "authorities to trust: a file, read anew at each connection, PEM, or PEM in base64; else the system's", set: text(func(c *Config) *string { return &c.TLS.CAs })},
		{path: "mqtt.tls_certfile", about: "this device's certificate: a file, read anew at each connection, PEM, or PEM in base64", set: text(func(c *Config) *string { return &c.TLS.Certificate })},
		{path: "mqtt.tls_keyfile", secret: true, about: "its key: a file, read anew at each connection, PEM, or PEM in base64", set: text(func(c *Config) *string { return &c.TLS.Key })},
		{path: "topic.prefix", about: "stands before every topic", set: text(func(c *Config) *string { return &c.TopicPrefix })},
		{path: "mqtt.profile", fallback: profileNative, about: "native, flat (the older system's), native+flat, or plain (one message a reading)", set: choice(func(c *Config) *string { return &c.Profile }, profileNative, profileFlat, profileBoth, profilePlain)},
		{path: "mqtt.topic_values", fallback: "iot-projekt/device/%(device_uuid)s/values", about: "flat: topic of readings; also %(device_type)s, %(app_id)s, %(app_name)s", set: text(func(c *Config) *string { return &c.OlderTopics.Values })},
		{path: "mqtt.topic_request", fallback: "iot-projekt/device/%(device_uuid)s/request", about: "flat: topic of commands", set: text(func(c *Config) *string { return &c.OlderTopics.Request })},
		{path: "mqtt.topic_response", fallback: "iot-projekt/device/%(device_uuid)s/response", about: "flat: topic of answers", set: text(func(c *Config) *string { return &c.OlderTopics.Response })},
		{path: "mqtt.topic_broadcast", fallback: "iot-projekt/device/broadcast/control", about: "flat: topic of commands to all devices", set: text(func(c *Config) *string { return &c.OlderTopics.Broadcast })},
		{path: "sampling.interval", aliases: []string{"INTERVAL_SECONDS"}, fallback: "1", about: "seconds between two samples of a sensor", set: interval},
		{path: "i2c.leave_alone", about: "addresses that no search touches, separated by commas: 0x50 on every bus, 1:0x70 on bus 1", set: leaveAlone},
		{path: "button.pin", about: "line of the start/stop button: a number (BCM) or a line's name; empty for none", set: text(func(c *Config) *string { return &c.Button.Pin })},
		{path: "button.chip", about: "GPIO chip by label or path; else the one of the Pi's header", set: text(func(c *Config) *string { return &c.Button.Chip })},
		{path: "button.pull", aliases: []string{"BUTTON_PULL_UP_DOWN"}, fallback: "up", about: "resistor: up, down, none", set: choice(func(c *Config) *string { return &c.Button.Pull }, "up", "down", "none")},
		{path: "button.event", fallback: "falling", about: "edge of a press: falling, rising", set: edge},
		{path: "button.bounce_millis", fallback: "30", about: "contact bounce in milliseconds", set: integer(1, 1000, func(c *Config, n int64) { c.Button.Bounce = time.Duration(n) * time.Millisecond })},
		{path: "button.short", fallback: "toggle", about: "what a short press does: toggle measuring, stop (safely: the power may be pulled once the LED says so), mark (only an event), none", set: action(func(c *Config) *string { return &c.Button.Short })},
		{path: "button.long", fallback: "stop", about: "what a long press does", set: action(func(c *Config) *string { return &c.Button.Long })},
		{path: "button.double", fallback: "mark", about: "what two quick presses do; the first is carried out at once and taken back", set: action(func(c *Config) *string { return &c.Button.Double })},
		{path: "button.long_seconds", fallback: "2", about: "a press held so long is long", set: seconds(1.5, 30, func(c *Config, d time.Duration) { c.Button.LongAfter = d })},
		{path: "button.double_millis", fallback: "400", about: "the second press so soon after the first is a double press", set: integer(200, 1000, func(c *Config, n int64) { c.Button.DoubleWithin = time.Duration(n) * time.Millisecond })},
		{path: "led.pin", about: "line of the status LED: a number (BCM) or a line's name; empty for none", set: text(func(c *Config) *string { return &c.LED.Pin })},
		{path: "led.chip", about: "its GPIO chip, as button.chip", set: text(func(c *Config) *string { return &c.LED.Chip })},
		{path: "led.active_low", fallback: "false", about: "the LED shines when the line is low", set: boolean(func(c *Config) *bool { return &c.LED.ActiveLow })},
		{path: "rules.text", about: "rules themselves, a whole document, which goes before rules.file; in a variable \\n may stand for the ends of lines, or all of it be in base64", set: rulesText},
		{path: "rules.file", about: "file of rules; read again when it changes", set: text(func(c *Config) *string { return &c.RulesFile })},
		{path: "edge.mode", about: "what goes up: raw (every reading), aggregate (what rules make of them), or auto, as [edge.md](edge.md) says; empty: auto where edge.cost_per_mb or edge.latency_ms is set, else raw", set: choice(func(c *Config) *string { return &c.Edge.Mode }, edgeAuto, edgeRaw, edgeAggregate)},
		{path: "edge.cost_per_mb", fallback: "0", about: "what a MB on the link costs, in any currency", set: decimal(0, 1e9, func(c *Config) *float64 { return &c.Edge.Price })},
		{path: "edge.cost_threshold", fallback: "0.5", about: "a day of all readings may cost so much, in that currency", set: decimal(0, 1e9, func(c *Config) *float64 { return &c.Edge.Limits.Cost })},
		{path: "edge.stability_threshold", fallback: "0.7", about: "a link that was there for less than this share of the last minutes is not stable; 0: each is", set: decimal(0, 0.99, func(c *Config) *float64 { return &c.Edge.Limits.Stability })},
		{path: "edge.latency_ms", fallback: "0", about: "decisions about readings are needed so soon, in milliseconds; 0: no such need", set: millis(0, 1e9, func(c *Config) *time.Duration { return &c.Edge.Latency })},
		{path: "edge.latency_threshold_ms", fallback: "100", about: "decisions that are needed sooner cannot be made in the cloud", set: millis(0, 1e9, func(c *Config) *time.Duration { return &c.Edge.Limits.Latency })},
		{path: "buffer.max_bytes", fallback: "67108864", about: "largest size of the buffer file", set: integer(4<<20, 1<<40, func(c *Config, n int64) { c.BufferMaxBytes = n })},
		{path: "buffer.window_seconds", fallback: "1", about: "longest that a reading waits for the disk", set: seconds(0.05, 60, func(c *Config, d time.Duration) { c.BufferWindow = d })},
		{path: "redis.address", about: "host:port or socket of a Redis to mirror values to; empty for none", set: redisAddress},
		{path: "redis.password", secret: true, about: "its password", set: text(func(c *Config) *string { return &c.RedisPassword })},
		{path: "balena.supervisor_address", about: "given by balena", set: text(func(c *Config) *string { return &c.SupervisorAddress })},
		{path: "balena.supervisor_api_key", secret: true, about: "given by balena", set: text(func(c *Config) *string { return &c.SupervisorKey })},
		{path: "watchdog.device", about: "the hardware's watchdog, such as /dev/watchdog: resets a Pi whose gateway hangs; empty for none", set: text(func(c *Config) *string { return &c.WatchdogDevice })},
		{path: "gateway.restart", fallback: restartAuto, about: "who starts the gateway again when it ends, without which the command `restart` is refused: `supervised` where something does (systemd with Restart=always, a container with restart: always), `none`, or `auto`: balena, and nobody else", set: choice(func(c *Config) *string { return &c.Restart }, restartAuto, restartSupervised, restartNone)},
		{path: "device.groups", about: "names of the groups whose commands this device takes, separated by commas", set: groupNames},
		{path: "command.keys", about: "Ed25519 public keys in base64, separated by commas: commands must be signed by one of them", set: commandKeys},
		{path: "log.level", fallback: "info", about: "debug, info, warn, error", set: choice(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error")},
	}
}

func text(field func(*Config) *string) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		*field(cfg) = value
		return nil
	}
}

func choice(field func(*Config) *string, allowed ...string) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		for _, a := range allowed {
			if strings.EqualFold(value, a) {
				*field(cfg) = a
				return nil
			}
		}
		return fmt.Errorf("%q: want one of %s", value, strings.Join(allowed, ", "))
	}
}

func boolean(field func(*Config) *bool) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		switch strings.ToLower(value) {
		case "true", "1", "yes", "on":
			*field(cfg) = true
		case "false", "0", "no", "off":
			*field(cfg) = false
		default:
			return fmt.Errorf("%q: want true or false", value)
		}
		return nil
	}
}

func integer(low, high int64, set func(*Config, int64)) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q: want a whole number from %d to %d", value, low, high)
		}
		set(cfg, n)
		return nil
	}
}

func seconds(low, high float64, set func(*Config, time.Duration)) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		s, err := strconv.ParseFloat(value, 64)
		if err != nil || !(s >= low && s <= high) {
			return fmt.Errorf("%q: want seconds from %v to %v", value, low, high)
		}
		set(cfg, time.Duration(s*float64(time.Second)))
		return nil
	}
}

func interval(cfg *Config, value string) error {
	return seconds(holdfast.MinInterval, holdfast.MaxInterval, func(c *Config, d time.Duration) { c.Interval = d })(cfg, value)
}

func deviceID(cfg *Config, value string) error {
	if err := holdfast.CheckDevice(value); err != nil {
		return err
	}
	cfg.Device = value
	return nil
}

func listen(cfg *Config, value string) error {
	if value == "off" {
		cfg.HTTPListen = ""
		return nil
	}
	return address(func(c *Config) *string { return &c.HTTPListen })(cfg, value)
}

func address(field func(*Config) *string) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		if _, port, err := net.SplitHostPort(value); err != nil || port == "" {
			return fmt.Errorf("%q: want host:port", value)
		}
		*field(cfg) = value
		return nil
	}
}

func redisAddress(cfg *Config, value string) error {
	if filepath.IsAbs(value) {
		cfg.RedisAddress = value
		return nil
	}
	return address(func(c *Config) *string { return &c.RedisAddress })(cfg, value)
}

func token(cfg *Config, value string) error {
	if len(value) < 12 {
		return fmt.Errorf("%d characters: want 12 or more, since it opens a door", len(value))
	}
	cfg.DashboardToken = value
	return nil
}

func join(cfg *Config, value string) error {
	j, err := holdfast.ParseJoin(value)
	if err == nil {
		cfg.Join = &j
	}
	return err
}

func ack(cfg *Config, value string) error {
	switch mode := holdfast.AckMode(strings.ToLower(value)); mode {
	case holdfast.AckReceipt, holdfast.AckPuback:
		cfg.Ack = mode
		return nil
	}
	return fmt.Errorf("%q: want receipt or puback", value)
}

func boundStore(cfg *Config, value string) (err error) {
	cfg.Store, err = holdfast.ParseStream(value)
	return err
}

func edge(cfg *Config, value string) error {
	if strings.EqualFold(value, "raising") { // the older system's spelling
		value = "rising"
	}
	return choice(func(c *Config) *string { return &c.Button.Edge }, "falling", "rising")(cfg, value)
}
