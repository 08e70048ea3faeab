package main

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"holdfast"
	"holdfast/uplink/policy"
)

// What edge.mode may be.
const (
	edgeAuto      = "auto"
	edgeRaw       = "raw"
	edgeAggregate = "aggregate"
)

// EdgeConfig says what of the readings is to go up.
type EdgeConfig struct {
	Mode    string        // empty: auto where Price or Latency is given, raw otherwise
	Price   float64       // of a MB on the link
	Latency time.Duration // how soon decisions about readings are needed; 0: no such need
	Limits  policy.Limits
}

// edgeMode is the mode that holds. Only Holdfast's own profile has a way to say what stayed here: with another alone everything
// goes up.
func (c *Config) edgeMode() string {
	if !c.native() {
		return edgeRaw
	}
	return c.edgeWanted()
}

// edgeWanted is the mode that is asked for.
func (c *Config) edgeWanted() string {
	if c.Edge.Mode == "" && (c.Edge.Price > 0 || c.Edge.Latency > 0) {
		return edgeAuto
	}
	return cmp.Or(c.Edge.Mode, edgeRaw)
}

// edgeOrder is the decision that the configuration makes; none where it leaves that to the policy.
func (c *Config) edgeOrder() (d policy.Decision) {
	if mode := c.edgeMode(); mode != edgeAuto {
		d = policy.Decision{Mode: holdfast.EdgeMode(mode), Reason: holdfast.EdgeConfiguration}
	}
	return d
}

// decimal reads a number in [low, high].
func decimal(low, high float64, field func(*Config) *float64) func(*Config, string) error {
	return func(cfg *Config, value string) error {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || !(n >= low && n <= high) {
			return fmt.Errorf("%q: want a number from %v to %v", value, low, high)
		}
		*field(cfg) = n
		return nil
	}
}

// millis reads milliseconds.
func millis(low, high int64, field func(*Config) *time.Duration) func(*Config, string) error {
	return integer(low, high, func(c *Config, n int64) { *field(c) = time.Duration(n) * time.Millisecond })
}
