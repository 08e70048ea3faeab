package sensors

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast"
)

// row is one row of a replay: what one sensor measured at an offset from the start.
type row struct {
	offset time.Duration
	sensor string
	values map[string]float64
}

// maxReplayMistakes bounds how many mistakes of a file are listed.
const maxReplayMistakes = 20

// maxReplayNames bounds how many sensors of a file are remembered by name.
const maxReplayNames = 10000

// readReplay reads a file as [OpenReplay] describes it.
func readReplay(file string) ([]row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open replay: %w", err)
	}
	defer f.Close()
	return parseReplay(file, f)
}

func parseReplay(file string, text io.Reader) (rows []row, err error) {
	err = scanReplay(file, text, func(r row) bool {
		rows = append(rows, r)
		return true
	})
	return rows, err
}

// ScanReplay calls f with each row of a text as [OpenReplay] describes it: the offset from the start, the sensor and its
// values, which f may keep. It holds one row at a time. f returns false to stop. Rows behind the first mistake are read
// for further mistakes only. file names the text in the error.
func ScanReplay(file string, text io.Reader, f func(offset time.Duration, sensor string, values map[string]float64) bool) error {
	return scanReplay(file, text, func(r row) bool { return f(r.offset, r.sensor, r.values) })
}

func scanReplay(file string, text io.Reader, f func(row) bool) error {
	p := replayParser{file: file, csv: csv.NewReader(text), names: make(map[string]string)}
	p.csv.FieldsPerRecord = -1
	p.csv.Comment = '#'
	p.csv.ReuseRecord = true
	p.header()
	for {
		r, more := p.row()
		if !more {
			break
		}
		if len(p.errs) == 0 && !f(r) {
			return nil
		}
	}
	if p.more > 0 {
		p.errs = append(p.errs, fmt.Errorf("%s: %d more mistakes", file, p.more))
	}
	if len(p.errs) == 0 && p.count == 0 {
		p.errs = append(p.errs, fmt.Errorf("%s: no rows", file))
	}
	return errors.Join(p.errs...)
}

type replayParser struct {
	file       string
	csv        *csv.Reader
	quantities []string
	names      map[string]string // sensors that are names, each of them once in memory
	count      int               // rows
	last       time.Duration     // offset of the last one
	errs       []error
	more       int // mistakes beyond those in errs
}

// wrong notes a mistake in a field of the record that was read last, or of the next line where it has none.
func (p *replayParser) wrong(field int, format string, args ...any) {
	if len(p.errs) == maxReplayMistakes {
		p.more++
		return
	}
	line, column := p.csv.FieldPos(field)
	p.errs = append(p.errs, fmt.Errorf("%s:%d:%d: %s", p.file, line, column, fmt.Sprintf(format, args...)))
}

// read reads one record. It returns nil at the end of the file, and where the rest of it cannot be read.
func (p *replayParser) read() []string {
	record, err := p.csv.Read()
	switch {
	case err == nil:
		return record
	case !errors.Is(err, io.EOF):
		p.errs = append(p.errs, fmt.Errorf("%s: %w", p.file, err))
	}
	return nil
}

func (p *replayParser) header() {
	record := p.read()
	if record == nil {
		return
	}
	for i, name := range record {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		switch i {
		case 0:
			if name != "time" {
				p.wrong(i, "%q: want time, the first column", name)
			}
		case 1:
			if name != "sensor" {
				p.wrong(i, "%q: want sensor, the second column", name)
			}
		default:
			p.quantity(i, strings.Clone(name))
		}
	}
	if n := len(p.quantities); n == 0 || n > 64 {
		p.wrong(0, "%d quantities behind time,sensor: want 1 to 64", n)
	}
}

func (p *replayParser) quantity(field int, name string) {
	if err := holdfast.CheckQuantity(name); err != nil {
		p.wrong(field, "%v", err)
	}
	if slices.Contains(p.quantities, name) {
		p.wrong(field, "%q: a column for it stands before", name)
	}
	p.quantities = append(p.quantities, name)
}

// row reads a row, which means nothing where it has a mistake, and reports whether there was one.
func (p *replayParser) row() (r row, more bool) {
	record := p.read()
	if record == nil {
		return r, false
	}
	if got, want := len(record), 2+len(p.quantities); got != want {
		p.wrong(min(got, want)-1, "%d cells: want %d, as in the header", got, want)
		return r, true
	}
	r = row{offset: p.offset(record[0]), sensor: p.sensor(record[1]), values: make(map[string]float64, len(p.quantities))}
	filled := 0
	for i, cell := range record[2:] {
		if cell = strings.TrimSpace(cell); cell == "" {
			continue
		}
		filled++
		v, err := strconv.ParseFloat(cell, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			p.wrong(2+i, "%s %q: want a number, or nothing", p.quantities[i], cell)
			continue
		}
		r.values[p.quantities[i]] = v
	}
	if filled == 0 {
		p.wrong(1, "the row of %q has no value", r.sensor)
	}
	p.count++
	p.last = r.offset
	return r, true
}

// sensor reads the second cell of a row.
func (p *replayParser) sensor(cell string) string {
	if name, ok := p.names[cell]; ok {
		return name
	}
	if err := holdfast.CheckSensor(cell); err != nil {
		p.wrong(1, "%v", err)
		return ""
	}
	name := strings.Clone(cell)
	if len(p.names) < maxReplayNames {
		p.names[name] = name
	}
	return name
}

// offset reads the first cell of a row. For one that is wrong it returns the offset of the row above.
func (p *replayParser) offset(cell string) time.Duration {
	above := p.last
	seconds, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
	if err != nil || !(seconds >= 0 && seconds <= 1e9) {
		p.wrong(0, "time %q: want seconds from the start, 0 to 1e9", cell)
		return above
	}
	offset := time.Duration(math.Round(seconds * 1e9))
	if offset < above {
		p.wrong(0, "time %s lies before that of the row above", cell)
		return above
	}
	return offset
}

// guessQuantity describes a quantity by its name, which ends in its base unit.
func guessQuantity(name string) holdfast.Quantity {
	q := holdfast.Quantity{Name: name, Precision: 2}
	for _, u := range []struct{ suffix, unit string }{
		{"celsius", "°C"}, {"percent", "%"}, {"pascals", "Pa"}, {"lux", "lx"}, {"volts", "V"}, {"amperes", "A"}, {"watts", "W"},
	} {
		if name == u.suffix || strings.HasSuffix(name, "_"+u.suffix) {
			q.Unit = u.unit
		}
	}
	return q
}
