package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// fields reads one YAML mapping. Each reader notes what is wrong and returns a zero value then; end notes the keys that
// nobody asked for.
type fields struct {
	p      *problems
	path   string // rules[2].threshold
	node   *yaml.Node
	broken bool // it is no mapping, which is noted already
	values map[string]*yaml.Node
	lines  map[string]int
	asked  []string
}

// fields opens node as a mapping. Where node is something else, that is noted, and the result is broken and empty.
func (p *problems) fields(path string, node *yaml.Node) *fields {
	f := &fields{p: p, path: path, node: node, values: make(map[string]*yaml.Node), lines: make(map[string]int)}
	node = target(node)
	if node.Kind != yaml.MappingNode {
		f.bad("%s: want a mapping", shown(node))
		f.broken = true
		return f
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if line, ok := f.lines[key.Value]; ok {
			p.add(key.Line, f.sub(key.Value), "stands at line %d already", line)
			continue
		}
		f.values[key.Value], f.lines[key.Value] = node.Content[i+1], key.Line
	}
	return f
}

// target follows an alias to its anchor.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// shown is how an error shows a node.
func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if len(n.Value) > 60 {
		return fmt.Sprintf("%.60q…", n.Value)
	}
	return fmt.Sprintf("%q", n.Value)
}

func (f *fields) sub(key string) string {
	if len(key) > 60 {
		key = key[:60] + "…"
	}
	if f.path == "" {
		return key
	}
	return f.path + "." + key
}

func (f *fields) bad(format string, args ...any) { f.p.add(f.node.Line, f.path, format, args...) }

// badKey notes a mistake in the value of key, or in the mapping where key is missing.
func (f *fields) badKey(key, format string, args ...any) {
	line := f.node.Line
	if l, ok := f.lines[key]; ok {
		line = l
	}
	f.p.add(line, f.sub(key), format, args...)
}

// get returns the value of key, or nil.
func (f *fields) get(key string) *yaml.Node {
	if !slices.Contains(f.asked, key) {
		f.asked = append(f.asked, key)
	}
	if n, ok := f.values[key]; ok {
		return target(n)
	}
	return nil
}

func (f *fields) has(key string) bool { return f.values[key] != nil }

// end notes each key that nobody asked for and reports whether there was one.
func (f *fields) end() (unknown bool) {
	keys := make([]string, 0, len(f.values))
	for key := range f.values {
		if !slices.Contains(f.asked, key) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return f.lines[a] - f.lines[b] })
	for _, key := range keys {
		if near := Nearest(key, f.asked); near != "" {
			f.badKey(key, "no such key: did you mean %s?", near)
			continue
		}
		f.badKey(key, "no such key: want one of %s", strings.Join(f.asked, ", "))
	}
	return len(keys) > 0
}

// mapping opens the mapping under key; nil where the key is absent.
func (f *fields) mapping(key string) *fields {
	n := f.get(key)
	if n == nil {
		return nil
	}
	return f.p.fields(f.sub(key), n)
}

// list returns the elements of the list under key, which must be there.
func (f *fields) list(key string) []*yaml.Node {
	n := f.get(key)
	if n == nil || n.Kind != yaml.SequenceNode {
		f.badKey(key, "want a list")
		return nil
	}
	return n.Content
}

// element opens the i-th element of the list under key as a mapping.
func (f *fields) element(key string, i int, node *yaml.Node) *fields {
	return f.p.fields(fmt.Sprintf("%s[%d]", f.sub(key), i), node)
}

// text reads a string. The key must be there.
func (f *fields) text(key string, check func(string) error) string {
	n := f.get(key)
	if n == nil {
		f.badKey(key, "is missing")
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		f.badKey(key, "%s: want text (in quotes where it looks like something else)", shown(n))
		return ""
	}
	if err := check(n.Value); err != nil {
		f.badKey(key, "%v", err)
		return ""
	}
	return n.Value
}

// textOr reads a string where the key is there.
func (f *fields) textOr(key, absent string, check func(string) error) string {
	if f.get(key) == nil {
		return absent
	}
	return f.text(key, check)
}

// words reads a list of different strings. An absent key gives nil.
func (f *fields) words(key string, check func(string) error) []string {
	n := f.get(key)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || len(n.Content) > 64 {
		f.badKey(key, "want a list of 1 to 64 words")
		return nil
	}
	var words []string
	for i, element := range n.Content {
		word := target(element)
		path := fmt.Sprintf("%s[%d]", f.sub(key), i)
		switch err := check(word.Value); {
		case word.Kind != yaml.ScalarNode:
			f.p.add(element.Line, path, "%s: want a word", shown(word))
		case err != nil:
			f.p.add(element.Line, path, "%v", err)
		case slices.Contains(words, word.Value):
			f.p.add(element.Line, path, "%q stands in the list already", word.Value)
		default:
			words = append(words, word.Value)
		}
	}
	return words
}

// integer reads a whole number from least to most. The key must be there.
func (f *fields) integer(key string, least, most int) (int, bool) {
	n := f.get(key)
	if n == nil {
		f.badKey(key, "is missing: want a whole number from %d", least)
		return 0, false
	}
	var v int
	if n.ShortTag() != "!!int" || n.Decode(&v) != nil || v < least || v > most {
		f.badKey(key, "%s: want a whole number from %d to %d", shown(n), least, most)
		return 0, false
	}
	return v, true
}

// number reads a finite number, and whether the key is there and right.
func (f *fields) number(key string) (float64, bool) {
	n := f.get(key)
	if n == nil {
		return 0, false
	}
	var v float64
	tag := n.ShortTag()
	if tag != "!!int" && tag != "!!float" || n.Decode(&v) != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		f.badKey(key, "%s: want a number", shown(n))
		return 0, false
	}
	return v, true
}

// duration reads a duration from least to most. An absent key gives 0.
func (f *fields) duration(key string, least, most time.Duration) time.Duration {
	n := f.get(key)
	if n == nil {
		return 0
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil || n.Kind != yaml.ScalarNode {
		f.badKey(key, "%s: want a duration like 90s, 5m, 1h30m", shown(n))
		return 0
	}
	if d < least || d > most {
		f.badKey(key, "%v: want %v to %v", d, least, most)
		return 0
	}
	return d
}
