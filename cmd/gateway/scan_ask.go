package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"holdfast/sensors"
)

// A gateway that runs here reads these buses. A scan beside it would switch its multiplexers, so that it read one chip for
// another; therefore it is asked to look itself, between its samples.

// scanLines is what a running gateway finds on its buses, a line each.
func scanLines(ctx context.Context, sampler *sensors.Sampler) (lines []string) {
	ctx, cancel := context.WithTimeout(ctx, scanLimit)
	defer cancel()
	for _, f := range sampler.Scan(ctx) {
		lines = append(lines, f.String())
	}
	return lines
}

// askedToScan is what the gateway that runs on this machine finds.
func askedToScan(ctx context.Context, cfg *Config) ([]string, error) {
	const instead = "a gateway runs here and reads these buses; stop it first, or have it scan: gateway command %s scan: %w"
	lines, err := postScan(ctx, strings.TrimSuffix(healthURL(cfg.HTTPListen), "/healthz"), cfg.DashboardToken)
	if err != nil {
		return nil, fmt.Errorf(instead, cmp.Or(cfg.Device, "DEVICE"), err)
	}
	return lines, nil
}

func postScan(ctx context.Context, page, token string) ([]string, error) {
	if page == "" {
		return nil, errors.New("it has no page to ask (HTTP_LISTEN)")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, page+"/api/v1/scan", nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	said := struct {
		Found  []string `json:"found"`
		Detail string   `json:"detail"`
	}{}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, fmt.Errorf("its page answered %s, and not as a gateway of this version does", answer.Status)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("its page answered: %s", said.Detail)
	}
	return said.Found, nil
}
