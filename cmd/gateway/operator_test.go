package main

import (
	"io"
	"strings"
	"testing"

	"holdfast/internal/testenv"
)

// Where the broker takes neither name nor password, an operator is told where both come from.
func TestOperatorRefused(t *testing.T) {
	t.Parallel()
	host, port, _ := strings.Cut(testenv.Mosquitto(t, "allow_anonymous false").Addr, ":")
	for _, call := range []string{"command --username ann pi-7 ping", "shadow --username ann get pi-7", "command --username ann --all ping"} {
		words := strings.Fields(call)
		err := dispatch(t.Context(), append([]string{words[0], "--host", host, "--port", port}, words[1:]...), io.Discard)
		if err == nil {
			t.Fatalf("%s: taken", call)
		}
		for _, want := range []string{`"ann"`, "MQTT_USERNAME", "MQTT_PASSWORD", "HOLDFAST_JOIN"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v: lacks %s", call, err, want)
			}
		}
	}
}
