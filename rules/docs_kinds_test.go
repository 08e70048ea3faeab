package rules

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The rules that the pages on these kinds show are right.
func TestPagesOfKinds(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][]string{
		"anomaly":    {"odd_temperature"},
		"trend":      {"freezer_warms", "pressure_falls"},
		"expression": {"dew_point", "only_dust", "way"},
		"schedule":   {"morning"},
		"actions":    {"co2_high", "airing"},
	} {
		text, err := os.ReadFile("../docs/rules/" + kind + ".md")
		if err != nil {
			t.Fatal(err)
		}
		_, block, _ := strings.Cut(string(text), "```yaml\n")
		block, _, _ = strings.Cut(block, "```")
		set, err := Parse(kind+".md", []byte(block))
		if err != nil || !slices.Equal(set.Names(), want) {
			t.Errorf("%s: rules %q, %v, want %q", kind, set.Names(), err, want)
		}
	}
}
