package balena

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A fakeSupervisor answers as balena's documentation says the supervisor does.
type fakeSupervisor struct {
	locked bool // a service of the device holds its update lock
	done   []string
}

func (f *fakeSupervisor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ping" {
		fmt.Fprint(w, "OK")
		return
	}
	if r.URL.Query().Get("apikey") != key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(r.Body)
	switch r.Method + " " + r.URL.Path {
	case "GET /v1/device":
		fmt.Fprint(w, `{"api_port":48484,"ip_address":"192.168.0.114 10.42.0.3","commit":"414e65c","status":"Downloading","download_progress":84,
			"os_version":"balenaOS 6.0.24","supervisor_version":"16.10.0","update_pending":true,"update_downloaded":false,"update_failed":null}`)
	case "GET /v2/state/status":
		fmt.Fprint(w, `{"status":"success","appState":"applied","overallDownloadProgress":null,"release":"7e3f",
			"containers":[{"status":"Running","serviceName":"gateway","appId":1032480,"imageId":959262,"serviceId":29396,"containerId":"be4a"}],"images":[]}`)
	case "GET /v2/device/name":
		fmt.Fprint(w, `{"status":"success","deviceName":"porch"}`)
	case "GET /v2/version":
		fmt.Fprint(w, `{"status":"success","version":"16.10.0"}`)
	case "POST /v1/update":
		f.done = append(f.done, "update "+string(body))
		w.WriteHeader(http.StatusNoContent)
	case "POST /v1/reboot", "POST /v1/shutdown":
		if f.locked && !strings.Contains(string(body), `"force":true`) {
			w.WriteHeader(http.StatusLocked)
			fmt.Fprint(w, `{"Data":"","Error":"Updates are locked: EEXIST: open '/tmp/balena-supervisor/services/1/gateway/updates.lock'"}`)
			return
		}
		f.done = append(f.done, r.URL.Path)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"Data":"OK","Error":null}`)
	case "POST /v2/applications/1032480/restart-service":
		var service struct{ ServiceName string }
		if json.Unmarshal(body, &service) != nil || service.ServiceName != "gateway" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"failed","message":"Service not found, a container must exist for service restart to work."}`)
			return
		}
		f.done = append(f.done, "restart")
		fmt.Fprint(w, "OK")
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	fake := &fakeSupervisor{}
	server := httptest.NewServer(fake)
	defer server.Close()
	ctx, s := t.Context(), New(Options{Address: server.URL, Key: key, App: "1032480", Service: "gateway"})
	for _, err := range []error{s.Ping(ctx), s.Update(ctx), s.Reboot(ctx), s.Shutdown(ctx), s.Restart(ctx)} {
		if err != nil {
			t.Error(err)
		}
	}
	if want := "update {}, /v1/reboot, /v1/shutdown, restart"; strings.Join(fake.done, ", ") != want {
		t.Errorf("done %q, want %s", fake.done, want)
	}
	device, err := s.Device(ctx)
	if want := (Device{"414e65c", "Downloading", "balenaOS 6.0.24", "16.10.0", "192.168.0.114 10.42.0.3", true, false, false}); err != nil || device != want {
		t.Errorf("device %+v, %v, want %+v", device, err, want)
	}
	status, err := s.Status(ctx)
	if err != nil || status.AppState != "applied" || len(status.Containers) != 1 || status.Containers[0] != (Container{"gateway", "Running"}) {
		t.Errorf("status %+v, %v", status, err)
	}
	name, err := s.Name(ctx)
	version, err2 := s.Version(ctx)
	if name != "porch" || version != "16.10.0" || err != nil || err2 != nil {
		t.Errorf("name %q, version %q, %v, %v", name, version, err, err2)
	}
	other := New(Options{Address: server.URL, Key: key, App: "1032480", Service: "other"})
	if got := text(other.Restart(ctx)); !strings.HasPrefix(got, "restart: supervisor: 400 Bad Request: Service not found") {
		t.Errorf("restart of another service: %q", got)
	}
	if err := New(Options{Address: server.URL, Key: key}).Restart(ctx); err == nil {
		t.Error("a restart without the service's name")
	}
}

// Every request meets every failure of the supervisor with an error that says which; none hangs, none is made twice.
func TestRequestsFail(t *testing.T) {
	t.Parallel()
	locked := httptest.NewServer(&fakeSupervisor{locked: true})
	defer locked.Close()
	s := New(Options{Address: locked.URL, Key: key, App: "1", Service: "gateway"})
	for _, err := range []error{s.Reboot(t.Context()), s.Shutdown(t.Context())} {
		if !errors.Is(err, ErrLocked) || !strings.Contains(text(err), "Updates are locked") {
			t.Errorf("%v, want ErrLocked and the supervisor's words", err)
		}
	}

	tests := []struct {
		name   string
		answer http.HandlerFunc // nil: nobody is there
		want   string
		is     error

		timeout time.Duration // long where the answer counts
	}{
		{"5xx", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oops", http.StatusServiceUnavailable) }, "supervisor: 503 Service Unavailable", nil, 30 * time.Second},
		{"hangs", func(_ http.ResponseWriter, r *http.Request) { hang(r) }, "supervisor: ", context.DeadlineExceeded, 100 * time.Millisecond},
		{"hangs in its answer", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			hang(r)
		}, "supervisor: read its answer: ", context.DeadlineExceeded, 700 * time.Millisecond},
		{"gone", nil, "connection refused", nil, 30 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.answer)
			if tt.answer == nil {
				server.Close()
			} else {
				defer server.Close()
			}
			s := New(Options{Address: server.URL, Key: key, App: "1", Service: "gateway", Timeout: tt.timeout})
			for what, err := range everything(t.Context(), s) {
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "k3y") || tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("%s: %v, want %q", what, err, tt.want)
				}
			}
		})
	}

	for what, err := range everything(t.Context(), nil) {
		if !errors.Is(err, ErrAbsent) {
			t.Errorf("%s without a supervisor: %v, want ErrAbsent", what, err)
		}
	}
}

// everything makes each request once.
func everything(ctx context.Context, s *Supervisor) map[string]error {
	_, device := s.Device(ctx)
	_, status := s.Status(ctx)
	_, name := s.Name(ctx)
	_, version := s.Version(ctx)
	return map[string]error{
		"ping": s.Ping(ctx), "reboot": s.Reboot(ctx), "shutdown": s.Shutdown(ctx), "update": s.Update(ctx), "restart": s.Restart(ctx),
		"device": device, "status": status, "name": name, "version": version,
	}
}

// hang answers nothing until the client has gone, which a server notices once it has read the request.
func hang(r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}
