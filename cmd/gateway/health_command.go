package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"holdfast/internal/cli"
)

// pageURL returns where a gateway on this machine answers that listens there; empty where it has no page.
func pageURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// healthURL returns where such a gateway tells of its health; empty where it has no page.
func healthURL(listen string) string {
	if page := pageURL(listen); page != "" {
		return page + "/healthz"
	}
	return ""
}

// healthCommand asks the running gateway whether it makes progress.
func healthCommand(ctx context.Context, args []string, out io.Writer) error {
	flags := cli.NewFlags("gateway health")
	cfg, _ := loadConfig(os.Getenv("GATEWAY_CONFIG_FILE"), os.Getenv) // its mistakes are the daemon's to tell
	url := flags.String("url", healthURL(cfg.HTTPListen), "where the gateway answers; by default as it is configured")
	if err := cli.Parse(flags, args); err != nil {
		return err
	}
	if *url == "" {
		_, err := fmt.Fprintln(out, "there is no page to ask; the watchdog looks after the gateway all the same")
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, *url, nil)
	if err != nil {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("not well: %s", strings.TrimSpace(string(body)))
	}
	_, err = fmt.Fprintln(out, "well")
	return err
}
