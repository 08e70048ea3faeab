package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// -h prints how each subcommand and each verb is called, is no error, and makes no database.
func TestHelp(t *testing.T) {
	t.Parallel()
	calls := [][]string{nil, {"command", "list"}, {"command", "withdraw"}, {"acl", "mosquitto"}}
	for _, c := range subcommands() {
		calls = append(calls, []string{c.Name})
	}
	for _, c := range deviceVerbs() {
		calls = append(calls, []string{"device", c.Name})
	}
	for _, c := range operatorVerbs() {
		calls = append(calls, []string{"operator", c.Name})
	}
	for _, call := range calls {
		for _, ask := range []string{"-h", "--help"} {
			var out bytes.Buffer
			err := dispatch(t.Context(), append(slices.Clone(call), ask), &out)
			if want := strings.Join(append([]string{"receiver"}, call[:min(len(call), 1)]...), " "); err != nil || !strings.Contains(out.String(), want) {
				t.Errorf("%v %s: %v\n%s", call, ask, err, out.String())
			}
		}
	}
	for call, want := range map[string]string{"device": "suspend", "operator": "remove", "device add": "-location", "command": "-expires", "serve": "RECEIVER_LISTEN"} {
		var out bytes.Buffer
		dispatch(t.Context(), append(strings.Fields(call), "-h"), &out)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: %q is not in\n%s", call, want, out.String())
		}
	}
}

// What is wrong is told once, with what would be right.
func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]string{
		"command pi-7 ping --wait 5":  "want a duration such as 24h",
		"version --long":              "`receiver version -h` lists the flags",
		"device list --nonsense":      "`-h` lists the flags",
		"device approve pi-7":         `no subcommand "approve"`,
		"operator":                    "want one of the subcommands of receiver operator",
		"completeness --nonsense pi7": "`-h` lists the flags",
	} {
		var out bytes.Buffer
		err := dispatch(t.Context(), strings.Fields(call), &out)
		if !errors.Is(err, errUsage) || strings.Count(err.Error(), want) != 1 || out.Len() > 0 {
			t.Errorf("%s: %v, printed %q", call, err, out.String())
		}
	}
}
