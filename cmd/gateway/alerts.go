package main

import (
	"slices"
	"sync"
	"time"

	"holdfast"
)

// alerts remembers the newest step of each alert for those who show them: what is raised, and what was cleared lately.
type alerts struct {
	mu     sync.Mutex
	newest map[string]holdfast.Alert // by the alert's id
}

// recently is how long a cleared alert is still shown, and shown is how many alerts are, at most.
const (
	recently = time.Hour
	shown    = 100
)

func newAlerts() *alerts { return &alerts{newest: map[string]holdfast.Alert{}} }

// see takes note of the alerts among records.
func (a *alerts) see(records []holdfast.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range records {
		if alert, ok := r.(*holdfast.Alert); ok {
			a.newest[alert.ID] = *alert
		}
	}
}

// stand shows alerts that were raised before this start.
func (a *alerts) stand(raised []*holdfast.Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alert := range raised {
		alert.Time = alert.Since // the step itself was told of long ago
		a.newest[alert.ID] = *alert
	}
}

// one returns the newest step of an alert.
func (a *alerts) one(id string) (holdfast.Alert, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	alert, ok := a.newest[id]
	return alert, ok
}

// list returns the alerts that matter at that time, newest step first, and forgets the others.
func (a *alerts) list(now time.Time) []holdfast.Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []holdfast.Alert{}
	for id, alert := range a.newest {
		if alert.State == holdfast.Cleared && now.Sub(alert.Time) > recently {
			delete(a.newest, id)
			continue
		}
		out = append(out, alert)
	}
	slices.SortFunc(out, func(x, y holdfast.Alert) int { return y.Time.Compare(x.Time) })
	return out[:min(len(out), shown)]
}
