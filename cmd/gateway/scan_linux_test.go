package main

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/dashboard"
)

// A scan beside a running gateway asks it; nobody else touches its buses. Where none runs, one that starts waits.
func TestScanBesideGateway(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	if release, runs := gatewayRuns(folder); runs {
		t.Error("a gateway runs in a folder that is not there")
	} else {
		release()
	}
	end, err := ownFolder(t.Context(), folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(dashboard.New(dashboard.Options{Scan: func(context.Context) []string { return []string{"i2c-1 0x76: bme280 (sure), read as bme280-1-76"} }}))
	defer page.Close()
	scan := func(listen string) (string, error) {
		t.Setenv("DATA_DIR", folder)
		t.Setenv("DEVICE_ID", "pi-7")
		t.Setenv("HTTP_LISTEN", listen)
		var out strings.Builder
		err := scanCommand(t.Context(), nil, &out)
		return out.String(), err
	}
	if got, err := scan(strings.TrimPrefix(page.URL, "http://")); err != nil || got != "i2c-1 0x76: bme280 (sure), read as bme280-1-76\n" {
		t.Errorf("%q, %v", got, err)
	}
	for listen, want := range map[string]string{"off": "HTTP_LISTEN", "127.0.0.1:1": "connection refused"} {
		if _, err := scan(listen); err == nil || !strings.Contains(err.Error(), "gateway command pi-7 scan") || !strings.Contains(err.Error(), want) {
			t.Errorf("page %s: %v, want what to do, and %q", listen, err, want)
		}
	}

	end()
	release, runs := gatewayRuns(folder)
	if runs {
		t.Error("the gateway has ended")
	}
	waits, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ownFolder(waits, folder, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a gateway has started beside a scan")
	}
	release()
}
