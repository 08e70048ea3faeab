package rules

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// A Problem is one mistake in a rules file.
type Problem struct {
	File string
	Line int
	Key  string // where in the file: rules[2].threshold.quantity; empty for the whole
	Text string // what is wrong, and what would be right
}

func (p *Problem) Error() string {
	if p.Key == "" {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Key, p.Text)
}

// maxProblems is how many mistakes of one file are told one by one.
const maxProblems = 100

// problems collects the mistakes of one file.
type problems struct {
	file  string
	text  []byte // of the file
	count int
	found []*Problem
}

func (p *problems) add(line int, key, format string, args ...any) {
	p.count++
	if p.count <= maxProblems {
		p.found = append(p.found, &Problem{p.file, line, key, fmt.Sprintf(format, args...)})
	}
}

// shows reports whether the value of a node stands in its line as it is.
func (p *problems) shows(n *yaml.Node) bool {
	lines := bytes.Split(p.text, []byte("\n"))
	return n.Line >= 1 && n.Line <= len(lines) && bytes.Contains(lines[n.Line-1], []byte(n.Value))
}

// err joins them in the order of their lines.
func (p *problems) err() error {
	slices.SortStableFunc(p.found, func(a, b *Problem) int { return a.Line - b.Line })
	var errs []error
	for _, problem := range p.found {
		errs = append(errs, problem)
	}
	if more := p.count - maxProblems; more > 0 {
		errs = append(errs, fmt.Errorf("%s: and %d more", p.file, more))
	}
	return errors.Join(errs...)
}

// Nearest returns the word that a typing mistake or two turn into text, or "".
func Nearest(text string, words []string) string {
	best, found := 3, ""
	for _, word := range words {
		if len(text) > 40 {
			break
		}
		if d := distance(text, word); d < best && d < len(word) {
			best, found = d, word
		}
	}
	return found
}

// distance is the number of letters to insert, delete or replace between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
