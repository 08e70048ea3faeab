package api

import (
	"net/http"
	"strings"
	"testing"

	"holdfast"
	"holdfast/receiver/store"
)

// send sends a request without a body and returns the status.
func send(t *testing.T, method, url string, header ...string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestReplay(t *testing.T) {
	t.Parallel()
	record := []byte(`{"time":"2026-05-01T12:00:00Z","sensor":"a","values":{"temperature_celsius":1}}`)
	_, web := serve(t, func(tx *store.Tx) error {
		if err := seed(tx); err != nil {
			return err
		}
		_, err := tx.AddLetter(store.Letter{Device: "pi-7", Topic: "devices/pi-7/telemetry", Code: "invalid_record", Text: "no place for it",
			Payload: record, Stream: holdfast.Stream{0xaa}, Lane: holdfast.LaneTelemetry, First: 700, Through: 700}, noon)
		return err
	})
	letters := web.URL + "/api/v1/dead-letters/"
	for _, test := range []struct {
		path string
		want int
	}{{"1/replay", 422}, {"2/replay", 200}, {"2/replay", 409}, {"3/replay", 404}, {"0/replay", 422}, {"x/replay", 422}} {
		if got := send(t, http.MethodPost, letters+test.path); got != test.want {
			t.Errorf("%s: status %d, want %d", test.path, got, test.want)
		}
	}
	var list struct {
		DeadLetters []DeadLetter `json:"dead_letters"`
	}
	ask(t, web, "/api/v1/dead-letters", 200, &list)
	if len(list.DeadLetters) != 2 || list.DeadLetters[0].Replayed.IsZero() || !list.DeadLetters[1].Replayed.IsZero() {
		t.Errorf("dead letters %+v", list)
	}
}

func TestPredecessor(t *testing.T) {
	t.Parallel()
	_, web := serve(t, func(tx *store.Tx) error {
		if err := seed(tx); err != nil {
			return err
		}
		_, err := tx.Seen("pi-9", store.StatusActive, true, noon)
		return err
	})
	devices := web.URL + "/api/v1/devices/"
	for _, test := range []struct {
		path string
		want int
	}{{"pi-9/predecessors/pi-7", 204}, {"pi-9/predecessors/pi-7", 204}, {"pi-9/predecessors/pi-9", 422}, {"pi-9/predecessors/pi-1", 404}} {
		if got := send(t, http.MethodPut, devices+test.path); got != test.want {
			t.Errorf("%s: status %d, want %d", test.path, got, test.want)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	_, web := serve(t, seed)
	for _, test := range []struct {
		device, body string
		want         int
	}{
		{"pi-7", `{"status":"suspended"}`, 204}, {"pi-7", `{"status":"suspended"}`, 204}, {"pi-1", `{"status":"active"}`, 404},
		{"pi-7", `{"status":"fine"}`, 422}, {"pi-7", `{}`, 422}, {"pi-7", `{"status":"active","more":1}`, 422}, {"pi-7", `x`, 400},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, web.URL+"/api/v1/devices/"+test.device+"/status", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != test.want {
			t.Errorf("%s %s: status %d, want %d", test.device, test.body, answer.StatusCode, test.want)
		}
	}
	var got Device
	ask(t, web, "/api/v1/devices/pi-7", 200, &got)
	if got.Status != store.StatusSuspended {
		t.Errorf("status %q, want suspended", got.Status)
	}
}

// A page of another site cannot change anything.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	_, web := serve(t, seed)
	if got := send(t, http.MethodPost, web.URL+"/api/v1/dead-letters/1/replay", "Sec-Fetch-Site", "cross-site"); got != http.StatusForbidden {
		t.Errorf("status %d, want 403", got)
	}
	if got := send(t, http.MethodPut, web.URL+"/api/v1/devices/pi-7/status", "Sec-Fetch-Site", "cross-site"); got != http.StatusForbidden {
		t.Errorf("status %d, want 403", got)
	}
}
