package receiver

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"holdfast"
)

// Metrics counts what the receiver does, in a registry of its own.
type Metrics struct {
	registry   *prometheus.Registry
	batches    *prometheus.CounterVec // lane
	records    *prometheus.CounterVec // state
	duplicates prometheus.Counter
	rejected   prometheus.Counter
	letters    *prometheus.CounterVec // code
	receipts   *prometheus.CounterVec // kind
	commit     prometheus.Histogram
	processing prometheus.Histogram
	online     prometheus.Gauge
	connected  prometheus.Gauge
}

func newMetrics() *Metrics {
	registry := prometheus.NewRegistry()
	name := func(n, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "holdfast", Subsystem: "receiver", Name: n, Help: help}
	}
	gauge := func(n, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "holdfast", Subsystem: "receiver", Name: n, Help: help})
	}
	seconds := func(n, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "holdfast", Subsystem: "receiver", Name: n, Help: help,
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)})
	}
	m := &Metrics{
		registry:   registry,
		batches:    prometheus.NewCounterVec(name("batches_total", "Batches committed."), []string{"lane"}),
		records:    prometheus.NewCounterVec(name("records_total", "Numbers entered in the ledger, by state."), []string{"state"}),
		duplicates: prometheus.NewCounter(name("duplicates_total", "Numbers that came again and were held already.")),
		rejected:   prometheus.NewCounter(name("rejected_total", "Numbers that receipts named as set aside, repetitions included.")),
		letters:    prometheus.NewCounterVec(name("dead_letters_total", "What could not be accepted, repetitions included."), []string{"code"}),
		receipts:   prometheus.NewCounterVec(name("receipts_total", "Receipts sent, by kind."), []string{"kind"}),
		commit:     seconds("commit_seconds", "Duration of a transaction of ingest."),
		processing: seconds("message_processing_seconds", "From the arrival of a message to its receipt."),
		online:     gauge("devices_online", "Devices that are online."),
		connected:  gauge("connected", "Whether there is a connection to the broker."),
	}
	registry.MustRegister(m.batches, m.records, m.duplicates, m.rejected, m.letters, m.receipts, m.commit, m.processing, m.online, m.connected,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics as Prometheus text.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *Metrics) committed(group []*delivery, out *outcome, took time.Duration) {
	for _, d := range group {
		if d.batch != nil {
			m.batches.WithLabelValues(string(d.batch.Lane)).Inc()
		}
	}
	for _, state := range []holdfast.What{holdfast.Data, holdfast.Thin, holdfast.Dropped, holdfast.Rejected} {
		m.records.WithLabelValues(string(state)).Add(float64(out.stored[state]))
	}
	for _, l := range out.letters {
		m.letters.WithLabelValues(l.Code).Inc()
	}
	m.duplicates.Add(float64(out.repeated))
	m.commit.Observe(took.Seconds())
}

func (m *Metrics) processed(group []*delivery) {
	for _, d := range group {
		m.processing.Observe(time.Since(d.arrived).Seconds())
	}
}

func (m *Metrics) receipted(r *holdfast.Receipt) {
	kind := "ranges"
	switch {
	case r.Hold:
		kind = "hold"
	case len(r.Want) > 0:
		kind = "want"
	}
	m.receipts.WithLabelValues(kind).Inc()
	m.rejected.Add(float64(len(r.Rejected)))
}

func (m *Metrics) setOnline(n int) { m.online.Set(float64(n)) }

func (m *Metrics) setConnected(yes bool) {
	if yes {
		m.connected.Set(1)
	} else {
		m.connected.Set(0)
	}
}
