package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"holdfast/uplink/policy"
)

// metrics count what the gateway does, in a registry of their own.
type metrics struct {
	registry  *prometheus.Registry
	decisions *prometheus.CounterVec // decision
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "edge_processing_decisions_total", Help: "Decisions on what of the readings goes up, by what decided.",
		}, []string{"decision"}),
	}
	for _, label := range policy.Labels() {
		m.decisions.WithLabelValues(label) // a counter that is 0 is there
	}
	m.registry.MustRegister(m.decisions)
	return m
}

// handler serves the metrics as Prometheus text.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
