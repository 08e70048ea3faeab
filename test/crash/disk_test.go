package crash

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// A disk is a folder as a trace leaves it: what is certainly on the card, and what is only on its way there.
type disk struct {
	lossy bool // the buffer's file is never synced: the control
	nodes []*node
	names map[string]*name // by path
	open  map[int]*opening // by file descriptor
}

// A node is a file or a folder.
type node struct {
	id      int
	folder  bool
	note    bool    // a small file beside the buffer
	claim   []byte  // of a note: the buffer's file when it was written
	size    int64   // as readers see it while the machine runs
	synced  []byte  // what is on the card
	pending []write // what is on its way, in order
}

// A write puts data at off, or makes the file off bytes long where data is nil.
type write struct {
	off  int64
	data []byte
}

func (w write) end() int64 { return w.off + int64(len(w.data)) }

// A name is what a path stands for: nil is nothing.
type name struct {
	synced  *node
	pending []*node
}

func (n *name) now() *node {
	if len(n.pending) == 0 {
		return n.synced
	}
	return n.pending[len(n.pending)-1]
}

// An opening is what a file descriptor stands for.
type opening struct {
	path   string
	node   *node
	off    int64
	covers map[*name]int // what a sync that runs will settle: of a folder, how many changes of each of its names
	writes int           // and of a file, how many writes
}

// newDisk is a disk with the empty folder root.
func newDisk(root string, lossy bool) *disk {
	d := &disk{lossy: lossy, names: make(map[string]*name)}
	d.names[root] = &name{synced: d.newNode(&node{folder: true})}
	return d
}

// happen brings the disk behind one event.
func (d *disk) happen(e event) error {
	switch e.Kind {
	case started:
		d.open = make(map[int]*opening)
	case opened:
		return d.opened(e)
	case closed:
		delete(d.open, e.FD)
	case linked:
		d.name(e.To).change(d.name(e.Path).now())
	case unlinked:
		d.name(e.Path).change(nil)
	case madeFolder:
		d.name(e.Path).change(d.newNode(&node{folder: true}))
	case wrote, truncated:
		return d.wrote(e)
	case syncing, synced:
		if o := d.open[e.FD]; o != nil {
			d.sync(o, e.Kind == synced)
		}
	}
	return nil
}

func (d *disk) opened(e event) error {
	n := d.name(e.Path).now()
	if n == nil && e.Create {
		n = d.newNode(&node{note: !isBuffer(e.Path)})
		d.name(e.Path).change(n)
	}
	if n == nil {
		return fmt.Errorf("%s was opened, and nothing is known of it", e.Path)
	}
	d.open[e.FD] = &opening{path: e.Path, node: n}
	return nil
}

// isBuffer reports whether path is the buffer's, also in its birth.
func isBuffer(path string) bool {
	base := filepath.Base(path)
	return base == bufferName || strings.HasPrefix(base, bufferName+".new-")
}

// bufferOf is the buffer that a note at path is about.
func bufferOf(path string) string { return filepath.Join(filepath.Dir(path), bufferName) }

func (d *disk) newNode(n *node) *node {
	n.id = len(d.nodes)
	d.nodes = append(d.nodes, n)
	return n
}

func (d *disk) name(path string) *name {
	if d.names[path] == nil {
		d.names[path] = new(name)
	}
	return d.names[path]
}

func (n *name) change(to *node) { n.pending = append(n.pending, to) }

func (d *disk) wrote(e event) error {
	o := d.open[e.FD]
	if o == nil {
		return nil
	}
	w := write{e.Off, e.Data}
	if w.off < 0 {
		w.off = o.off
		o.off = w.end()
	}
	if e.Kind == truncated && w.off < o.node.size {
		return fmt.Errorf("no model of a file that becomes shorter: %s", o.path)
	}
	if data := d.names[bufferOf(o.path)]; o.node.note && data != nil && data.now() != nil {
		o.node.claim = data.now().now()
	}
	o.node.size = max(o.node.size, w.end())
	o.node.pending = append(o.node.pending, w)
	return nil
}

// sync settles, when it begins, what it covers, and when it ends that this is on the card.
func (d *disk) sync(o *opening, ended bool) {
	switch {
	case o.node.folder && !ended:
		o.covers = make(map[*name]int)
		for path, n := range d.names {
			if filepath.Dir(path) == o.path {
				o.covers[n] = len(n.pending)
			}
		}
	case o.node.folder:
		for n, count := range o.covers {
			if count > 0 {
				n.synced, n.pending = n.pending[count-1], slices.Clone(n.pending[count:])
			}
		}
	case !ended:
		o.writes = len(o.node.pending)
	case !d.lossy || o.node.note:
		for _, w := range o.node.pending[:o.writes] {
			o.node.synced = w.apply(o.node.synced)
		}
		o.node.pending = slices.Clone(o.node.pending[o.writes:])
	}
}

// apply writes w into data, which grows where it must, and returns it.
func (w write) apply(data []byte) []byte {
	if more := int(w.end()) - len(data); more > 0 {
		data = append(data, make([]byte, more)...)
	}
	copy(data[w.off:], w.data)
	return data
}

// now is the file as its readers see it while the machine runs.
func (n *node) now() []byte {
	data := bytes.Clone(n.synced)
	for _, w := range n.pending {
		data = w.apply(data)
	}
	return data
}

// files is the folder as its readers see it while the machine runs, by path.
func (d *disk) files() map[string][]byte {
	out := make(map[string][]byte)
	for path, n := range d.names {
		if f := n.now(); f != nil && !f.folder {
			out[path] = f.now()
		}
	}
	return out
}

// An item is one thing that is on its way to the card.
type item struct {
	node *node  // what is written, or what the name shall stand for
	path string // of a change of a name; empty for a write
	write
}

// pending is everything that is on its way to the card: writes first, each file's in their order, then names.
func (d *disk) pending() []item {
	var out []item
	for _, n := range d.nodes {
		for _, w := range n.pending {
			out = append(out, item{node: n, write: w})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		for _, n := range d.names[path].pending {
			out = append(out, item{node: n, path: path})
		}
	}
	return out
}
