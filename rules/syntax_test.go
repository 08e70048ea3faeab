package rules

import (
	"strings"
	"testing"
)

// Why a text is no YAML is told with the line up to which it is, and tabs are spoken of only where there is one.
func TestMalformed(t *testing.T) {
	t.Parallel()
	const (
		tab      = "; the line is indented with a tab: YAML is indented with spaces"
		noToken  = "found character that cannot start any token"
		violates = "found a tab character that violates indentation"
		quotes   = "; a value that begins with @, ` or % stands in quotes"
		values   = "mapping values are not allowed in this context"
	)
	for _, tt := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"right", "version: 1\nrules: []\n", 0, ""},
		{"a tab behind rules", "version: 1\nrules:\n\t- name: a\n", 3, noToken + tab},
		{"a tab for a name", "version: 1\nrules:\n  - name: a\n\tthreshold:\n", 4, violates + tab},
		{"a tab further down", "version: 1\nrules:\n  - name: a\n    threshold:\n      quantity: q\n      above: 1\n\tfor: 5m\n", 7, violates + tab},
		{"a tab behind empty lines", "version: 1\n\n\n\nrules:\n  - name: a\n    threshold:\n      above: 1\n\tfor: 5m\n", 9, violates + tab},
		{"a tab behind spaces", "rules:\n  - name: a\n    rate: {}\n  \tx: 1\n", 4, noToken + tab},
		{"two tabs", "rules:\n  - name: a\n\tx: 1\n\ty: 1\n", 3, violates + tab},
		{"a tab in a block", "rules:\n  - x: |\n      a\n\tb\n", 4, "found a tab character where an indentation space is expected" + tab},
		{"a tab before another mistake", "# a\n\t# b\nrules:\n  - name: @a\n", 4, noToken + quotes},
		{"at sign", "rules:\n  - name: @a\n    x: 1\n", 2, noToken + quotes},
		{"backtick in a list", "rules: [`a`]\n", 1, noToken + quotes},
		{"open quote", "rules:\n  - name: 'a\n    x: 1\n", 2, "found unexpected end of stream"},
		{"open quote in the first line", "version: \"1\nrules: []\n\n", 1, "found unexpected end of stream"},
		{"open brace in the first line", "x: {a: 1\ny: 2\nz: 3\n", 1, "did not find expected ',' or '}'"},
		{"behind a mark of UTF-8", "\ufeffversion: 1\nrules: }\n", 2, "did not find expected node content"},
		{"open brace", "rules:\n  - name: a\n    x: {a: 1\n  - name: b\n", 3, "did not find expected ',' or '}'"},
		{"open bracket", "version: 1\nrules: [\n", 2, "did not find expected node content"},
		{"bracket too many", "version: 1\nrules: []\n]\n", 3, "did not find expected key"},
		{"indented too far", "rules:\n  - name: a\n     x: 1\n", 3, values},
		{"indented too little", "rules:\n  - name: a\n    x:\n      y: 1\n     z: 1\n    w: 1\n", 5, "did not find expected key"},
		{"no colon", "version: 1\nrules:\n  - name: a\n    x\n    y: 1\n", 4, "could not find expected ':'"},
		{"words behind a quote", "version: 1\nrules:\n  - x: \"a\" b\n\n    # more\n    y: 1\n", 3, "did not find expected key"},
		{"no such anchor", "version: 1\nrules: *a\n", 2, "unknown anchor 'a' referenced"},
		{"a control character", "version: 1\nrules:\n  - name: \x01\n", 3, "control characters are not allowed"},
		{"the second document", "a: 1\n---\nb: }\n", 3, "did not find expected node content"},
	} {
		want := tt.want
		if want != "" {
			want = "not YAML: " + want
		}
		for _, end := range []string{"\n", "\r\n"} {
			text := strings.ReplaceAll(tt.text, "\n", end)
			if line, why := Malformed([]byte(text)); line != tt.line || why != want {
				t.Errorf("%s: %q: line %d: %s\nwant line %d: %s", tt.name, text, line, why, tt.line, want)
			}
		}
	}
}

// Whichever line of a good text is indented with a tab, it is the one that is told, unless YAML takes it.
func TestMalformedByTabs(t *testing.T) {
	t.Parallel()
	told := 0
	lines := strings.Split(string(Example), "\n")
	for i, line := range lines {
		for _, indentation := range []string{"\t", "  \t"} {
			lines[i] = indentation + strings.TrimLeft(line, " ")
			got, why := Malformed([]byte(strings.Join(lines, "\n")))
			if got != 0 && (got != i+1 || !strings.Contains(why, "indented with spaces")) {
				t.Errorf("%q in line %d: told as line %d: %s", lines[i], i+1, got, why)
			}
			told += min(got, 1)
		}
		lines[i] = line
	}
	if told < 10 {
		t.Errorf("%d lines were told, want 10 or more", told)
	}
}

// A text with mistakes has the version that it says, where it can be made out.
func TestVersionOfMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text          string
		said, version int
	}{
		{"version: 5\nrules: []\n", 5, 5},
		{"version: 5\nrules: [\n", 5, 5},
		{"rules: [\nversion: 5 # the fifth\n", 5, 5},
		{"version: 5\r\nrules: [\r\n", 5, 5},
		{"{version: 5, rules: [", 5, 5},
		{"version: 5\nrules: [\nversion: 6\n", 0, 1},
		{"version: 99999999999\nrules: [\n", 0, 1},
		{"version: five\nrules: [\n", 0, 1},
		{"rules:\n  - name: [\n    version: 5\n", 0, 1},
		{"version: 0\nrules: []\n", 0, 1},
		{"rules: []\n", 0, 1},
		{"version: 0x10\nrules: {}\n", 16, 16},
		{"", 0, 1},
	} {
		if set, _ := Parse("f", []byte(tt.text)); set.Said != tt.said || set.Version != tt.version {
			t.Errorf("%q: said %d, version %d, want %d and %d", tt.text, set.Said, set.Version, tt.said, tt.version)
		}
	}
}
