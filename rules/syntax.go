package rules

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Malformed says why a text is no YAML, and in which line it ceases to be; 0 and "" of one that is.
func Malformed(text []byte) (line int, why string) {
	err := decode(text)
	if err == nil {
		return 0, ""
	}
	line = ceases(text, err.Error())
	why = "not YAML: " + parserWords.ReplaceAllString(err.Error(), "")
	from, to := lineBounds(text, line)
	switch row := text[from:to]; {
	case tabbed.Match(row):
		why += "; the line is indented with a tab: YAML is indented with spaces"
	case strings.HasSuffix(why, "cannot start any token") && reserved.Match(row):
		why += "; a value that begins with @, ` or % stands in quotes"
	}
	return line, why
}

var (
	parserWords = regexp.MustCompile(`^yaml: (line \d+: )?`)
	tabbed      = regexp.MustCompile(`^ *\t`)
	versionLine = regexp.MustCompile(`(?m)^(?:\{ *)?version: +(\d+)[ \r]*(?:[,}#].*)?$`)
	reserved    = regexp.MustCompile("(^|[-:,\\[{]) *[@`%]")
)

// decode reads all documents of a text. The error is that of the parser, which forgets where a thing began that began in the
// first line: so there is an empty one before.
func decode(text []byte) error {
	for decoder := yaml.NewDecoder(io.MultiReader(strings.NewReader("\n"), bytes.NewReader(text))); ; {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// ceases returns the first line up to which a text has the same error as the whole of it. The parser's own number is that of
// the line before, or of the one where a list or a mapping begins that goes wrong much later.
func ceases(text []byte, whole string) int {
	lines := bytes.Count(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) + 1
	return 1 + sort.Search(lines-1, func(i int) bool {
		_, end := lineBounds(text, i+1)
		err := decode(text[:end])
		return err != nil && err.Error() == whole
	})
}

// lineBounds returns where a line begins and ends, its line break included.
func lineBounds(text []byte, line int) (from, to int) {
	for n := 1; ; n++ {
		length := bytes.IndexByte(text[from:], '\n') + 1
		if length == 0 {
			return from, len(text)
		}
		if n == line {
			return from, from + length
		}
		from += length
	}
}

// versionOf returns the version that a text says though it is no YAML; 0 where none can be made out.
func versionOf(text []byte) int {
	said := 0
	for _, match := range versionLine.FindAllSubmatch(text, -1) {
		version, err := strconv.Atoi(string(match[1]))
		if err != nil || version > maxVersion || said > 0 && version != said {
			return 0
		}
		said = version
	}
	return said
}
