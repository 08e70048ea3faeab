package crash

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// An event is one thing that the traced process did to its files, or said.
type event struct {
	Kind     kind
	FD       int
	Path, To string // To is the new name of a link
	Off      int64  // of wrote; -1 where the file's own position counts. The new size of truncated
	Data     []byte
	Create   bool // of opened
}

type kind uint8

const (
	nothing kind = iota
	started      // a new process: it has no file open
	opened
	closed
	wrote
	truncated
	syncing // fsync or fdatasync began
	synced  // it returned
	linked
	unlinked
	madeFolder
	said // a line of the workload
)

// traced is what strace is asked for. What else can change a file is not modelled; that it does not happen is seen when
// the model is compared with the folder.
const traced = "open,openat,close,write,pwrite64,ftruncate,fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat"

// A parser reads the output of strace -f -xx. Only what happens in root and below counts, and lines written to the file tongue.
type parser struct {
	root, tongue string
	events       []event
	unfinished   map[string]unfinished // by thread
	tongues      map[int]bool          // file descriptors of tongue
}

// unfinished is a call that other threads' calls interrupt in the trace.
type unfinished struct {
	text  string
	place int // of its event, -1 where it has none yet
}

// parse returns the events in the order of the trace. A write counts from its beginning on, a sync twice: at its
// beginning it settles what it covers, at its return that is durable.
func parse(r io.Reader, root, tongue string) ([]event, error) {
	p := parser{root, tongue, []event{{Kind: started}}, make(map[string]unfinished), make(map[int]bool)}
	lines := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return p.events, nil
		}
		if err == nil {
			err = p.line(strings.TrimSuffix(line, "\n"))
		}
		if err != nil {
			return nil, fmt.Errorf("trace line %.200q: %w", line, err)
		}
	}
}

func (p *parser) line(line string) error {
	thread, text, _ := strings.Cut(line, " ")
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "---") {
		return nil
	}
	if strings.HasPrefix(text, "???(") {
		return nil // killed before strace could read which call the thread began
	}
	if begin, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
		place, err := p.begin(begin)
		p.unfinished[thread] = unfinished{begin, place}
		return err
	}
	if strings.HasPrefix(text, "<... ") {
		u, ok := p.unfinished[thread]
		_, rest, cut := strings.Cut(text, " resumed>")
		if !ok || !cut {
			return fmt.Errorf("nothing to resume")
		}
		delete(p.unfinished, thread)
		return p.end(u.text+rest, u.place)
	}
	place, err := p.begin(text)
	if err != nil {
		return err
	}
	return p.end(text, place)
}

// begin notes what a call does from its beginning on, and returns the place of its event.
func (p *parser) begin(text string) (int, error) {
	name, args, err := split(text)
	if err != nil {
		return -1, err
	}
	e, err := p.event(name, args)
	if err != nil || e.Kind == nothing {
		return -1, err
	}
	p.events = append(p.events, e)
	return len(p.events) - 1, nil
}

// end notes what a call does when it has returned, and takes back what failed. A result of ? stands for a call whose end
// nobody saw: it may have happened.
func (p *parser) end(text string, place int) error {
	name, args, err := split(text)
	if err != nil {
		return err
	}
	i := strings.LastIndex(text, " = ")
	if i < 0 {
		return fmt.Errorf("no result")
	}
	word, _, _ := strings.Cut(text[i+3:], " ")
	if word == "?" {
		return nil
	}
	result, err := strconv.Atoi(word)
	if err != nil {
		return err
	}
	if name == "open" || name == "openat" {
		return p.open(args, result)
	}
	if place < 0 {
		return nil
	}
	e := &p.events[place]
	switch {
	case result < 0:
		e.Kind = nothing
	case e.Kind == wrote || e.Kind == said:
		e.Data = e.Data[:result]
	case e.Kind == syncing:
		p.events = append(p.events, event{Kind: synced, FD: e.FD})
	}
	return nil
}

func (p *parser) open(args []string, fd int) error {
	if fd < 0 {
		return nil
	}
	path, err := unquote(args[0])
	if err != nil {
		return err
	}
	p.tongues[fd] = path == p.tongue
	if p.below(path) {
		p.events = append(p.events, event{Kind: opened, FD: fd, Path: path, Create: strings.Contains(args[1], "O_CREAT")})
	}
	return nil
}

// event is what a call does from its beginning on; nothing for one that does something at its end, or nothing that counts.
func (p *parser) event(name string, args []string) (event, error) {
	switch name {
	case "open", "openat":
		return event{}, nil
	case "link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat":
		return p.nameEvent(strings.TrimSuffix(strings.TrimSuffix(name, "2"), "at"), args)
	}
	fd, err := strconv.Atoi(args[0])
	e := event{FD: fd, Off: -1}
	switch name {
	case "close":
		e.Kind = closed
		p.tongues[fd] = false
	case "fsync", "fdatasync":
		e.Kind = syncing
	case "ftruncate":
		e.Kind = truncated
		e.Off, err = strconv.ParseInt(args[1], 10, 64)
	case "write", "pwrite64":
		e.Kind = wrote
		if p.tongues[fd] {
			e.Kind = said
		}
		e.Data, err = bytesOf(args[1])
		if name == "pwrite64" && err == nil {
			e.Off, err = strconv.ParseInt(args[3], 10, 64)
		}
	}
	return e, err
}

func (p *parser) nameEvent(name string, args []string) (event, error) {
	path, err := unquote(args[0])
	if err != nil || !p.below(path) {
		return event{}, err
	}
	switch name {
	case "link":
		to, err := unquote(args[1])
		return event{Kind: linked, Path: path, To: to}, err
	case "unlink":
		return event{Kind: unlinked, Path: path}, nil
	case "mkdir":
		return event{Kind: madeFolder, Path: path}, nil
	}
	return event{}, fmt.Errorf("no model of %s", name)
}

func (p *parser) below(path string) bool {
	return path == p.root || strings.HasPrefix(path, p.root+"/")
}

// split returns the name and the arguments of a call, without the AT_FDCWD of those that end with at.
func split(text string) (string, []string, error) {
	name, rest, ok := strings.Cut(text, "(")
	if !ok {
		return "", nil, fmt.Errorf("no call")
	}
	if i := strings.LastIndex(rest, " = "); i >= 0 {
		rest = rest[:i]
	}
	rest = strings.TrimSuffix(strings.TrimRight(rest, " "), ")")
	var args []string
	for _, arg := range strings.Split(rest, ", ") {
		if arg != "AT_FDCWD" {
			args = append(args, arg)
		}
	}
	return name, args, nil
}

func unquote(arg string) (string, error) {
	data, err := bytesOf(arg)
	return string(data), err
}

// bytesOf reads "\x41\x42".
func bytesOf(arg string) ([]byte, error) {
	text, ok := strings.CutPrefix(arg, `"`)
	text, whole := strings.CutSuffix(text, `"`)
	if !ok || !whole {
		return nil, fmt.Errorf("string %.40s: not whole", arg)
	}
	return hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
}
