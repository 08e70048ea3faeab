package crash

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const sector = 512 // what a card writes whole or not at all

// A choice says what became of everything that was on its way to the card. Its text is a recipe: with the trace it makes
// the same image again.
type choice struct {
	Kind string // none, all, only, but, sector, sectors, random
	Item int    // the one that has another fate than the rest
	Bit  int    // the one sector of it that has
	Seed uint64
}

func (c choice) String() string { return fmt.Sprintf("%s %d %d %d", c.Kind, c.Item, c.Bit, c.Seed) }

func parseChoice(text string) (c choice, err error) {
	_, err = fmt.Sscanf(text, "%s %d %d %d", &c.Kind, &c.Item, &c.Bit, &c.Seed)
	return c, err
}

// A fate is which sectors of an item came to be.
type fate func(sector int) bool

// fates returns what became of each of n items, and the order in which they did.
func (c choice) fates(n int) (fates []fate, order []int) {
	yes, no := fate(func(int) bool { return true }), fate(func(int) bool { return false })
	fates, order = make([]fate, n), make([]int, n)
	for i := range n {
		order[i] = i
		fates[i] = yes
		if c.Kind == "none" || c.Kind == "only" {
			fates[i] = no
		}
	}
	switch c.Kind {
	case "only":
		fates[c.Item] = yes
	case "but":
		fates[c.Item] = no
	case "sector": // nothing else of this item came
		fates[c.Item] = func(s int) bool { return s == c.Bit }
	case "sectors": // all of it but one
		fates[c.Item] = func(s int) bool { return s != c.Bit }
	case "random":
		r := rand.New(rand.NewPCG(c.Seed, uint64(n)))
		there, torn := pick(r, 0.1, 0.5, 0.9), pick(r, 0, 0.3, 1)
		for i := range n {
			whole, seed := r.Float64() < there, r.Uint64()
			switch {
			case r.Float64() < torn:
				fates[i] = func(s int) bool { return rand.NewPCG(seed, uint64(s)).Uint64()%2 == 0 }
			case !whole:
				fates[i] = no
			}
		}
		if r.IntN(2) == 0 {
			r.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
	}
	return fates, order
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// An image is what the card holds after the power failed: pieces that came behind what was synced, and names.
type image struct {
	names  map[string]*node
	pieces map[*node][]write
}

// image is what is left of the disk, if this became of what was on its way.
func (d *disk) image(pending []item, c choice) *image {
	m := &image{make(map[string]*node), make(map[*node][]write)}
	for path, n := range d.names {
		m.names[path] = n.synced
	}
	fates, order := c.fates(len(pending))
	for i, item := range pending { // the changes of one name come in their order
		if item.path != "" && fates[i](0) {
			m.names[item.path] = item.node
		}
	}
	for _, i := range order {
		if item := pending[i]; item.path == "" {
			m.pieces[item.node] = append(m.pieces[item.node], item.write.torn(fates[i])...)
		}
	}
	there := maps.Clone(m.names)
	maps.DeleteFunc(there, func(path string, _ *node) bool { return !m.there(path) })
	m.names = there
	return m
}

// there reports whether path and the folders above it exist.
func (m *image) there(path string) bool {
	if m.names[path] == nil {
		return false
	}
	above := filepath.Dir(path)
	_, known := m.names[above]
	return !known || m.there(above)
}

// torn cuts a write into those of its sectors that came; neighbours stay together. What makes a file longer comes as the
// first sector does.
func (w write) torn(f fate) []write {
	if w.data == nil {
		if f(0) {
			return []write{w}
		}
		return nil
	}
	var out []write
	for i, s := 0, 0; i < len(w.data); s++ {
		next := min(len(w.data), i+sector-int(w.off+int64(i))%sector)
		if last := len(out) - 1; f(s) && last >= 0 && out[last].end() == w.off+int64(i) {
			out[last].data = w.data[out[last].off-w.off : next]
		} else if f(s) {
			out = append(out, write{w.off + int64(i), w.data[i:next]})
		}
		i = next
	}
	return out
}

// content is a file of the image, in the room of buf.
func (m *image) content(n *node, buf []byte) []byte {
	buf = append(buf[:0], n.synced...)
	for _, w := range m.pieces[n] {
		buf = w.apply(buf)
	}
	return buf
}

// sum tells images of the same disk apart: two with the same sum hold the same. It also counts the sectors that differ
// from what was synced.
func (m *image) sum(seed maphash.Seed) (sum uint64, changed int) {
	for path, n := range m.names {
		sum += maphash.Comparable(seed, fmt.Sprint(path, n.id))
		if len(m.pieces[n]) > 0 {
			s, c := m.sumFile(seed, n)
			sum, changed = sum+s, changed+c
		}
	}
	return sum, changed
}

func (m *image) sumFile(seed maphash.Seed, n *node) (sum uint64, changed int) {
	sectors, size := make(map[int64][]byte), int64(len(n.synced))
	for _, w := range m.pieces[n] {
		size = max(size, w.end())
		for i := int64(0); i < int64(len(w.data)); {
			at := (w.off + i) / sector
			next := min(int64(len(w.data)), (at+1)*sector-w.off)
			sectors[at] = w.data[i:next]
			i = next
		}
	}
	for at, data := range sectors {
		old := n.synced[min(int64(len(n.synced)), at*sector):]
		if !bytes.Equal(old[:min(len(old), len(data))], data) {
			sum += maphash.Comparable(seed, [3]uint64{uint64(n.id), uint64(at), maphash.Bytes(seed, data)})
			changed++
		}
	}
	return sum + maphash.Comparable(seed, [2]int64{int64(n.id), size}), changed
}

// write makes the image of a trace of root in the folder to, where another image may lie. It reports whether a note in it
// says of the buffer what is not so.
//
// A clean stop is told by the buffer's size and time. The time that the card keeps may be older than the last write, so
// every image has the one that its note names.
func (m *image) write(root, to string, buf []byte) (lie bool, used []byte, err error) {
	if err := m.clear(root, to); err != nil {
		return false, buf, err
	}
	place := func(path string) string { return to + path[len(root):] }
	made := make(map[*node]string)
	for _, path := range slices.Sorted(maps.Keys(m.names)) {
		n := m.names[path]
		switch {
		case n.folder:
			err = os.MkdirAll(place(path), 0o755)
		case made[n] != "":
			err = os.Link(made[n], place(path))
		default:
			made[n] = place(path)
			buf = m.content(n, buf)
			err = overwrite(place(path), buf)
		}
		if err != nil {
			return false, buf, err
		}
	}
	for path, n := range m.names {
		data := m.names[bufferOf(path)]
		if !n.note || data == nil {
			continue
		}
		var size, modified int64
		if _, err := fmt.Sscanf(string(m.content(n, nil)), "%d bytes, modified %d\n", &size, &modified); err != nil {
			continue // torn
		}
		at := time.Unix(0, modified)
		if err := os.Chtimes(place(bufferOf(path)), at, at); err != nil {
			return false, buf, err
		}
		buf = m.content(data, buf)
		lie = lie || size == int64(len(buf)) && !bytes.Equal(n.claim, buf)
	}
	return lie, buf, nil
}

// clear removes the image before this one, but for a buffer's file that is written again: that is faster.
func (m *image) clear(root, to string) error {
	return filepath.WalkDir(to, func(path string, entry os.DirEntry, err error) error {
		same := m.names[root+path[len(to):]] != nil
		if err != nil || same && (entry.IsDir() || filepath.Base(path) == bufferName) {
			return err
		}
		if err := os.RemoveAll(path); err != nil || !entry.IsDir() {
			return err
		}
		return filepath.SkipDir
	})
}

func overwrite(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(data)))
}
