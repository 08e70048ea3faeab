package balena

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// A group is what livepush does again when one of its files changes: it copies the file in, runs the commands, and goes on
// with all later groups. These are the rules of balena-io-modules/livepush, lib/stage.ts: a COPY begins a group, the RUNs
// behind it belong to it, a WORKDIR begins another; the first dev-cmd-live ends the stage that runs.
type group struct {
	workdir  string
	sources  []string
	commands []string
}

// liveGroups returns the groups of the stage that a live container runs, and its command. The directives are read as
// livepush does: dev-run and dev-copy count as RUN and COPY of the live container alone.
func liveGroups(text string) (groups []group, command string) {
	current := group{workdir: "/"}
	flush := func() {
		if len(current.sources)+len(current.commands) > 0 {
			groups = append(groups, current)
		}
	}
	copied := false
	for _, in := range readDockerfile(text) {
		switch in.name {
		case "WORKDIR":
			flush()
			current = group{workdir: in.arguments}
		case "COPY", "dev-copy":
			if !copied {
				flush()
				current = group{workdir: current.workdir}
			}
			files := strings.Fields(in.arguments)
			for _, f := range files[:len(files)-1] {
				current.sources = append(current.sources, path.Clean(f))
			}
		case "RUN", "dev-run":
			current.commands = append(current.commands, in.arguments)
		case "dev-cmd-live":
			flush()
			return groups, in.arguments
		}
		copied = in.name == "COPY" || in.name == "dev-copy"
	}
	return nil, ""
}

// actions returns the commands that run when the file changes, in their order.
func actions(groups []group, file string) (commands []string) {
	first := slices.IndexFunc(groups, func(g group) bool {
		return slices.ContainsFunc(g.sources, func(s string) bool { return s == "." || s == file || strings.HasPrefix(file, s+"/") })
	})
	if first < 0 {
		return nil
	}
	for _, g := range groups[first:] {
		commands = append(commands, g.commands...)
	}
	return commands
}

// Which changed file makes livepush do what: with the modules' files both steps, with any other the build alone; and what it
// does not watch nothing.
func TestLivepush(t *testing.T) {
	t.Parallel()
	groups, command := liveGroups(dockerfile(t))
	if command != "exec gateway run" { // exec: a stop reaches the gateway, not a shell
		t.Errorf("live command %q", command)
	}
	for file, want := range map[string][]string{
		"go.mod":                     {"go mod download", "go build"},
		"go.sum":                     {"go mod download", "go build"},
		"reading.go":                 {"go build"},
		"cmd/gateway/run.go":         {"go build"},
		"sensors/bme280.go":          {"go build"},
		"dashboard/static/panels.js": {"go build"}, // embedded
	} {
		got := actions(groups, file)
		if len(got) != len(want) {
			t.Errorf("%s: %d commands %q, want %q", file, len(got), got, want)
			continue
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("%s: command %d is %q, want %s", file, i, got[i], want[i])
			}
		}
	}
	for _, g := range groups {
		if len(g.sources) > 0 && g.workdir != "/src" {
			t.Errorf("group of %q works in %s", g.sources, g.workdir)
		}
	}
}

func TestLiveGroups(t *testing.T) {
	t.Parallel()
	groups, command := liveGroups(`FROM golang:1.26-alpine AS build
RUN apk add git
WORKDIR /src
COPY a b ./
COPY lib ./
RUN one
COPY . .
RUN two
#dev-run=three
#dev-copy=extra /extra
#dev-run=four
#dev-cmd-live=live
RUN never
FROM alpine:3.22
`)
	if command != "live" {
		t.Errorf("command %q", command)
	}
	for file, want := range map[string]string{
		"a": "one two three four", "lib/x.go": "one two three four", "c.go": "two three four", "library": "two three four",
	} {
		if got := strings.Join(actions(groups, file), " "); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	if groups[0].workdir != "/" || strings.Join(groups[0].commands, " ") != "apk add git" {
		t.Errorf("first group %+v", groups[0])
	}
	if _, command := liveGroups("FROM alpine:3.22\nCMD x\n"); command != "" {
		t.Errorf("without directives: %q", command)
	}
}
