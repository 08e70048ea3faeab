package main

import (
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

// A pageOf says where a gateway answers, and how it is configured.
type pageOf struct{ url, file *string }

// pageFlags adds --url and --config.
func pageFlags(flags *flag.FlagSet) pageOf {
	return pageOf{
		flags.String("url", "", "page of the running gateway, such as http://pi.local:8080; by default as it is configured"),
		flags.String("config", os.Getenv("GATEWAY_CONFIG_FILE"), "configuration file that says where"),
	}
}

func (p pageOf) config() Config {
	cfg, _ := loadConfig(*p.file, os.Getenv) // its mistakes are the daemon's to tell
	return cfg
}

// address is that of the page, "" where there is none.
func (p pageOf) address() string {
	if *p.url != "" {
		return strings.TrimSuffix(*p.url, "/")
	}
	return pageURL(p.config().HTTPListen)
}

// askPage returns the status of the gateway whose page is at that address.
func askPage(ctx context.Context, address string) (view dashboard.View, err error) {
	err = ask(ctx, address, "/api/v1/status", &view)
	return view, err
}

// ask gets one answer of a page.
func ask(ctx context.Context, address, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	return exchange(ctx, http.MethodGet, address, path, "", into)
}

// exchange has a page answer one request. token, which may be empty, lets it change something from another machine.
func exchange(ctx context.Context, method, address, path, token string, into any) error {
	if address == "" {
		return errors.New("the gateway has no page to ask (HTTP_LISTEN)")
	}
	request, err := http.NewRequestWithContext(ctx, method, address+path, nil)
	if err != nil {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no gateway answers: %w", err)
	}
	defer answer.Body.Close()
	body := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode == http.StatusOK {
		return body.Decode(into)
	}
	var problem struct{ Detail string }
	if body.Decode(&problem) == nil && problem.Detail != "" {
		return fmt.Errorf("%s answers %s: %s", address+path, answer.Status, problem.Detail)
	}
	return fmt.Errorf("%s answers %s", address+path, answer.Status)
}
