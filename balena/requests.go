package balena

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// The requests, as balena's page "Interacting with the balena Supervisor" (docs.balena.io/reference/supervisor/supervisor-api)
// describes them. None asks to override an update lock: another service may have its reasons.

// Ping asks whether the supervisor answers.
func (s *Supervisor) Ping(ctx context.Context) error {
	return s.do(ctx, "ping", http.MethodGet, "/ping", nil)
}

// Reboot asks the supervisor to reboot the device and returns once it has agreed; the reboot follows within seconds.
func (s *Supervisor) Reboot(ctx context.Context) error {
	return s.do(ctx, "reboot", http.MethodPost, "/v1/reboot", struct{}{})
}

// Shutdown asks the supervisor to switch the device off, and returns once it has agreed. Only power brings it back.
func (s *Supervisor) Shutdown(ctx context.Context) error {
	return s.do(ctx, "shut down", http.MethodPost, "/v1/shutdown", struct{}{})
}

// Update asks the supervisor to look for a new release. It is applied once no update lock is held.
func (s *Supervisor) Update(ctx context.Context) error {
	return s.do(ctx, "update", http.MethodPost, "/v1/update", struct{}{})
}

// Restart asks the supervisor to start this service's container anew.
func (s *Supervisor) Restart(ctx context.Context) error {
	if s == nil {
		return fmt.Errorf("restart: %w", ErrAbsent)
	}
	if s.app == "" || s.service == "" {
		return fmt.Errorf("restart: BALENA_APP_ID or BALENA_SERVICE_NAME is missing")
	}
	path := "/v2/applications/" + url.PathEscape(s.app) + "/restart-service"
	return s.do(ctx, "restart", http.MethodPost, path, map[string]string{"serviceName": s.service})
}

// A Device is what the supervisor says of the device. What it does not know yet is empty.
type Device struct {
	Commit            string `json:"commit"` // of the release that runs
	Status            string `json:"status"` // Idle, Downloading, …
	OSVersion         string `json:"os_version"`
	SupervisorVersion string `json:"supervisor_version"`
	Addresses         string `json:"ip_address"` // separated by blanks
	UpdatePending     bool   `json:"update_pending"`
	UpdateDownloaded  bool   `json:"update_downloaded"`
	UpdateFailed      bool   `json:"update_failed"`
}

// Device returns the state of the device.
func (s *Supervisor) Device(ctx context.Context) (Device, error) {
	var d Device
	err := s.get(ctx, "/v1/device", &d)
	return d, err
}

// Status is the state of the device's containers and of the release being applied.
type Status struct {
	AppState   string      `json:"appState"` // applied, applying
	Release    string      `json:"release"`  // the commit being run or downloaded
	Containers []Container `json:"containers"`
}

// A Container is one service as the supervisor sees it.
type Container struct {
	Service string `json:"serviceName"`
	Status  string `json:"status"` // Running, Stopped, …
}

// Status returns the state of the containers.
func (s *Supervisor) Status(ctx context.Context) (Status, error) {
	var st Status
	err := s.get(ctx, "/v2/state/status", &st)
	return st, err
}

// Name returns the name that the device has on the dashboard now; the environment has the one that it had at the start.
func (s *Supervisor) Name(ctx context.Context) (string, error) {
	var answer struct {
		Name string `json:"deviceName"`
	}
	err := s.get(ctx, "/v2/device/name", &answer)
	return answer.Name, err
}

// Version returns the supervisor's own version.
func (s *Supervisor) Version(ctx context.Context) (string, error) {
	var answer struct {
		Version string `json:"version"`
	}
	err := s.get(ctx, "/v2/version", &answer)
	return answer.Version, err
}

func (s *Supervisor) do(ctx context.Context, what, method, path string, body any) error {
	if _, err := s.call(ctx, method, path, body); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (s *Supervisor) get(ctx context.Context, path string, into any) error {
	answer, err := s.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("ask %s: the answer is not what it should be: %w", path, err)
	}
	return nil
}
