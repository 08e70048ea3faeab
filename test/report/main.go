// Command report writes docs/reliability.md and docs/benchmarks.md from what tests and benchmarks noted while they ran
// (package proof). Of what was noted twice the newer word counts. It changes a page only where the file has lines for it,
// so that a run of the benchmarks leaves the other page alone.
//
// usage: report FILE FOLDER
package main

import (
	"bufio"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"holdfast/internal/proof"
)

//go:embed reliability.md.tmpl
var reliability string

//go:embed benchmarks.md.tmpl
var benchmarks string

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: report FILE FOLDER")
		os.Exit(2)
	}
	if err := report(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func report(file, folder string) error {
	lines, err := read(file)
	if err != nil {
		return err
	}
	for name, page := range map[string]struct {
		text string
		of   func(proof.Line) (part, what string, ok bool)
	}{
		"reliability.md": {reliability, trial},
		"benchmarks.md":  {benchmarks, figure},
	} {
		parts := gather(lines, page.of)
		if len(parts) == 0 {
			continue
		}
		if err := write(filepath.Join(folder, name), page.text, parts); err != nil {
			return err
		}
	}
	return nil
}

func trial(l proof.Line) (part, what string, ok bool) {
	if l.Trial == nil {
		return "", "", false
	}
	return l.Trial.Part, l.Trial.Place + "|" + l.Trial.Fault, true
}

func figure(l proof.Line) (part, what string, ok bool) {
	if l.Figure == nil {
		return "", "", false
	}
	return l.Figure.Part, l.Figure.Name, true
}

func read(file string) ([]proof.Line, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []proof.Line
	for in := bufio.NewScanner(f); in.Scan(); {
		var l proof.Line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// A Part is a heading with its lines.
type Part struct {
	Name  string
	Lines []proof.Line
}

// A Table is lines of a part that one thing must hold for, at one place.
type Table struct {
	Place, Holds string
	Tests        []string // that tried, without what they call their cases
	Lines        []proof.Line
}

// Tables returns the lines of a part that belong together. Those that share what must hold with no other stand in one table,
// where Holds is empty and each line says it.
func (p *Part) Tables() []*Table {
	alike := map[string]int{}
	for _, l := range p.Lines {
		alike[l.Trial.Holds]++
	}
	var tables []*Table
	for _, l := range p.Lines {
		holds := l.Trial.Holds
		if alike[holds] == 1 {
			holds = ""
		}
		i := slices.IndexFunc(tables, func(t *Table) bool { return t.Place == l.Trial.Place && t.Holds == holds })
		if i < 0 {
			i = len(tables)
			tables = append(tables, &Table{Place: l.Trial.Place, Holds: holds})
		}
		t := tables[i]
		t.Lines = append(t.Lines, l)
		if name, _, _ := strings.Cut(l.Trial.Test, "/"); !slices.Contains(t.Tests, name) {
			t.Tests = append(t.Tests, name)
		}
	}
	slices.SortStableFunc(tables, func(t, u *Table) int { return cmp.Compare(t.Place, u.Place) })
	return tables
}

// gather sorts lines under their headings, in the order in which these first came. Of two lines about the same thing the
// later one counts.
func gather(lines []proof.Line, of func(proof.Line) (part, what string, ok bool)) []*Part {
	var parts []*Part
	for _, l := range lines {
		name, what, ok := of(l)
		if !ok {
			continue
		}
		i := slices.IndexFunc(parts, func(p *Part) bool { return p.Name == name })
		if i < 0 {
			i = len(parts)
			parts = append(parts, &Part{Name: name})
		}
		p := parts[i]
		same := func(o proof.Line) bool { _, other, _ := of(o); return other == what }
		if j := slices.IndexFunc(p.Lines, same); j >= 0 {
			p.Lines[j] = l
			continue
		}
		p.Lines = append(p.Lines, l)
	}
	return parts
}

// page is what a template sees.
type page struct {
	Parts           []*Part
	First, Last     time.Time
	Commits         []string
	Lines, Failed   int
	Figures, Missed int
}

// Part returns the lines of a heading, and takes it off the list of those that Rest returns.
func (p *page) Part(name string) *Part {
	i := slices.IndexFunc(p.Parts, func(q *Part) bool { return q.Name == name })
	if i < 0 {
		return &Part{Name: name}
	}
	found := p.Parts[i]
	p.Parts = slices.Delete(p.Parts, i, i+1)
	return found
}

// Rest returns the headings that the template has not asked for.
func (p *page) Rest() []*Part { return p.Parts }

func write(name, text string, parts []*Part) error {
	p := &page{Parts: parts}
	for _, l := range slices.Concat(lists(parts)...) {
		p.Lines++
		if simulated := l.When.Year() < 2020; !simulated && (p.First.IsZero() || l.When.Before(p.First)) {
			p.First = l.When
		}
		if l.When.After(p.Last) {
			p.Last = l.When
		}
		if l.Commit != "" && !slices.Contains(p.Commits, l.Commit) {
			p.Commits = append(p.Commits, l.Commit)
		}
		if l.Trial != nil {
			p.Failed += l.Trial.Failed
		}
		if l.Figure != nil {
			p.Figures++
			if l.Figure.Missed {
				p.Missed++
			}
		}
	}
	slices.SortFunc(p.Commits, cmp.Compare)
	t, err := template.New(filepath.Base(name)).Funcs(template.FuncMap{
		"count": count, "cell": cell, "value": value, "join": strings.Join, "day": func(t time.Time) string { return t.Format(time.DateOnly) },
	}).Parse(text)
	if err != nil {
		return err
	}
	var out strings.Builder
	if err := t.Execute(&out, p); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(out.String()), 0o644)
}

func lists(parts []*Part) [][]proof.Line {
	var all [][]proof.Line
	for _, p := range parts {
		all = append(all, p.Lines)
	}
	return all
}

// count writes a whole number with commas.
func count(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// value writes a measurement with as many digits as it deserves.
func value(v float64) string {
	if v >= 1000 || v == float64(int(v)) {
		return count(int(v + 0.5))
	}
	return fmt.Sprintf("%.3g", v)
}

// cell makes text fit into a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(strings.TrimSpace(text))
}
