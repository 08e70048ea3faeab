package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A variable holds a whole set: as it is, with \n for the ends of lines, or in base64. It goes before the file. One with mistakes
// gives way to the one that was right last, and get_config shows how long it is, not what it says.
func TestRulesInAVariable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(file, []byte(rulesOf(1, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	text := rulesOf(2, "")
	for _, value := range []string{text, strings.ReplaceAll(text, "\n", `\n`), base64.StdEncoding.EncodeToString([]byte(text))} {
		s := readSources("", variables("DATA_DIR", dir, "RULES_FILE", file, "RULES_TEXT", value))
		cfg, mistakes := s.load()
		if len(mistakes) > 0 || cfg.Rules == nil || cfg.Rules.Version != 2 || cfg.Rules.Origin != originVariable || cfg.Rules.Text != text {
			t.Errorf("%q: %v, %+v", value, joined(mistakes), cfg.Rules)
		}
		for _, v := range cfg.Values {
			if v.Key == "rules.text" && !strings.HasSuffix(v.Value, "bytes)") {
				t.Errorf("shown as %q", v.Value)
			}
		}
		if err := s.good(&cfg).keep(dir); err != nil {
			t.Fatal(err)
		}
	}
	s := readSources("", variables("DATA_DIR", dir, "RULES_TEXT", "version: 3\nrules: [{name: x}]\n"))
	cfg, mistakes := s.load()
	if len(mistakes) != 1 || !strings.Contains(mistakes[0].Error(), "rules.text:2: rules[0]: no kind") {
		t.Errorf("mistakes %v", joined(mistakes))
	}
	if cfg, _ = s.mend(cfg, mistakes); cfg.Rules == nil || cfg.Rules.Version != 2 {
		t.Errorf("what was right last is version %+v", cfg.Rules)
	}
}
