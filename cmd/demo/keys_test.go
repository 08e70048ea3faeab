package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What is typed reaches the gateway's page, and what that refuses is said.
func TestKeys(t *testing.T) {
	t.Parallel()
	var asked []string
	chips := []chip{{Name: "bme280", Plugged: true}, {Name: "tmp102", Plugged: true, Fault: "hang"}, {Name: "sht3x"}, {Name: "sht4x"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Chip, Do, Press string }
		json.NewDecoder(r.Body).Decode(&body)
		if r.Method == http.MethodPost {
			asked = append(asked, strings.TrimPrefix(r.URL.Path, "/api/v1/")+" "+body.Do+body.Press+" "+body.Chip)
		}
		if body.Chip == "x" {
			w.WriteHeader(http.StatusBadRequest)
			w.Write([]byte(`{"detail":"no chip \"x\""}`))
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"chips": chips})
	}))
	defer server.Close()
	var out bytes.Buffer
	b := &bench{address: server.Listener.Addr().String(), out: &out}
	b.listen(t.Context(), strings.NewReader("p\nu bme280\nh\nc sht3x\nmend\n\nb\nb long\nplug x\nl\n?\n"))
	want := []string{"simulated plug sht3x", "simulated unplug bme280", "simulated hang tmp102", "simulated corrupt sht3x", "simulated mend tmp102",
		"button short ", "button long ", "simulated plug x"}
	if got := strings.Join(asked, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked\n%s", got)
	}
	for _, line := range []string{"plug: sht3x", `no chip "x"`, "plugged in hang", "in the drawer", "Keys"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is not in\n%s", line, out.String())
		}
	}
}
