package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/dashboard"
	"holdfast/sensors/simulated"
)

// Before the buffer is open the page answers, is well, says what it waits for, and changes nothing.
func TestPageBeforeTheBuffer(t *testing.T) {
	t.Parallel()
	cfg, err := loadConfig("", variables("DATA_DIR", t.TempDir(), "DEVICE_ID", "early"))
	if err != nil {
		t.Fatal(err)
	}
	w := world{
		log:           slog.New(slog.DiscardHandler),
		now:           func() holdfast.Instant { return holdfast.Instant{Time: holdfast.Micro(time.Now()), Boot: "early"} },
		sensorChanges: make(chan holdfast.SensorChange, changes),
	}
	w.source = samplerOf(&w, cfg, simulated.New(simulated.Options{}).Buses())
	g := begin(cfg, w)
	get := func(path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		g.page.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		return answer
	}
	var view dashboard.View
	if answer := get("/api/v1/status"); answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &view) != nil {
		t.Fatalf("status: %d %s", answer.Code, answer.Body)
	}
	if view.Device != "early" || !view.Stream.IsZero() || !view.Buffer.Volatile || len(view.Notices) != 1 {
		t.Errorf("view %+v, want one without a stream, volatile, with a notice", view)
	}
	if answer := get("/healthz"); answer.Code != http.StatusOK {
		t.Errorf("health: %d %s", answer.Code, answer.Body)
	}
	if answer := get("/api/v1/settings/measuring"); answer.Code != http.StatusNotFound {
		t.Errorf("a setting: %d %s", answer.Code, answer.Body)
	}
	if answer := get("/api/v1/settings/measurin"); answer.Code != http.StatusNotFound || !strings.Contains(answer.Body.String(), "want one of measuring, ") {
		t.Errorf("a setting that is none: %d %s", answer.Code, answer.Body)
	}
	if _, err := (settings{g}).Set(t.Context(), holdfast.SettingMeasuring, json.RawMessage("false"), holdfast.OriginPage, ""); !errors.Is(err, errOpening) {
		t.Errorf("Set: %v, want %v", err, errOpening)
	}
	if err := (settings{g}).Press(t.Context(), holdfast.PressShort); !errors.Is(err, errOpening) {
		t.Errorf("Press: %v, want %v", err, errOpening)
	}
	if err := g.assemble(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer g.buffer.Close()
	if view := g.Status(t.Context()); view.Stream.IsZero() || len(view.Notices) != 0 {
		t.Errorf("view %+v once the buffer is open, want one with a stream and no notice", view)
	}
	if err := (history{g}).History(time.Time{}, time.Now(), func(holdfast.Lane, []byte) bool { return true }); err != nil {
		t.Errorf("history: %v", err)
	}
}

// A stop that comes while the file of a gateway that was killed is examined waits for that: what was measured meanwhile is kept.
func TestStopWhileOpening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg, err := loadConfig("", variables("DATA_DIR", dir, "DEVICE_ID", "early", "HTTP_LISTEN", "off"))
	if err != nil {
		t.Fatal(err)
	}
	options := buffer.Options{Path: filepath.Join(dir, bufferFile), Device: "early"}
	b, err := buffer.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil || !buffer.NeedsCheck(options.Path) { // for nobody has said that it is clean
		t.Fatalf("%v, or it needs no check", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := world{
		log:           slog.New(slog.DiscardHandler),
		now:           func() holdfast.Instant { return holdfast.Instant{Time: holdfast.Micro(time.Now()), Boot: "early"} },
		sensorChanges: make(chan holdfast.SensorChange, changes),
		presses:       make(chan holdfast.Press),
	}
	hasty := hastySource{samplerOf(&w, cfg, simulated.New(simulated.Options{}).Buses()), cancel}
	w.source = hasty
	if err := run(ctx, cfg, w); err != nil {
		t.Fatal(err)
	}
	b, err = buffer.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	kept := 0
	err = b.History(time.Time{}, time.Now().Add(time.Hour), func(lane holdfast.Lane, record []byte) bool {
		if lane == holdfast.LaneTelemetry {
			kept++
		}
		return true
	})
	if kept != 3 || err != nil {
		t.Errorf("%d readings are kept (%v), want 3", kept, err)
	}
}

// A hastySource hands out three readings, and then somebody stops the gateway.
type hastySource struct {
	source
	stop context.CancelFunc
}

func (h hastySource) Run(ctx context.Context, out chan<- *holdfast.Reading) error {
	for i := range 3 {
		out <- &holdfast.Reading{Time: holdfast.Micro(time.Now()), Sensor: "a", Values: map[string]float64{"x": float64(i)}}
	}
	h.stop()
	<-ctx.Done()
	return nil
}
