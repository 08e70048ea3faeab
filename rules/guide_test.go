package rules

import (
	"os"
	"strings"
	"testing"
)

// The rules that the guide shows are right.
func TestGuide(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## 5. Rules\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := strings.Split(section, "```yaml\n")[1:]
	names := 0
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		set, err := Parse("guide.md", []byte(block))
		if err != nil {
			t.Error(err)
		}
		names += len(set.Names())
	}
	if len(blocks) < 2 || names < 7 {
		t.Errorf("%d blocks with %d rules, want at least 2 with 7", len(blocks), names)
	}
}
