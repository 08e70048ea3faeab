package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"holdfast/rules"
)

// applyYAML sets what the text says and returns every mistake with its place. where names the text in them.
func applyYAML(cfg *Config, where string, text []byte) []mistake {
	if len(strings.TrimSpace(string(text))) == 0 {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		line, why := rules.Malformed(text)
		return []mistake{{"", fmt.Errorf("%s:%d: %s", where, line, why)}}
	}
	if len(doc.Content) == 0 {
		return nil
	}
	f := file{where: where, cfg: cfg}
	f.section("", doc.Content[0])
	slices.SortStableFunc(f.mistakes, func(a, b placed) int { return a.line - b.line })
	var mistakes []mistake
	for _, m := range f.mistakes {
		mistakes = append(mistakes, m.mistake)
	}
	return mistakes
}

// A file is one configuration text on its way into a Config.
type file struct {
	where    string
	cfg      *Config
	mistakes []placed
}

// A placed is a mistake in a line of the text.
type placed struct {
	line int
	mistake
}

func (f *file) wrong(at *yaml.Node, path, format string, args ...any) {
	err := fmt.Errorf("%s:%d: %s: %s", f.where, at.Line, spell(path), fmt.Sprintf(format, args...))
	f.mistakes = append(f.mistakes, placed{at.Line, mistake{path, err}})
}

// spell returns a key as a message has it: quoted where it is empty, or holds what a reader would not see.
func spell(path string) string {
	hidden := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }
	if path == "" || strings.ContainsFunc(path, hidden) {
		return strconv.Quote(path)
	}
	return path
}

// section walks one mapping: a key is a scalar of the table, a list, or a mapping of more.
func (f *file) section(path string, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		f.wrong(node, path, "want keys and values")
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		switch {
		case at == "sensors":
			f.sensors(value)
		case at == "outputs":
			f.outputs(value)
		case at == "filters":
			f.filters(value)
		case value.Kind == yaml.MappingNode && isSection(at):
			f.section(at, value)
		default:
			f.scalar(at, key, value)
		}
	}
}

func isSection(path string) bool {
	return slices.ContainsFunc(scalars(), func(s scalar) bool { return strings.HasPrefix(s.path, path+".") })
}

func (f *file) scalar(path string, key, value *yaml.Node) {
	for _, s := range scalars() {
		if s.path != path {
			continue
		}
		if value.Kind != yaml.ScalarNode {
			f.wrong(value, path, "want one value")
		} else if err := s.set(f.cfg, value.Value); err != nil {
			f.wrong(value, path, "%v", err)
		}
		return
	}
	f.wrong(key, path, "%v", noSuchPath(path))
}

// each gives each key of a mapping and its value to set, and returns the keys about which there is a mistake.
func (f *file) each(path string, node *yaml.Node, set func(key string, value *yaml.Node) error) (wrong map[string]bool) {
	wrong = make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		before := len(f.mistakes)
		if err := set(key, value); err != nil {
			f.wrong(value, path+"."+key, "%v", err)
		}
		if len(f.mistakes) > before {
			wrong[key] = true
		}
	}
	return wrong
}

// noSuchKey is the mistake of a key that is none of those.
func noSuchKey(key string, keys ...string) error {
	if near := rules.Nearest(key, keys); near != "" {
		return fmt.Errorf("no such key: did you mean %s?", near)
	}
	return fmt.Errorf("no such key; want %s", strings.Join(keys, ", "))
}

// noSuchPath is noSuchKey for the keys that no list holds.
func noSuchPath(path string) error {
	paths := []string{"sensors", "outputs", "filters"}
	for _, s := range scalars() {
		section, _, _ := strings.Cut(s.path, ".")
		paths = append(paths, section, s.path)
	}
	if near := rules.Nearest(path, paths); near != "" && !isSection(path) {
		return fmt.Errorf("no such key: did you mean %s?", near)
	}
	return errors.New("no such key; `gateway env` lists them all")
}
