package sensors

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"holdfast"
)

// truth is the file that a replay tells of its rows: a line "row mono" for each, durable before the row is handed out.
type truth struct{ file *os.File }

// openTruth opens the file and returns the row that stands there last, 0 for none. A line that a crash tore is removed:
// its row was not handed out.
func openTruth(name string) (*truth, int, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, 0, fmt.Errorf("open truth file: %w", err)
	}
	last, err := resumeTruth(file)
	if err != nil {
		file.Close()
		return nil, 0, fmt.Errorf("truth file %s: %w", name, err)
	}
	return &truth{file}, last, nil
}

func resumeTruth(file *os.File) (int, error) {
	text, err := os.ReadFile(file.Name())
	if err != nil {
		return 0, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	if err := file.Truncate(int64(len(whole))); err != nil {
		return 0, err
	}
	if _, err := file.Seek(int64(len(whole)), 0); err != nil {
		return 0, err
	}
	lines := strings.Split(strings.TrimSuffix(string(whole), "\n"), "\n")
	newest := lines[len(lines)-1]
	if newest == "" {
		return 0, nil
	}
	number, _, _ := strings.Cut(newest, " ")
	row, err := strconv.Atoi(number)
	if err != nil || row < 1 {
		return 0, fmt.Errorf("line %d: %q: want row and µs", len(lines), newest)
	}
	return row, nil
}

// note makes the rows from number first on durable, with one fsync for all.
func (t *truth) note(first int, readings []*holdfast.Reading) error {
	var lines bytes.Buffer
	for i, r := range readings {
		fmt.Fprintf(&lines, "%d %d\n", first+i, r.Mono)
	}
	if _, err := t.file.Write(lines.Bytes()); err != nil {
		return fmt.Errorf("write truth file: %w", err)
	}
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("sync truth file: %w", err)
	}
	return nil
}

func (t *truth) close() error {
	if err := t.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close truth file: %w", err)
	}
	return nil
}
