package rules

import "holdfast"

// A raiser is the part of a memory that raises alerts: an episode by the definition of its rule. What embeds it has all of a
// memory but apply.
type raiser struct {
	alerting *alerting
	episode
}

func (r *raiser) tick(o origin, at holdfast.Instant) []holdfast.Record {
	return r.episode.tick(r.alerting, o, at)
}

func (r *raiser) reboot(origin, holdfast.Instant) []holdfast.Record {
	r.episode.reboot()
	return nil
}

func (r *raiser) retire(o origin, at holdfast.Instant) []holdfast.Record {
	return r.episode.retire(r.alerting, o, at)
}

func (r *raiser) alertID() string {
	if r.Since == nil { // a damaged checkpoint
		return ""
	}
	return r.ID
}

func (r *raiser) standing(o origin, at holdfast.Instant) *holdfast.Alert {
	state := holdfast.Raised
	if r.By != "" {
		state = holdfast.Acknowledged
	}
	return r.alert(r.alerting, o, at, state)
}

func (r *raiser) acknowledge(o origin, by string, at holdfast.Instant) []holdfast.Record {
	return r.episode.acknowledge(r.alerting, o, by, at)
}
