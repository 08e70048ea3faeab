package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The rules that the pages about the kinds show are rules.
func TestDocumented(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, kind := range []string{"threshold", "aggregate", "deadband", "rate", "absence"} {
		file := filepath.Join("..", "docs", "rules", kind+".md")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks := block.FindAllSubmatch(text, -1)
		if len(blocks) == 0 {
			t.Errorf("%s shows no rule", file)
		}
		for _, b := range blocks {
			set, err := Parse(file, b[1])
			if err != nil {
				t.Error(err)
			}
			for _, r := range set.rules {
				if r.kind != kind {
					t.Errorf("%s shows rule %s of kind %s", file, r.name, r.kind)
				}
			}
		}
	}
}
