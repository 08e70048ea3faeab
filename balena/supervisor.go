// Package balena is what the gateway has to do with balenaOS: the client of the supervisor's API, the environment that
// balena gives a container, and the device's identity, on balena and elsewhere.
//
// Off balena everything here is absent and nothing fails: [New] returns nil, a nil [Supervisor] answers [ErrAbsent], and
// [Identify] falls back to the Pi's serial number or to a random id that it keeps with the data.
//
// The supervisor's key is a password to the whole device. It is in no error, no log line and no printed value of this
// package, and it is sent to the supervisor's own address only.
//
// The tests of this package also hold Dockerfile.template and docker-compose.yml to what balena's builders and supervisor
// understand.
package balena

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrAbsent says that there is no supervisor: the gateway does not run on balena, or its service lacks the label
// io.balena.features.supervisor-api.
var ErrAbsent = errors.New("no balena supervisor")

// Options say where the supervisor is. balena gives both to a service with the label io.balena.features.supervisor-api.
type Options struct {
	Address string        // BALENA_SUPERVISOR_ADDRESS: http://127.0.0.1:48484
	Key     string        // BALENA_SUPERVISOR_API_KEY
	Timeout time.Duration // of one request; default 10s
}

// A Supervisor is the supervisor of the device. Its methods may be called from any goroutine.
type Supervisor struct {
	address string
	key     func() string // a function, so that no %v prints it
	client  http.Client
}

// New returns the supervisor, or nil where the options name none.
func New(o Options) *Supervisor {
	if o.Address == "" || o.Key == "" {
		return nil
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	return &Supervisor{
		address: strings.TrimRight(o.Address, "/"),
		key:     func() string { return o.Key },
		client: http.Client{
			Timeout:   o.Timeout,
			Transport: &http.Transport{DisableKeepAlives: true}, // and no proxy: the key stays on the device
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // for the same reason
			},
		},
	}
}

// Reboot asks the supervisor to reboot the device and returns once it has agreed; the reboot follows within seconds. It is
// tried once. The error is [ErrAbsent] off balena; the supervisor refuses while an update lock is held.
func (s *Supervisor) Reboot(ctx context.Context) error {
	if err := s.post(ctx, "/v1/reboot"); err != nil {
		return fmt.Errorf("reboot: %w", err)
	}
	return nil
}

// post makes one request that changes something.
func (s *Supervisor) post(ctx context.Context, path string) error {
	if s == nil {
		return ErrAbsent
	}
	target := s.address + path + "?" + url.Values{"apikey": {s.key()}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("supervisor: the address is not a URL") // err holds the key
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the URL, which holds the key
		}
		return fmt.Errorf("supervisor: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("supervisor: %s%s", response.Status, s.reason(response.Body))
	}
	return nil
}

// reason returns what the supervisor says about a refusal.
func (s *Supervisor) reason(body io.Reader) string {
	var answer struct{ Error, Message string }
	if json.NewDecoder(io.LimitReader(body, 64<<10)).Decode(&answer) != nil {
		return ""
	}
	text := strings.TrimSpace(answer.Error + " " + answer.Message)
	if text == "" {
		return ""
	}
	return fmt.Sprintf(": %.200s", strings.ReplaceAll(text, s.key(), "…"))
}
