package rules

import (
	"bytes"
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

// The set that the page about sets shows is one, and the page leads to every kind.
func TestPageOfSets(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "rules", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("it shows no set")
	}
	if set, err := Parse("README.md", block[1]); err != nil || len(set.Names()) == 0 {
		t.Errorf("%v: %v", set.Names(), err)
	}
	for _, k := range kinds {
		if !bytes.Contains(text, []byte("["+k.name+"]("+k.name+".md)")) {
			t.Errorf("nothing leads to %s", k.name)
		}
	}
}
