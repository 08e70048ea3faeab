package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"holdfast/sensors"
)

// A gateway that runs here reads these buses. A scan beside it would switch its multiplexers, so that it read one chip for
// another; therefore it is asked to look itself, between its samples.

// scanLines is what a running gateway finds on its buses, a line each.
func scanLines(ctx context.Context, sampler *sensors.Sampler) []string {
	ctx, cancel := context.WithTimeout(ctx, scanLimit)
	defer cancel()
	return linesOf(sampler.Scan(ctx))
}

func linesOf(findings []sensors.Finding) (lines []string) {
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	return lines
}

// askedToScan is what the gateway that runs on this machine finds.
func askedToScan(ctx context.Context, cfg *Config) ([]string, error) {
	var said struct{ Found []string }
	if err := exchange(ctx, http.MethodPost, pageURL(cfg.HTTPListen), "/api/v1/scan", cfg.DashboardToken, &said); err != nil {
		return nil, fmt.Errorf("a gateway runs here and reads these buses; stop it first, or have it scan: gateway command %s scan: %w", cmp.Or(cfg.Device, "DEVICE"), err)
	}
	return said.Found, nil
}
