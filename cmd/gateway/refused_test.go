package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The variables of the button, in every spelling; a bad value is an error, and the default holds.
func TestButtonVariables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ variable, value, want, mistake string }{
		{"BUTTON_EVENT", "RAISING", "rising up 30ms", ""},
		{"BUTTON_EVENT", "raising", "rising up 30ms", ""},
		{"BUTTON_EVENT", "Rising", "rising up 30ms", ""},
		{"BUTTON_EVENT", "FALLING", "falling up 30ms", ""},
		{"BUTTON_EVENT", "BOTH", "falling up 30ms", `variable BUTTON_EVENT: "BOTH": want one of falling, rising`},
		{"BUTTON_PULL_UP_DOWN", "DOWN", "falling down 30ms", ""},
		{"BUTTON_PULL_UP_DOWN", "sideways", "falling up 30ms", `variable BUTTON_PULL_UP_DOWN: "sideways": want one of up, down, none`},
		{"BUTTON_BOUNCE_MILLIS", "200", "falling up 200ms", ""},
		{"BUTTON_BOUNCE_MILLIS", "-1", "falling up 30ms", `variable BUTTON_BOUNCE_MILLIS: "-1": want a whole number from 1 to 1000`},
	} {
		cfg, err := loadConfig("", variables("BUTTON_PIN", "17", tt.variable, tt.value))
		if got := fmt.Sprint(cfg.Button.Edge, " ", cfg.Button.Pull, " ", cfg.Button.Bounce); got != tt.want || cfg.Button.Pin != "17" {
			t.Errorf("%s=%s: %s on %q, want %s on 17", tt.variable, tt.value, got, cfg.Button.Pin, tt.want)
		}
		if (err == nil) != (tt.mistake == "") || err != nil && err.Error() != tt.mistake {
			t.Errorf("%s=%s: error %v, want %q", tt.variable, tt.value, err, tt.mistake)
		}
	}
}

// wrongPin is a button whose line cannot be had.
type wrongPin struct{}

func (wrongPin) Run(context.Context) error {
	return fmt.Errorf("button on line 2: BCM 2 is a wire of i2c-1, which is in use: take another pin, or switch that bus off")
}

// A button that is refused is told of, and measuring goes on.
func TestButtonRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := watch(t, t.TempDir(), nil, func(w *world) { w.button = wrongPin{} })
		time.Sleep(time.Minute)
		if got := strings.Join(d.notices.all(), "\n"); !strings.Contains(got, "BCM 2 is a wire of i2c-1") || strings.Count(got, "\n") > 0 {
			t.Errorf("notices %q", got)
		}
		for _, s := range d.world.source.Sensors() {
			if s.Samples < 50 {
				t.Errorf("%s: %d samples in a minute", s.Name, s.Samples)
			}
		}
		d.end(t)
	})
}
