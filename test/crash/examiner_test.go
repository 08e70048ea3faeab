package crash

import (
	"bufio"
	"cmp"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// An assignment tells an examiner, a child process, what it works on.
type assignment struct {
	Trace  string // file
	Folder string // for its images
	Lossy  bool
}

// A bench is an examiner at work. Its orders come in the order of their cuts, so disk and facts go forward only.
type bench struct {
	assignment
	trace   *trace
	disk    *disk
	facts   *facts
	cut     int
	pending []item
	full    uint64
	records map[place][]byte
	buf     []byte
	panics  int
}

// examiner reads orders, one a line, and answers each with a line: ok, or what is wrong with the image.
func examiner(a assignment) error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(256 << 20) // collect rarely
	debug.SetMaxStack(32 << 20)     // as the gateway does: pages that point in circles end the process at once
	tr, err := loadTrace(a.Trace)
	if err != nil {
		return err
	}
	b := &bench{assignment: a, trace: tr, disk: newDisk(tr.Root, a.Lossy), facts: newFacts(), cut: -1, records: make(map[place][]byte)}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		cut, text := 0, ""
		n, _ := fmt.Sscanf(lines.Text(), "%d", &cut)
		_, text, _ = strings.Cut(lines.Text(), " ")
		c, err := parseChoice(text)
		if n != 1 || err != nil {
			return fmt.Errorf("order %q: %w", lines.Text(), err)
		}
		if err := b.forward(cut); err != nil {
			return err
		}
		answer := "ok"
		if err := b.try(c); err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		fmt.Println(answer)
	}
	return nil
}

// forward brings disk and facts to a cut.
func (b *bench) forward(cut int) error {
	if cut == b.cut {
		return nil
	}
	for b.cut = max(b.cut, 0); b.cut < cut; b.cut++ {
		e := b.trace.Events[b.cut]
		if err := b.disk.happen(e); err != nil {
			return err
		}
		if e.Kind == said {
			if err := b.facts.hear(e.Data); err != nil {
				return err
			}
		}
	}
	b.pending = b.disk.pending()
	b.full = b.trace.fullAt(cut)
	return nil
}

// fullAt is how many numbers had gone for space when this was next told behind cut, or last before the end.
func (tr *trace) fullAt(cut int) uint64 {
	for _, e := range tr.Events[cut:] {
		if full, ok := e.full(); ok {
			return full
		}
	}
	for _, e := range slices.Backward(tr.Events) {
		if full, ok := e.full(); ok {
			return full
		}
	}
	return 0
}

func (e *event) full() (uint64, bool) {
	var l line
	if e.Kind != said || json.Unmarshal(e.Data, &l) != nil {
		return 0, false
	}
	return l.Full, l.Kind == isOpen || l.Kind == isHeld || l.Kind == isStopped
}

// try makes one image and examines it. A panic is a verdict too; after one the next image gets a folder of its own, for
// nobody unlocks the file.
func (b *bench) try(c choice) (err error) {
	folder := filepath.Join(b.Folder, fmt.Sprint(b.panics))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var lie bool
	lie, b.buf, err = b.disk.image(b.pending, c).write(b.trace.Root, folder, b.buf)
	if err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			b.panics++
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	t := &trial{facts: b.facts, history: cmp.Or(b.trace.HistoryBytes, b.trace.MaxBytes/4), full: b.full, data: b.record}
	return t.examine(options(filepath.Join(folder, "data"), b.trace.MaxBytes, b.trace.HistoryBytes), lie)
}

func (b *bench) record(p place) []byte {
	data, ok := b.records[p]
	if !ok {
		data = p.data()
		b.records[p] = data
	}
	return data
}

func (tr *trace) save(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := gob.NewEncoder(w).Encode(tr); err != nil {
		return err
	}
	return w.Flush()
}

func loadTrace(file string) (*trace, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var tr trace
	if err := gob.NewDecoder(bufio.NewReader(f)).Decode(&tr); err != nil {
		return nil, fmt.Errorf("trace %s: %w", file, err)
	}
	return &tr, nil
}
