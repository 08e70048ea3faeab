package main

import "github.com/prometheus/client_golang/prometheus"

var webhookPosts = prometheus.NewDesc("rule_webhooks_total", "Posts of webhooks that were taken, given up, or made room for others.", []string{"result"}, nil)

// Describe implements prometheus.Collector.
func (w *webhooks) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- webhookPosts }

// Collect implements prometheus.Collector.
func (w *webhooks) Collect(metrics chan<- prometheus.Metric) {
	for result, n := range map[string]uint64{"sent": w.sent.Load(), "failed": w.failed.Load(), "dropped": w.dropped.Load()} {
		metrics <- prometheus.MustNewConstMetric(webhookPosts, prometheus.CounterValue, float64(n), result)
	}
}
