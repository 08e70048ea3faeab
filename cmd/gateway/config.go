package main

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"holdfast"
	"holdfast/rules"
	"holdfast/sensors"
	"holdfast/uplink/profile"
)

// Config is everything that a file or a variable says before the daemon starts. What can change while it runs is a
// setting, and control owns it; the configuration gives its default.
type Config struct {
	Join    *holdfast.Join // what a receiver gave this device; its parts stand in the fields below, unless set otherwise
	Device  string         // device id; empty: see balena.Identity
	DataDir string         // folder of the buffer file

	HTTPListen     string // address of the Pi's own page; empty: no page
	DashboardToken string // allows writing from the page; empty: only the Pi itself may

	MQTTHost, MQTTUsername, MQTTPassword string
	MQTTPort                             int
	MQTTKeepAlive                        time.Duration
	Ack                                  holdfast.AckMode
	Store                                holdfast.Stream // the only database to obey; zero: that of Join, or the first that answers
	TopicPrefix                          string
	Profile                              string         // what is spoken with the broker
	OlderTopics                          profile.Topics // templates
	TLS                                  TLSConfig
	PlainPublic                          bool // plain MQTT to a public host is taken

	Interval   time.Duration     // default of sampling.interval
	LeaveAlone []sensors.Address // that no search touches
	Sensors    []SensorConfig
	Filters    map[string]sensors.Filter // by name of the sensor
	Button     ButtonConfig
	LED        LEDConfig
	Outputs    []OutputConfig

	RulesFile string   // file of rules; empty: none
	RulesText string   // rules that go before those of the file; empty: none
	Rules     *ruleSet // of one of them; nil: none
	rulesRead string   // what the file held, right or wrong

	BufferMaxBytes int64
	BufferWindow   time.Duration

	RedisAddress, RedisPassword string // empty address: no mirror

	Restart                          string // who starts the daemon again when it ends
	WatchdogDevice                   string // of the hardware's watchdog; empty: none
	SupervisorAddress, SupervisorKey string // balena gives them
	LogLevel                         string

	CommandKeys []ed25519.PublicKey // whose signature commands need; none: they need none

	Edge EdgeConfig

	Groups  []string      // default of the setting groups
	Values  []ConfigValue // what holds and where it is from, for people
	secrets []string
}

// TLSConfig says how the broker is reached safely.
type TLSConfig struct {
	Enable, Insecure      bool
	CAs, Certificate, Key string   // each a file's name, PEM, or PEM in base64
	Authorities           [][]byte // certificates in DER, of the join string; used where CAs is empty
}

// SensorConfig names a chip that is not to be searched for.
type SensorConfig struct {
	Name, Chip string
	Bus        int
	Mux        string // 70.3 for channel 3 of the multiplexer at 0x70
	Address    uint16
	Interval   time.Duration
	Registers  []sensors.Register // of a chip for which there is no driver
	Identity   *sensors.Identity
}

// loadConfig reads the file (or, where file is "", the variable GATEWAY_CONFIG), then the variables. It always returns a
// configuration that can run: a value that is wrong keeps its default and is one of the returned mistakes, joined.
func loadConfig(file string, getenv func(string) string) (Config, error) {
	cfg, mistakes := readSources(file, getenv).load()
	return cfg, joined(mistakes)
}

// sources are what a configuration is made of.
type sources struct {
	where  string // names the text in mistakes
	text   []byte // of the file
	err    error  // why the file cannot be read
	getenv func(string) string
}

func readSources(file string, getenv func(string) string) *sources {
	if file == "" {
		return &sources{where: "GATEWAY_CONFIG", text: []byte(getenv("GATEWAY_CONFIG")), getenv: getenv}
	}
	text, err := os.ReadFile(file)
	return &sources{file, text, err, getenv}
}

func (s *sources) load() (Config, []mistake) {
	cfg := Config{}
	var mistakes []mistake
	for _, scalar := range scalars() {
		if scalar.fallback != "" {
			if err := scalar.set(&cfg, scalar.fallback); err != nil {
				mistakes = append(mistakes, mistake{scalar.path, fmt.Errorf("default of %s: %w", scalar.path, err)})
			}
		}
	}
	if s.err != nil {
		mistakes = append(mistakes, mistake{"", s.err})
	}
	first := cfg
	applyYAML(&first, s.where, s.text) // its mistakes are those of the second time
	applyVariables(&first, s.getenv)
	if first.Join != nil {
		cfg.adopt(*first.Join)
	}
	mistakes = append(mistakes, applyYAML(&cfg, s.where, s.text)...)
	mistakes = append(mistakes, applyVariables(&cfg, s.getenv)...)
	mistakes = append(mistakes, loadRules(&cfg)...)
	mistakes = append(mistakes, cfg.checkButton()...)
	mistakes = append(mistakes, cfg.checkPins()...)
	cfg.Values, cfg.secrets = effective(cfg.Join, s.text, s.getenv)
	return cfg, mistakes
}

// adopt sets what a join string says. What file and variables say comes after it.
func (c *Config) adopt(j holdfast.Join) {
	c.Device = j.Device
	c.MQTTHost, c.MQTTPort, c.MQTTUsername, c.MQTTPassword = j.Host, j.Port, j.Device, string(j.Secret)
	c.TLS.Enable, c.TLS.Authorities = j.TLS, j.CA
	c.Ack, c.TopicPrefix = holdfast.AckReceipt, j.Prefix // the store: see gateway.provisioned
}

func applyVariables(cfg *Config, getenv func(string) string) []mistake {
	var mistakes []mistake
	for _, s := range scalars() {
		given := s.given(getenv)
		if len(given) == 0 {
			continue
		}
		err := s.set(cfg, getenv(given[0]))
		if err == nil {
			continue
		}
		err = fmt.Errorf("variable %s: %w", given[0], err)
		if len(given) > 1 {
			err = fmt.Errorf("%w; %s", err, overruled(given))
		}
		mistakes = append(mistakes, mistake{s.path, err})
	}
	return mistakes
}

// given returns which variables say something of s. The first holds.
func (s scalar) given(getenv func(string) string) []string {
	return slices.DeleteFunc(s.variables(), func(name string) bool { return getenv(name) == "" })
}

// overruled says that only the first of several variables holds.
func overruled(given []string) string {
	return fmt.Sprintf("%s is not looked at: %s goes before it", strings.Join(given[1:], ", "), given[0])
}

// loadRules reads the rules of the configuration: its text where there is one, else its file.
func loadRules(cfg *Config) []mistake {
	if cfg.RulesText != "" {
		cfg.Rules, _ = readRuleSet(originVariable, "rules.text", cfg.RulesText) // its mistakes are those of the scalar
		return nil
	}
	if cfg.RulesFile == "" {
		return nil
	}
	text, err := readBounded(cfg.RulesFile)
	if err != nil {
		return []mistake{{"rules.file", fmt.Errorf("rules.file: %w", err)}}
	}
	cfg.rulesRead = text
	if cfg.Rules, err = readRuleSet(originFile, cfg.RulesFile, text); err != nil {
		return []mistake{{"rules.file", err}}
	}
	return nil
}

// rulesText takes a whole set of rules.
func rulesText(cfg *Config, value string) error {
	cfg.RulesText = inlineText(value)
	_, err := rules.Parse("rules.text", []byte(cfg.RulesText))
	return err
}
