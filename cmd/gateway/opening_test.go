package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"holdfast"
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
	if _, err := (settings{g}).Set(t.Context(), holdfast.SettingMeasuring, json.RawMessage("false"), holdfast.OriginPage, ""); !errors.Is(err, errOpening) {
		t.Errorf("Set: %v, want %v", err, errOpening)
	}
	if err := (settings{g}).Press(t.Context()); !errors.Is(err, errOpening) {
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
