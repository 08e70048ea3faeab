package rules

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"holdfast"
)

// Example is a rules file that shows each kind of rule.
//
//go:embed example.yaml
var Example []byte

// MaxRules and MaxBytes bound a rules file.
const (
	MaxRules   = 1000
	MaxBytes   = 256 << 10
	maxVersion = 1<<31 - 1
)

// A Set is a parsed rules file.
type Set struct {
	Version int // the file's version: it goes into each record that a rule of the set makes
	Said    int // the same, but 0 where the text has mistakes and does not say it
	rules   []rule
}

// A rule is one definition of a set.
type rule struct {
	name    string
	kind    string
	program program
	actions []Action
	places  []place // of the actions in the file; none of a rule that was not read from one
}

// Names returns the names of the rules, in the order of the file.
func (s *Set) Names() []string {
	names := make([]string, len(s.rules))
	for i, r := range s.rules {
		names[i] = r.name
	}
	return names
}

// Parse reads a rules file. The error joins a [*Problem] for each mistake, all of them at once and in the order of their
// lines; file is only a name to show. The set is never nil and holds every rule that has no mistake, so that a set of which
// one rule is broken can still run.
func Parse(file string, text []byte) (*Set, error) {
	set := new(Set)
	p := &problems{file: file, text: text}
	if root := document(p, text); root == nil {
		set.Said = versionOf(text)
	} else if f := p.fields("", root); !f.broken {
		parseSet(f, set)
	}
	set.Version = max(set.Said, 1)
	return set, p.err()
}

// document returns the one document of a YAML text, or nil after noting what is wrong.
func document(p *problems, text []byte) *yaml.Node {
	if len(text) > MaxBytes {
		p.add(1, "", "%d bytes: at most %d", len(text), MaxBytes)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		p.add(1, "", "is empty: want version and rules")
		return nil
	case err != nil:
		p.addMalformed()
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		p.add(second.Line, "", "a second document: want one")
	} else if !errors.Is(err, io.EOF) {
		p.addMalformed()
	}
	if len(first.Content) == 0 {
		return nil
	}
	return first.Content[0]
}

// addMalformed notes why the text is no YAML.
func (p *problems) addMalformed() {
	line, why := Malformed(p.text)
	p.add(line, "", "%s", why)
}

func parseSet(f *fields, set *Set) {
	if version, ok := f.integer("version", 1, maxVersion); ok {
		set.Said = version
	}
	seen := make(map[string]int)
	left := room(maxBytes)
	for i, node := range f.list("rules") {
		if i == MaxRules {
			f.p.add(node.Line, "rules", "more than %d", MaxRules)
			break
		}
		before := f.p.count
		r := parseRule(f.element("rules", i, node), seen)
		if f.p.count == before && !left.take(r) {
			f.p.add(node.Line, fmt.Sprintf("rules[%d]", i), "rule %s is one too many: with those before it, each for one sensor, it would remember more than %d MB; want fewer rules or quantities, or shorter or coarser windows", r.name, maxBytes>>20)
		}
		if f.p.count == before {
			set.rules = append(set.rules, r)
		}
	}
	f.end()
}

// parseRule reads one rule. seen maps the names so far to their lines.
func parseRule(f *fields, seen map[string]int) rule {
	var r rule
	if f.broken {
		return r
	}
	r.name = f.text("name", holdfast.CheckRule)
	if line, ok := seen[r.name]; ok {
		f.badKey("name", "%q is the name of the rule at line %d too", r.name, line)
	} else if r.name != "" {
		seen[r.name] = f.node.Line
	}
	for _, k := range kinds {
		body := f.mapping(k.name)
		if body == nil {
			continue
		}
		if r.kind != "" {
			body.bad("a second kind beside %s: want one for each rule", r.kind)
			continue
		}
		r.kind = k.name
		if !body.broken {
			r.program = k.parse(body)
			body.end()
		}
	}
	r.actions, r.places = f.actions(r.kind)
	if unknown := f.end(); r.kind == "" && !unknown {
		f.bad("no kind: want one of %s", kindNames())
	}
	return r
}

func kindNames() string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}
