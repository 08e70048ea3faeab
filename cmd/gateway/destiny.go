package main

import (
	"cmp"
	"maps"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

// destiny says who keeps a reading from going up, asked right after the rules have judged it: the name of a rule, or the edge
// policy; empty where it goes. A reading that is withheld gets no number and is sent by nobody; the buffer's history has it.
// While a burst samples a sensor, all that it reads goes up, and the reading that is the reason for it.
func (g *gateway) destiny(r *holdfast.Reading) (withheld string) {
	if g.bursts.on(r.Sensor) || g.rules.BurstOrdered(r.Sensor) {
		return ""
	}
	return cmp.Or(g.rules.Fate().Withheld, g.edgeWithholds(r))
}

// withheld counts the readings that were withheld since the start of the daemon, by whom.
type withheld struct {
	mu sync.Mutex
	by map[string]uint64
}

// maxWithholders bounds how many are counted each for itself; rules come and go with their sets.
const maxWithholders = 1000

func (w *withheld) count(by string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = make(map[string]uint64)
	}
	if _, known := w.by[by]; !known && len(w.by) >= maxWithholders {
		by = "others"
	}
	w.by[by]++
}

var readingsWithheld = prometheus.NewDesc("gateway_readings_withheld_total", "Readings that did not go up, by the rule or the policy that withheld them.", []string{"by"}, nil)

// Describe implements prometheus.Collector.
func (w *withheld) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- readingsWithheld }

// Collect implements prometheus.Collector.
func (w *withheld) Collect(metrics chan<- prometheus.Metric) {
	for by, n := range w.all() {
		metrics <- prometheus.MustNewConstMetric(readingsWithheld, prometheus.CounterValue, float64(n), by)
	}
}

// all returns a copy of the counts; nil where nothing was withheld.
func (w *withheld) all() map[string]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.by)
}
