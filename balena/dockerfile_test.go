package balena

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// An instruction of a Dockerfile, or a livepush directive: then name is dev-cmd-live or the like.
type instruction struct{ name, arguments string }

var directive = regexp.MustCompile(`^#\s*(dev-[a-z-]+)=(.+)`)

// readDockerfile joins continued lines and leaves comments out.
func readDockerfile(text string) []instruction {
	var instructions []instruction
	var line string
	for _, part := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(part)
		if m := directive.FindStringSubmatch(trimmed); m != nil {
			instructions = append(instructions, instruction{m[1], m[2]})
		}
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		var more bool
		part, more = strings.CutSuffix(trimmed, `\`)
		if line += part; more {
			continue
		}
		name, arguments, _ := strings.Cut(line, " ")
		instructions = append(instructions, instruction{name, strings.TrimSpace(arguments)})
		line = ""
	}
	return instructions
}

var (
	variable = regexp.MustCompile(`%%[^%]*%%`)
	heredoc  = regexp.MustCompile(`<<-?["']?[A-Za-z]`)
	image    = regexp.MustCompile(`^(golang:[0-9.]+-alpine|alpine:[0-9.]+)( AS [a-z]+)?$`)
	secret   = regexp.MustCompile(`(?i)(key|secret|token|passw)[a-z_]*=`)
	buildKit = regexp.MustCompile(`--(mount|network|security|platform|link|chmod|parents|exclude|keep-git-dir|checksum)\b|\b(TARGET|BUILD)(PLATFORM|ARCH|OS|VARIANT)\b`)
)

// lintDockerfile returns what balena's builders or livepush would not take.
func lintDockerfile(text string) []string {
	var wrong []string
	complain := func(what, where string) { wrong = append(wrong, what+": "+where) }
	if regexp.MustCompile(`(?mi)^#\s*(syntax|check)\s*=`).MatchString(text) {
		complain("BuildKit directive", "syntax")
	}
	for _, v := range variable.FindAllString(text, -1) {
		if v != "%%BALENA_ARCH%%" && v != "%%BALENA_MACHINE_NAME%%" {
			complain("no template variable of balena", v)
		}
	}
	instructions := readDockerfile(text)
	live := 0
	for i, in := range instructions {
		switch in.name {
		case "FROM":
			if !image.MatchString(in.arguments) {
				complain("not an official multi-arch image in the form that livepush reads", in.arguments)
			}
		case "dev-cmd-live":
			live++
			if !slices.ContainsFunc(instructions[:i], func(before instruction) bool { return strings.Contains(before.arguments, "go build") }) {
				complain("before the build, so that livepush would not build again", in.name)
			}
		case "ADD":
			complain("livepush does not take it", in.name)
		case "ENV", "ARG":
			if secret.MatchString(in.arguments) {
				complain("a secret", in.arguments)
			}
		case "RUN", "COPY", "WORKDIR", "EXPOSE", "HEALTHCHECK", "CMD", "dev-run", "dev-copy", "dev-env":
		default:
			complain("unexpected instruction", in.name)
		}
		if buildKit.MatchString(in.arguments) || heredoc.MatchString(in.arguments) {
			complain("BuildKit syntax", in.arguments)
		}
	}
	if live != 1 {
		complain("want dev-cmd-live once", strings.Repeat("#", live))
	}
	return wrong
}

func dockerfile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../Dockerfile.template")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	text := dockerfile(t)
	for _, wrong := range lintDockerfile(text) {
		t.Error(wrong)
	}
	instructions := readDockerfile(text)
	for _, want := range []instruction{
		{"COPY", "go.mod go.sum ./"}, {"RUN", "go mod download"}, {"CMD", `["gateway", "run"]`}, {"EXPOSE", "8080"}, {"dev-cmd-live", "exec gateway run"},
	} {
		if !slices.Contains(instructions, want) {
			t.Errorf("no %s %s", want.name, want.arguments)
		}
	}

	// A live container runs the build stage: it needs the environment of the last one.
	var environments []string
	for _, in := range instructions {
		if in.name == "ENV" && strings.Contains(in.arguments, "DATA_DIR") {
			environments = append(environments, in.arguments)
		}
		if in.name == "HEALTHCHECK" && !strings.HasSuffix(in.arguments, `CMD ["gateway", "health"]`) {
			t.Errorf("health check %q", in.arguments)
		}
	}
	if len(environments) != 2 || environments[0] != environments[1] || !strings.Contains(environments[0], "DATA_DIR=/data") {
		t.Errorf("environments of the stages %q, want the same twice", environments)
	}

	// The builder is as new as go.mod asks.
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	if m == nil || !strings.Contains(text, "FROM golang:"+string(m[1])+"-alpine ") {
		t.Errorf("go.mod wants Go %s, the Dockerfile another", m)
	}
}

// The step that builds is run by a real shell, once for each architecture that balena may put in.
func TestDockerfileArchitectures(t *testing.T) {
	t.Parallel()
	var step string
	for _, in := range readDockerfile(dockerfile(t)) {
		if in.name == "RUN" && strings.Contains(in.arguments, "go build") {
			step = in.arguments
		}
	}
	for arch, want := range map[string]string{"rpi": "arm 6", "armv7hf": "arm 6", "aarch64": "arm64", "amd64": "amd64", "vax": "exit status 1"} {
		command := exec.Command("sh", "-c", `go() { echo "$GOARCH $GOARM" "$@"; }; `+strings.ReplaceAll(step, "%%BALENA_ARCH%%", arch))
		command.Env = []string{"PATH=" + os.Getenv("PATH")}
		out, err := command.Output()
		got, build, _ := strings.Cut(string(out), " build ")
		if err != nil {
			got = err.Error()
		} else if !strings.HasSuffix(build, "-o /usr/local/bin/gateway ./cmd/gateway\n") {
			t.Errorf("%s: builds %q", arch, build)
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: %q, want %q", arch, got, want)
		}
	}
}

// The lint finds what it is there for.
func TestLintDockerfile(t *testing.T) {
	t.Parallel()
	good := "FROM golang:1.26-alpine AS build\nCOPY . .\nRUN go build\n#dev-cmd-live=gateway run\nFROM alpine:3.22\n"
	if wrong := lintDockerfile(good); wrong != nil {
		t.Errorf("good: %q", wrong)
	}
	tests := []struct{ from, to, want string }{
		{"FROM golang", "# syntax=docker/dockerfile:1\nFROM golang", "BuildKit directive: syntax"},
		{"RUN go", "RUN --mount=type=cache,target=/root/.cache go", "BuildKit syntax: --mount=type=cache,target=/root/.cache go build"},
		{"RUN go build", "RUN go build && \\\n  cat <<EOF", "BuildKit syntax: go build && cat <<EOF"},
		{"RUN go build", "RUN GOARCH=$TARGETARCH go build", "BuildKit syntax: GOARCH=$TARGETARCH go build"},
		{"COPY . .", "COPY --link . .", "BuildKit syntax: --link . ."},
		{"COPY . .", "ADD . .", "livepush does not take it: ADD"},
		{"alpine:3.22", "alpine:latest", "not an official multi-arch image in the form that livepush reads: alpine:latest"},
		{"alpine:3.22", "--platform=linux/arm alpine:3.22", "not an official multi-arch image in the form that livepush reads: --platform=linux/arm alpine:3.22"},
		{"alpine:3.22", "balenalib/%%BALENA_MACHINE%%", "no template variable of balena: %%BALENA_MACHINE%%"},
		{"RUN go build\n#dev-cmd-live=gateway run", "#dev-cmd-live=gateway run\nRUN go build", "before the build, so that livepush would not build again: dev-cmd-live"},
		{"#dev-cmd-live=gateway run\n", "", "want dev-cmd-live once: "},
		{"COPY . .", "ENV MQTT_PASSWORD=1", "a secret: MQTT_PASSWORD=1"},
	}
	for _, tt := range tests {
		text := strings.Replace(good, tt.from, tt.to, 1)
		if got := lintDockerfile(text); !slices.Contains(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.to, got, tt.want)
		}
	}
}
