// Package balena is what the gateway has to do with balenaOS: the client of the supervisor's API, the locks that hold updates
// back, the environment that balena gives a container, and the device's identity, on balena and elsewhere.
//
// Off balena everything here is absent and nothing fails: [New] returns nil, a nil [Supervisor] answers [ErrAbsent],
// [Locks.Hold] does nothing, and [Identify] falls back to the Pi's serial number or to a random id that it keeps with the data.
//
// The supervisor's key is a password to the whole device. It is in no error, no log line and no printed value of this
// package, and it is sent to the supervisor's own address only.
//
// The tests of this package also hold Dockerfile.template, the compose files and balena.yml to what balena's builders,
// livepush and the supervisor understand.
package balena

import (
	"bytes"
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

// ErrLocked says that the supervisor refused, because some service of the device holds an update lock. It can be asked again.
var ErrLocked = errors.New("an update lock is held")

// Options say where the supervisor is. balena gives the first two to a service with the label
// io.balena.features.supervisor-api.
type Options struct {
	Address string        // BALENA_SUPERVISOR_ADDRESS: http://127.0.0.1:48484
	Key     string        // BALENA_SUPERVISOR_API_KEY
	App     string        // BALENA_APP_ID, which [Supervisor.Restart] needs
	Service string        // BALENA_SERVICE_NAME, the same
	Timeout time.Duration // of one request; default 10s
}

// A Supervisor is the supervisor of the device. Its methods may be called from any goroutine. Each makes one request and
// tries once; the error is [ErrAbsent] off balena, and wraps [ErrLocked] where an update lock is held.
type Supervisor struct {
	address      string
	app, service string
	key          func() string // a function, so that no %v prints it
	client       http.Client
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
		app:     o.App,
		service: o.Service,
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

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// call makes one request; body may be nil. An answer that is not JSON is returned as it is.
func (s *Supervisor) call(ctx context.Context, method, path string, body any) ([]byte, error) {
	if s == nil {
		return nil, ErrAbsent
	}
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("supervisor: %w", err)
		}
	}
	target := s.address + path + "?" + url.Values{"apikey": {s.key()}}.Encode()
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("supervisor: the address is not a URL") // err holds the key
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("supervisor: %w", withoutURL(err))
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("supervisor: read its answer: %w", withoutURL(err))
	}
	switch reason := s.reason(answer); {
	case response.StatusCode == http.StatusLocked:
		return nil, fmt.Errorf("supervisor: %s%s: %w", response.Status, reason, ErrLocked)
	case response.StatusCode/100 != 2:
		return nil, fmt.Errorf("supervisor: %s%s", response.Status, reason)
	case reason != "": // v1 answers so what it could not do
		return nil, fmt.Errorf("supervisor: refused%s", reason)
	}
	return answer, nil
}

// withoutURL takes the URL, which holds the key, out of an error.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// reason returns what the supervisor says about a refusal, empty where it says nothing: v1 in Error, v2 in message beside a
// status that is not success.
func (s *Supervisor) reason(body []byte) string {
	var answer struct{ Error, Message, Status string }
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	if answer.Status == "success" {
		return ""
	}
	text := strings.TrimSpace(answer.Error + " " + answer.Message)
	if text == "" && answer.Status == "failed" {
		text = answer.Status
	}
	if text == "" {
		return ""
	}
	return fmt.Sprintf(": %.200s", strings.ReplaceAll(text, s.key(), "…"))
}
