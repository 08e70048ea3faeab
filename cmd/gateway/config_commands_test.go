package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of variables into docs/configuration.md")

// The reference in docs/ holds the table that `gateway env` prints.
func TestConfigurationReference(t *testing.T) {
	const file, mark = "../../docs/configuration.md", "<!-- gateway env -->\n"
	var table bytes.Buffer
	if err := envCommand(t.Context(), nil, &table); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s has no line %q", file, mark)
	}
	want := before + mark + table.String()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(text) != want && !*update {
		t.Errorf("%s does not hold what `gateway env` prints; go test ./cmd/gateway -run Reference -update mends it", file)
	}
}
