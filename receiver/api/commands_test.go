package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/receiver/store"
)

// request sends a body and returns status, content type and answer.
func request(t *testing.T, method, url, body string) (status int, kind, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, got.Header.Get("Content-Type"), string(text)
}

// A step is one request and what its answer holds.
type step struct {
	method, path, body string
	status             int
	holds              string
}

func steps(t *testing.T, url string, all []step) {
	t.Helper()
	for _, s := range all {
		status, kind, answer := request(t, s.method, url+s.path, s.body)
		if status != s.status || !strings.Contains(answer, s.holds) || status >= 400 && kind != "application/problem+json" {
			t.Errorf("%s %s %.100s: status %d, %s, %.1000s; want %d, %s", s.method, s.path, s.body, status, kind, answer, s.status, s.holds)
		}
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	r, web := serve(t, seed)
	const post, get, remove = http.MethodPost, http.MethodGet, http.MethodDelete
	later := noon.Add(time.Hour).Format(time.RFC3339)
	large := `{"name":"set_rules","args":{"yaml":"` + strings.Repeat("x", holdfast.MaxCommandBytes) + `"}}`
	url := web.URL + "/api/v1/devices/"
	steps(t, url, []step{
		{get, "pi-7/commands", "", 200, `{"commands":[]}`},
		{post, "pi-7/commands", `{"id":"a","name":"set_interval","args":{"seconds":5},"expires":"` + later + `","from":"ops"}`, 200,
			`"id":"a","name":"set_interval","args":{"seconds":5},"from":"ops","state":"kept","received_at":"2026-05-01T12:10:00Z","expires_at":"2026-05-01T13:00:00Z"`},
		{post, "pi-7/commands", `{"id":"a","name":"stop"}`, 200, `"name":"set_interval"`}, // the id makes it happen once
		{post, "pi-7/commands", `{"name":"ping"}`, 200, `"from":"api","state":"kept"`},
		{post, "pi-7/commands", `{"name":"ping","expires":"2026-05-01T12:00:00Z"}`, 422, "has passed"},
		{post, "pi-7/commands", `{"name":"Ping"}`, 422, "want a letter a-z"},
		{post, "pi-7/commands", `{}`, 422, "name"},
		{post, "pi-7/commands", `{"name":"ping","more":1}`, 422, "more"},
		{post, "pi-7/commands", `x`, 400, ""},
		{post, "pi-7/commands", large, 422, "want at most 65536"},
		{post, "pi-1/commands", `{"name":"ping"}`, 404, "/api/v1/devices"},
		{get, "pi-1/commands", "", 404, "/api/v1/devices"},
		{get, "pi-7/commands?limit=1000", "", 422, "limit"},
		{get, "pi-7/commands?limit=1", "", 200, `"name":"ping"`},
		{get, "pi-7/commands/a", "", 200, `"state":"kept"`},
		{get, "pi-7/commands/b", "", 404, "/api/v1/devices/pi-7/commands"},
		{remove, "pi-7/commands/b", "", 404, "/api/v1/devices/pi-7/commands"},
		{remove, "pi-7/commands/a", "", 204, ""},
		{remove, "pi-7/commands/a", "", 409, "settled already"},
		{get, "pi-7/commands/a", "", 200, `"state":"withdrawn"`},
	})
	err := r.Store.Write(t.Context(), func(tx *store.Tx) error {
		answer := &holdfast.Result{V: 1, ID: "a", Name: "set_interval", State: holdfast.Failed, Error: &holdfast.Fault{Code: "invalid_argument", Message: "no"}}
		return tx.AnswerCommand("pi-7", answer, noon)
	})
	if err != nil {
		t.Fatal(err)
	}
	steps(t, url, []step{{get, "pi-7/commands/a", "", 200, `"state":"failed"`}, {get, "pi-7/commands/a", "", 200, `"error":{"code":"invalid_argument","message":"no"}`}})
	for i := range store.MaxWaiting - 1 {
		steps(t, url, []step{{post, "pi-7/commands", fmt.Sprintf(`{"id":"c%d","name":"ping"}`, i), 200, "kept"}})
	}
	steps(t, url, []step{{post, "pi-7/commands", `{"name":"ping"}`, 429, "100 commands wait already for pi-7"}, {post, "pi-7/commands", `{"id":"c7","name":"ping"}`, 200, "kept"}})
	if got := send(t, http.MethodDelete, url+"pi-7/commands/c7", "Sec-Fetch-Site", "cross-site"); got != http.StatusForbidden {
		t.Errorf("of another site: status %d, want 403", got)
	}
}

func TestShadow(t *testing.T) {
	t.Parallel()
	_, web := serve(t, func(tx *store.Tx) error {
		if err := seed(tx); err != nil {
			return err
		}
		if _, err := tx.Seen("pi-8", store.StatusActive, true, noon); err != nil {
			return err
		}
		return tx.PutShadow(store.Shadow{
			Device: "pi-7", Document: json.RawMessage(`{"state":{"desired":{"groups":["a"]}},"version":17}`), Published: noon,
			Desired: json.RawMessage("{}"), Rejection: json.RawMessage(`{"code":409,"message":"version 16: the current one is 17"}`), Rejected: noon,
		})
	})
	const patch, get, remove = http.MethodPatch, http.MethodGet, http.MethodDelete
	steps(t, web.URL+"/api/v1/devices/", []step{
		{get, "pi-8/shadow", "", 200, `{}`},
		{get, "pi-1/shadow", "", 404, "/api/v1/devices"},
		{get, "pi-7/shadow", "", 200, `"published_at":"2026-05-01T12:00:00Z"`},
		{get, "pi-7/shadow", "", 200, `"rejected":{"code":409,"message":"version 16: the current one is 17","time":"2026-05-01T12:00:00Z"}`},
		{patch, "pi-7/shadow", `{"desired":{"measuring":false},"version":16}`, 409, "version 16: the current one is 17"},
		{patch, "pi-7/shadow", `{"desired":{"measuring":false,"groups":["b"]},"version":17}`, 200, `"waiting":{"desired":{"groups":["b"],"measuring":false},"version":17,`},
		{http.MethodPost, "pi-7/shadow", `{"desired":{"measuring":true}}`, 200, `"desired":{"groups":["b"],"measuring":true},"version":17`},
		{patch, "pi-7/shadow", `{"desired":{"measuring":null},"clientToken":"t-7"}`, 200, `"clientToken":"t-7"`},
		{get, "pi-7/shadow", "", 200, `{"document":{"state":{"desired":{"groups":["a"]}},"version":17},"published_at":"2026-05-01T12:00:00Z","waiting"`},
		{patch, "pi-8/shadow", `{"desired":{"measuring":true},"version":3}`, 200, `"version":3`}, // nobody knows better
		{patch, "pi-7/shadow", `{"desired":{"colour":1}}`, 422, "no such setting"},
		{patch, "pi-7/shadow", `{"desired":{}}`, 422, "desired"},
		{patch, "pi-7/shadow", `{"desired":{"groups":["` + strings.Repeat("x", holdfast.MaxCommandBytes) + `"]}}`, 422, "groups"},
		{patch, "pi-1/shadow", `{"desired":{"measuring":true}}`, 404, "/api/v1/devices"},
		{remove, "pi-7/shadow", "", 204, ""},
		{get, "pi-7/shadow", "", 200, `"waiting":{"desired":{"groups":null,"measuring":null}`},
		{remove, "pi-1/shadow", "", 404, "/api/v1/devices"},
	})
}

// The secrets of a broker that devices are to go to stand in no answer, and not in the database once the command is settled.
func TestSecretsOfCommands(t *testing.T) {
	t.Parallel()
	r, web := serve(t, seed)
	const broker = `{"uplink.broker":{"host":"b","port":1,"username":"u","password":"hush-hush"}}`
	url := web.URL + "/api/v1/devices/pi-7/"
	for _, s := range []step{
		{http.MethodPost, "commands", `{"id":"a","name":"set_config","args":{"settings":` + broker + `}}`, 200, `"password":"(set)"`},
		{http.MethodGet, "commands", "", 200, `"password":"(set)"`},
		{http.MethodPatch, "shadow", `{"desired":` + broker + `}`, 200, `"password":"(set)"`},
		{http.MethodGet, "shadow", "", 200, `"password":"(set)"`},
	} {
		steps(t, url, []step{s})
		if _, _, answer := request(t, s.method, url+s.path, s.body); strings.Contains(answer, "hush") {
			t.Errorf("%s %s: %s", s.method, s.path, answer)
		}
	}
	held := func() string {
		all, err := r.Store.Commands(t.Context(), "pi-7", "a", 1)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d commands, %v", len(all), err)
		}
		return string(all[0].Payload)
	}
	if !strings.Contains(held(), "hush-hush") {
		t.Error("the device would not get the password")
	}
	if err := r.Store.Write(t.Context(), func(tx *store.Tx) error {
		return tx.AnswerCommand("pi-7", &holdfast.Result{V: 1, ID: "a", Name: "set_config", State: holdfast.Succeeded}, noon)
	}); err != nil {
		t.Fatal(err)
	}
	if text := held(); text != "" {
		t.Errorf("settled, and holds %s", text)
	}
}
