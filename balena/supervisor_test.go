package balena

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const key = "k3y/with+signs"

func TestReboot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		answer string
		want   string
	}{
		{"accepted", 202, `{"Data":"OK","Error":null}`, ""},
		{"locked", 423, `{"Data":"","Error":"Updates are locked"}`, "reboot: supervisor: 423 Locked: Updates are locked: an update lock is held"},
		{"accepted and yet not", 200, `{"Data":"","Error":"it is busy"}`, "reboot: supervisor: refused: it is busy"},
		{"wrong key", 401, `{"status":"failed","message":"` + key + ` is wrong"}`, "reboot: supervisor: 401 Unauthorized: … is wrong"},
		{"no words", 500, `oops`, "reboot: supervisor: 500 Internal Server Error"},
		{"endless words", 503, `{"Error":"` + strings.Repeat("x", 1000) + `"}`, "reboot: supervisor: 503 Service Unavailable: " + strings.Repeat("x", 200)},
		{"elsewhere", 307, ``, "reboot: supervisor: 307 Temporary Redirect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var requests []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests = append(requests, r.Method+" "+r.URL.Path+" "+r.URL.Query().Get("apikey"))
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.answer)
			}))
			defer server.Close()
			err := New(Options{Address: server.URL + "/", Key: key}).Reboot(t.Context())
			if got := text(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if want := "POST /v1/reboot " + key; len(requests) != 1 || requests[0] != want {
				t.Errorf("requests %q, want one: %q", requests, want)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {Address: "http://127.0.0.1:48484"}, {Key: key}} {
		if s := New(o); s != nil || !errors.Is(s.Reboot(t.Context()), ErrAbsent) {
			t.Errorf("%d, %d characters of address and key: a supervisor", len(o.Address), len(o.Key))
		}
	}
}

// The key is in no error and no printed value, whatever goes wrong.
func TestKeyStaysSecret(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()

	for _, tt := range []struct {
		name, address string
		ctx           context.Context
		is            error
	}{
		{"nobody there", closed.URL, t.Context(), nil},
		{"no answer", "http://" + silent.Addr().String(), t.Context(), context.DeadlineExceeded},
		{"cancelled", "http://" + silent.Addr().String(), cancelled, context.Canceled},
		{"no URL", "http://[", t.Context(), nil},
		{"no scheme", "127.0.0.1:1", t.Context(), nil},
	} {
		s := New(Options{Address: tt.address, Key: key, Timeout: 50 * time.Millisecond})
		err := s.Reboot(tt.ctx)
		if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.is)
		}
		for _, printed := range []string{text(err), fmt.Sprintf("%v %+v %#v", s, s, *s)} {
			if strings.Contains(printed, "k3y") || strings.Contains(printed, "apikey") {
				t.Errorf("%s: the key is in %q", tt.name, printed)
			}
		}
	}
}
