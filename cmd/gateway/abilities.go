package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"holdfast"
	"holdfast/balena"
	"holdfast/control"
	"holdfast/rules"
	"holdfast/sensors"
)

// abilities is what this device can do for a command.
func (g *gateway) abilities() control.Abilities {
	a := control.Abilities{
		Flush: g.flush, Measurements: g.measurements, Diagnose: g.diagnose, Acknowledge: g.commanded,
		Sensors: g.sensors, Status: func() any { return g.status() }, Config: func() any { return g.configuration() },
		Mistakes: g.mistakesTold,
	}
	if sampler, ok := g.world.source.(*sensors.Sampler); ok {
		a.Sample = func(ctx context.Context, sensor string) (any, error) { return sampleNow(ctx, sampler, sensor) }
		a.Scan = func(ctx context.Context) (any, error) { return scanNow(ctx, sampler), nil }
	}
	if g.led.Pin != "" {
		a.Identify = g.led.show
	}
	if len(g.cfg.Outputs) > 0 {
		a.MayHold, a.Hold = g.outputs.mayHold, g.outputs.hold
	}
	if supervisor := balena.New(balena.Options{
		Address: g.cfg.SupervisorAddress, Key: g.cfg.SupervisorKey, App: g.balena.AppID, Service: g.balena.Service,
	}); supervisor != nil {
		a.Reboot, a.Shutdown = supervisor.Reboot, supervisor.Shutdown
	}
	if g.cfg.supervised(os.Getenv) {
		a.Restart = g.restart
	}
	return a
}

// sensors returns the names of the sensors that were found since the start or are configured.
func (g *gateway) sensors() (names []string) {
	for _, s := range g.world.source.Catalog().Sensors {
		names = append(names, s.Name)
	}
	return names
}

// status is the device's birth as it would be now.
func (g *gateway) status() holdfast.Status {
	s := g.birth()
	s.V, s.Online, s.Stream, s.Ack, s.Store = holdfast.Version, true, g.buffer.Stream(), g.cfg.Ack, g.uplink.Status().Store
	return s
}

// sampleLimit bounds a sample out of turn: no chip takes so long that is not hung.
const sampleLimit = 10 * time.Second

func sampleNow(ctx context.Context, sampler *sensors.Sampler, sensor string) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleLimit)
	defer cancel()
	sampled, err := sampler.Sample(ctx, sensor)
	if err != nil {
		return nil, &holdfast.Fault{Code: holdfast.CodeInvalidArgument, Message: err.Error()}
	}
	result := struct {
		Readings int               `json:"readings"` // handed out; they travel as all others do
		Failed   []sensors.Sampled `json:"failed,omitempty"`
	}{}
	for _, s := range sampled {
		if s.Error != "" {
			result.Failed = append(result.Failed, s)
			continue
		}
		result.Readings++
	}
	if result.Readings == 0 && len(result.Failed) > 0 {
		first := result.Failed[0]
		return nil, fmt.Errorf("%s: %s", first.Sensor, first.Error)
	}
	return result, nil
}

// A finding is a [sensors.Finding] on the wire.
type finding struct {
	Bus     int    `json:"bus"`
	Address string `json:"address,omitempty"` // 0x76
	Channel string `json:"channel,omitempty"` // mux70.3
	Sure    string `json:"confidence,omitempty"`
	Chip    string `json:"chip,omitempty"`
	Sensor  string `json:"sensor,omitempty"`
	Kernel  string `json:"kernel_driver,omitempty"`
	Error   string `json:"error,omitempty"`
}

func scanNow(ctx context.Context, sampler *sensors.Sampler) any {
	ctx, cancel := context.WithTimeout(ctx, scanLimit)
	defer cancel()
	result := struct {
		Found []finding `json:"found"`
	}{[]finding{}}
	for _, f := range sampler.Scan(ctx) {
		found := finding{Bus: f.Bus, Channel: f.Channel, Sure: string(f.Sure), Chip: f.Chip, Sensor: f.Sensor, Kernel: f.Kernel}
		if f.Address != 0 {
			found.Address = fmt.Sprintf("0x%02x", f.Address)
		}
		if f.Err != nil {
			found.Error = f.Err.Error()
		}
		result.Found = append(result.Found, found)
	}
	return result
}

// flush makes durable what waits, and has the uplink try now what it would try later.
func (g *gateway) flush(ctx context.Context) (any, error) {
	if err := g.durable(ctx); err != nil {
		return nil, err
	}
	g.uplink.Hurry()
	result := struct {
		Pending map[holdfast.Lane]uint64 `json:"pending"` // durable here, not yet answered for
		Link    bool                     `json:"link"`
	}{map[holdfast.Lane]uint64{}, g.uplink.Status().Up}
	for lane, status := range g.buffer.Status().Lanes {
		result.Pending[lane] = status.Pending
	}
	return result, nil
}

// errRestart ends the daemon so that whatever watches over it starts it again.
var errRestart = errors.New("a restart was commanded")

// drainLimit bounds how long a restart waits for its response to leave.
const drainLimit = 2 * time.Second

func (g *gateway) restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	if err := g.uplink.Drained(ctx); err != nil {
		g.log.Warn("restart before its response was sent", "err", err)
	}
	close(g.restarting)
	return nil
}

// watchRestart returns errRestart once a restart was commanded.
func (g *gateway) watchRestart(ctx context.Context) error {
	select {
	case <-g.restarting:
		return errRestart
	case <-ctx.Done():
		return nil
	}
}

// What the variable GATEWAY_RESTART may say of who starts the daemon again when it ends.
const (
	restartAuto       = "auto"       // balena's supervisor, where there is one
	restartSupervised = "supervised" // somebody: so says who set the variable
	restartNone       = "none"
)

// supervised reports whether something starts the daemon again when it ends. A container may have no restart policy, a unit
// of systemd no Restart=, and a shell inherits the variables of both: only balena, which starts every service again unless
// its compose file says otherwise, and a word of who installed the gateway are believed.
func (c *Config) supervised(getenv func(string) string) bool {
	return c.Restart == restartSupervised || c.Restart == restartAuto && getenv("BALENA") != ""
}

// steer gives the uplink the settings that are about it.
func (g *gateway) steer() {
	if g.uplink == nil {
		return // connect calls it
	}
	var interval time.Duration // not set: at once
	for _, s := range g.control.Settings() {
		switch s.Key {
		case holdfast.SettingUplinkEnabled:
			g.uplink.SetEnabled(string(s.Value) == "true")
		case holdfast.SettingUplinkInterval:
			var seconds float64
			if json.Unmarshal(s.Value, &seconds) == nil {
				interval = time.Duration(seconds * float64(time.Second))
			}
		case holdfast.SettingGroups:
			var groups []string
			if json.Unmarshal(s.Value, &groups) == nil {
				g.uplink.SetGroups(groups)
			}
		}
	}
	g.uplink.SetInterval(interval)
}

// check refuses the settings that this version would only store, and rules that are wrong.
func (g *gateway) check(key string, value json.RawMessage) error {
	if _, interval := holdfast.IntervalSensor(key); interval {
		return nil
	}
	if _, _, calibrates := holdfast.CalibrationOf(key); calibrates {
		return nil
	}
	if name, ok := holdfast.OutputOf(key); ok {
		return g.outputs.check(name)
	}
	switch key {
	case holdfast.SettingMeasuring, holdfast.SettingLogLevel, holdfast.SettingUplinkEnabled, holdfast.SettingUplinkInterval, holdfast.SettingGroups:
		return nil
	case holdfast.SettingBroker:
		_, err := g.cfg.linkOf(value, g.device)
		return err
	case holdfast.SettingRules:
		_, err := parseRules(value)
		return err
	}
	return fmt.Errorf("%w key: %q: this version does not act upon it", holdfast.ErrInvalid, key)
}

// parseRules reads the value of the setting rules. With an error the set holds the rules that are right.
func parseRules(value json.RawMessage) (*rules.Set, error) {
	var given holdfast.RuleSet
	if err := json.Unmarshal(value, &given); err != nil {
		return nil, fmt.Errorf("%w rules: %s", holdfast.ErrInvalid, holdfast.ExplainJSON(value, &given, err))
	}
	set, err := rules.Parse("rules", []byte(given.YAML))
	if err == nil && set.Version != given.Version {
		err = fmt.Errorf("rules: version: %d beside the text, %d in it", given.Version, set.Version)
	}
	if err != nil {
		return set, fmt.Errorf("%w %v", holdfast.ErrInvalid, err)
	}
	return set, nil
}
