package holdfast

// EdgeMode says what of its readings a device sends up. Alerts and events go up in every mode.
type EdgeMode string

const (
	EdgeRaw       EdgeMode = "raw"       // every reading
	EdgeAggregate EdgeMode = "aggregate" // what rules make of the readings; the readings themselves stay on the device
	EdgeHold      EdgeMode = "hold"      // nothing for now: telemetry waits on the device
)

// Valid reports whether m is one of the modes.
func (m EdgeMode) Valid() bool { return m == EdgeRaw || m == EdgeAggregate || m == EdgeHold }

// EdgeReason says why an [EdgeMode] holds.
type EdgeReason string

const (
	EdgeLatency       EdgeReason = "latency_requirement" // decisions are needed sooner than the cloud can make them
	EdgeCost          EdgeReason = "cost_optimization"   // every reading would cost too much
	EdgeRedundancy    EdgeReason = "redundancy"          // the link is not stable, or the buffer is nearly full
	EdgeCloud         EdgeReason = "cloud_optimized"     // nothing speaks against sending every reading
	EdgeConfiguration EdgeReason = "configuration"       // somebody has said so
)

// EdgeRule is the name of the rule that summarises each minute of readings which do not go up: an [Aggregate] with mean, min and max of
// each quantity. Its version is one that no rules file can have, so that a rule of the same name is another one.
const (
	EdgeRule        = "edge"
	EdgeRuleVersion = 0
)

// EdgeStatus is what a device says of itself where a policy decides what goes up.
type EdgeStatus struct {
	Mode   EdgeMode   `json:"mode"`
	Reason EdgeReason `json:"reason"`
}

// EdgeChange is the data of [EventEdge]: the mode from then on, and what it was decided from.
type EdgeChange struct {
	EdgeStatus
	Before    EdgeMode `json:"before"`
	MBPerDay  float64  `json:"mb_per_day"`   // megabytes that all readings make in a day
	Cost      float64  `json:"cost_per_day"` // what these cost, in the currency of the configuration
	Stability float64  `json:"stability"`    // of the link, 0 to 1
	Backlog   float64  `json:"backlog"`      // share of the buffer that waits to be sent, 0 to 1
}
