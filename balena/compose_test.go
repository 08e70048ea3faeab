package balena

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// serviceKeys are what balena's supervisor takes for a service: its reference page "docker-compose.yml fields". build.target
// is among them and left out here, because livepush does not work with it.
func serviceKeys() []string {
	return strings.Fields(`build cap_add cap_drop cgroup_parent command cpu_shares cpu_quota cpuset devices depends_on dns
		dns_opt dns_search domainname entrypoint environment expose extra_hosts group_add healthcheck hostname image ipc labels
		mac_address mem_limit mem_reservation network_mode networks oom_kill_disable oom_score_adj pid pids_limit ports privileged
		read_only restart security_opt shm_size stop_grace_period stop_signal sysctls tmpfs ulimits user userns_mode volumes`)
}

// composeLine is one line of a compose file: a key with or without a value, or an element of a list.
var composeLine = regexp.MustCompile(`^((?:  )*)(?:(- )|([A-Za-z0-9_.-]+):(?: |$))("[^"]*"|[^"'{}\[\]&*!|>#%@]*)$`)

// A scalar is one value of a compose file with the keys that lead to it; lists add "-".
type scalar struct {
	path  []string
	value string
}

// readCompose reads the plain YAML that the compose file keeps to: block style, two blanks deep, one line a value.
func readCompose(text string) ([]scalar, error) {
	var scalars []scalar
	var path []string
	for i, line := range strings.Split(text, "\n") {
		if trimmed := strings.TrimSpace(line); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		m := composeLine.FindStringSubmatch(line)
		if m == nil || len(m[1])/2 > len(path) {
			return nil, fmt.Errorf("line %d is not plain: %s", i+1, line)
		}
		key := m[3]
		if m[2] != "" {
			key = "-"
		}
		path = append(slices.Clone(path[:len(m[1])/2]), key)
		scalars = append(scalars, scalar{path, strings.Trim(m[4], `"`)})
	}
	return scalars, nil
}

// lintCompose returns what balena would not take.
func lintCompose(text string) []string {
	if strings.Contains(text, "$") {
		return []string{"$: there is no substitution on balena"}
	}
	scalars, err := readCompose(text)
	if err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	complain := func(s scalar, format string, args ...any) {
		wrong = append(wrong, strings.Join(s.path, ".")+": "+fmt.Sprintf(format, args...))
	}
	named := make(map[string]bool)
	for _, s := range scalars {
		if len(s.path) == 2 && s.path[0] == "volumes" {
			named[s.path[1]] = true
		}
	}
	for _, s := range scalars {
		top := s.path[0]
		switch {
		case !slices.Contains([]string{"version", "services", "volumes"}, top):
			complain(s, "not a key that balena takes")
		case top == "version" && s.value != "2.4":
			complain(s, "%q: want 2.4", s.value)
		case top == "volumes" && (len(s.path) > 2 || len(s.path) == 2 && s.value != ""):
			complain(s, "a volume has no options on balena")
		case top == "services" && len(s.path) > 2:
			lintService(s, named, complain)
		}
	}
	return wrong
}

func lintService(s scalar, named map[string]bool, complain func(scalar, string, ...any)) {
	key, in := s.path[2], s.path[3:]
	volume, target, _ := strings.Cut(s.value, ":")
	switch {
	case !slices.Contains(serviceKeys(), key):
		complain(s, "not a key that balena takes")
	case key == "build" && (len(in) > 0 && !slices.Contains([]string{"context", "dockerfile", "args", "labels"}, in[0]) || strings.Contains(s.value, "..")):
		complain(s, "not in a build that livepush can follow")
	case key == "volumes" && len(in) > 0 && (in[0] != "-" || !named[volume] || !strings.HasPrefix(target, "/") || strings.Contains(target, ":")):
		complain(s, "%q: want a named volume", s.value)
	case key == "devices" && len(in) > 0 && !strings.HasPrefix(s.value, "/dev/"):
		complain(s, "%q: want nodes of /dev", s.value)
	case key == "depends_on" && len(in) > 0 && in[0] != "-":
		complain(s, "want a list")
	}
}

// settings returns every value of a file that keeps to the plain form, as "path = value".
func settings(t *testing.T, file string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	scalars, err := readCompose(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, s := range scalars {
		all = append(all, strings.Join(s.path, ".")+" = "+s.value)
	}
	return all
}

// composeFiles are the file that is pushed and its variants.
func composeFiles(t *testing.T) []string {
	t.Helper()
	variants, err := filepath.Glob("compose/*.yml")
	if err != nil || len(variants) < 2 {
		t.Fatalf("variants %q, %v", variants, err)
	}
	return append(variants, "../docker-compose.yml")
}

// Each file is what balena takes, and in each the gateway is built here, has its volume, time to stop and a bound of memory.
func TestComposeFiles(t *testing.T) {
	t.Parallel()
	for _, file := range composeFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range lintCompose(string(text)) {
			t.Errorf("%s: %s", file, wrong)
		}
		got := settings(t, file)
		for _, want := range []string{
			"services.gateway.build = .", "services.gateway.restart = always", "services.gateway.stop_grace_period = 30s",
			"services.gateway.mem_limit = 448m", "services.gateway.volumes.- = gateway-data:/data", "services.gateway.ports.- = 80:8080",
		} {
			if !slices.Contains(got, want) {
				t.Errorf("%s: no %s", file, want)
			}
		}
		hardened := strings.HasSuffix(file, "hardened.yml")
		if slices.Contains(got, "services.gateway.privileged = true") == hardened || slices.Contains(got, "services.gateway.cap_drop.- = ALL") != hardened {
			t.Errorf("%s: privileges do not fit its name", file)
		}
	}
}

// balena.yml names itself, and devices for which the Dockerfile has a build.
func TestBalenaYAML(t *testing.T) {
	t.Parallel()
	got := settings(t, "../balena.yml")
	for _, want := range []string{"type = sw.application", "data.supportedDeviceTypes.- = raspberry-pi", "data.defaultDeviceType = raspberrypi3"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	for _, s := range got {
		if device, ok := strings.CutPrefix(s, "data.supportedDeviceTypes.- = "); ok && !strings.HasPrefix(device, "raspberry") {
			t.Errorf("%s is no Raspberry Pi", device)
		}
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	got := settings(t, "../docker-compose.yml")
	if n := slices.IndexFunc(got, func(s string) bool {
		return strings.HasPrefix(s, "services.") && strings.Count(s, ".") == 1 && !strings.HasPrefix(s, "services.gateway")
	}); n >= 0 {
		t.Errorf("%s: by default there is the gateway alone", got[n])
	}
	for _, want := range []string{
		"services.gateway.build = .",
		"services.gateway.restart = always",
		"services.gateway.privileged = true",
		"services.gateway.volumes.- = gateway-data:/data",
		"services.gateway.ports.- = 80:8080",
		"services.gateway.labels.io.balena.features.supervisor-api = 1",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// The lint finds what it is there for.
func TestLintCompose(t *testing.T) {
	t.Parallel()
	tests := []struct{ line, want string }{
		{"    image: redis", ""},
		{"    depends_on:\n      - other", ""},
		{"    build:\n      context: balena", ""},
		{"    image: ${IMAGE}", "$: there is no substitution on balena"},
		{"    env_file: .env", "services.gateway.env_file: not a key that balena takes"},
		{"    volumes:\n      - /dev:/dev", `services.gateway.volumes.-: "/dev:/dev": want a named volume`},
		{"    volumes:\n      - other:/data", `services.gateway.volumes.-: "other:/data": want a named volume`},
		{"    volumes:\n      - data:/data:ro", `services.gateway.volumes.-: "data:/data:ro": want a named volume`},
		{"    build:\n      target: build", "services.gateway.build.target: not in a build that livepush can follow"},
		{"    devices:\n      - /sys:/sys", `services.gateway.devices.-: "/sys:/sys": want nodes of /dev`},
		{"    build: ../elsewhere", "services.gateway.build: not in a build that livepush can follow"},
		{"    depends_on:\n      other:\n        condition: service_healthy", "services.gateway.depends_on.other: want a list"},
		{"secrets:\n  key:", "secrets: not a key that balena takes"},
		{"    ports: [80:8080]", "line 6 is not plain:     ports: [80:8080]"},
	}
	for _, tt := range tests {
		got := strings.Join(lintCompose("version: \"2.4\"\nvolumes:\n  data:\nservices:\n  gateway:\n"+tt.line+"\n"), "\n")
		if got != tt.want && !strings.HasPrefix(got, tt.want+"\n") || tt.want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", tt.line, got, tt.want)
		}
	}
}
