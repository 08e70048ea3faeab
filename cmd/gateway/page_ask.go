package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"holdfast/dashboard"
)

// Subcommands ask the gateway that runs on this machine, or another, by its page.

// askLimit bounds such a question, and maxAnswer its answer in bytes.
const (
	askLimit  = 5 * time.Second
	maxAnswer = 8 << 20
)

// pageFlags adds --url and --config, which say where the gateway answers. The result is its address, "" where it has none.
func pageFlags(flags *flag.FlagSet) func() string {
	url := flags.String("url", "", "page of the running gateway, such as http://pi.local:8080; by default as it is configured")
	file := flags.String("config", os.Getenv("GATEWAY_CONFIG_FILE"), "configuration file that says where")
	return func() string {
		cfg, _ := loadConfig(*file, os.Getenv) // its mistakes are the daemon's to tell
		return strings.TrimSuffix(cmp.Or(*url, strings.TrimSuffix(healthURL(cfg.HTTPListen), "/healthz")), "/")
	}
}

// askPage returns the status of the gateway whose page is at that address.
func askPage(ctx context.Context, address string) (view dashboard.View, err error) {
	err = ask(ctx, address, "/api/v1/status", &view)
	return view, err
}

// ask gets one answer of a page.
func ask(ctx context.Context, address, path string, into any) error {
	if address == "" {
		return errors.New("the gateway has no page to ask")
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, nil)
	if err != nil {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no gateway answers: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address+path, answer.Status)
	}
	return json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(into)
}
