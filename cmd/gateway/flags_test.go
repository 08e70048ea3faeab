package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// -h prints how each subcommand is called, and is no error.
func TestHelp(t *testing.T) {
	t.Parallel()
	var calls [][]string
	for _, c := range subcommands() {
		calls = append(calls, []string{c.Name})
	}
	for _, c := range rulesCommands() {
		calls = append(calls, []string{"rules", c.Name})
	}
	for _, call := range append(calls, nil) {
		for _, ask := range []string{"-h", "--help"} {
			var out bytes.Buffer
			err := dispatch(t.Context(), append(slices.Clone(call), ask), &out)
			if err != nil || !strings.Contains(out.String(), strings.Join(append([]string{"gateway"}, call...), " ")) {
				t.Errorf("%v %s: %v\n%s", call, ask, err, out.String())
			}
		}
	}
	var out bytes.Buffer
	dispatch(t.Context(), []string{"command", "-h"}, &out)
	for _, want := range []string{"usage: gateway command DEVICE NAME [key=value …]\n", "-group", "-all", "-wait", "(default 10s)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// The lists of subcommands name all there is, in columns.
func TestHelpColumns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := dispatch(t.Context(), nil, &out); err != nil {
		t.Fatal(err)
	}
	var columns []int
	for _, c := range subcommands() {
		for line := range strings.Lines(out.String()) {
			if before, _, ok := strings.Cut(line, c.About); ok && strings.HasPrefix(line, "  gateway "+c.Name+" ") {
				columns = append(columns, utf8.RuneCountInString(before))
			}
		}
	}
	if len(columns) != len(subcommands()) || len(slices.Compact(columns)) != 1 {
		t.Errorf("columns %v in\n%s", columns, out.String())
	}
	for _, c := range rulesCommands() {
		if !strings.Contains(out.String(), c.Name+" FILE") && !strings.Contains(out.String(), c.Name+" ID") {
			t.Errorf("rules %s is not in\n%s", c.Name, out.String())
		}
	}
}

// A flag that is wrong is told once, with what would be right.
func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ call, want string }{
		{"rules rehearse x --last 24", `want a duration such as 24h`},
		{"command pi-7 ping --wait soon", `want a duration such as 24h`},
		{"command pi-7 ping --qos 1", "`gateway command -h` lists the flags"},
		{"scan --bus 1", "`gateway scan -h` lists the flags"},
		{"version --long", "`gateway version -h` lists the flags"},
	} {
		var out bytes.Buffer
		err := dispatch(t.Context(), strings.Fields(c.call), &out)
		if !errors.Is(err, errUsage) || strings.Count(err.Error(), c.want) != 1 || out.Len() > 0 {
			t.Errorf("%s: %v, printed %q", c.call, err, out.String())
		}
	}
}
