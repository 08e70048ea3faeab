package buffer

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast"
	"holdfast/internal/proof"
)

// The model: for each number of each lane of each stream, what the buffer must say of it. The buffer is driven the way
// the gateway drives it, and compared after each step: every number up to the head is owed in order, or done, and what
// is owed says the right thing.

type modelNumber struct {
	data string // the record; empty where there is none any more
	lost string // "dropped full" and so on; it goes before data
	done bool
}

type modelStream struct {
	id       holdfast.Stream
	lanes    [len(laneNames)][]modelNumber // index: number-1
	withheld bool                          // it had numbers of the local lane
	clean    bool
}

// tells reports whether p says how the stream ended.
func (s *modelStream) tells(p *holdfast.Previous) bool {
	if p == nil || p.Stream != s.id || p.Clean != s.clean {
		return false
	}
	for i, name := range laneNames {
		if p.Lanes[name] != uint64(len(s.lanes[i])) {
			return false
		}
	}
	return true
}

// unborn reports whether the start that p is of has nothing to tell of the stream, for it has no number.
func (s *modelStream) unborn(p *holdfast.Previous) bool {
	for _, lane := range s.lanes {
		if len(lane) > 0 {
			return false
		}
	}
	return !s.withheld || !s.tells(p) // what was withheld may have been let go since
}

type model struct {
	path    string
	options Options
	buffer  *Buffer
	streams []*modelStream
	queued  [len(laneNames)][]string // "" for a record too large
	shelved []string                 // withheld, not durable
	local   []string                 // withheld and durable, or trimmed
	state   map[string]string
	serial  int

	trims bool // history is too short for all

	steps, failures *int // of all runs
}

func (m *model) open(t *rapid.T) {
	b, err := Open(m.options)
	if err != nil {
		t.Fatal(err)
	}
	p := b.Previous()
	for n := len(m.streams); n > 0 && m.streams[n-1].unborn(p); n-- {
		m.streams = m.streams[:n-1]
	}
	if n := len(m.streams); n == 0 && p != nil || n > 0 && !m.streams[n-1].tells(p) {
		t.Fatalf("previous %+v, want how the newest of %d streams ended", p, n)
	}
	m.buffer = b
	m.streams = append(m.streams, &modelStream{id: b.Stream()})
	m.trimmed() // by the commit that Open makes
}

func (m *model) current() *modelStream { return m.streams[len(m.streams)-1] }

func (m *model) Append(t *rapid.T) {
	i := rapid.IntRange(0, 2).Draw(t, "lane")
	n := rapid.IntRange(1, 30).Draw(t, "records")
	large := rapid.IntRange(0, 20).Draw(t, "large") == 0
	var c Change
	for range n {
		m.serial++
		r := record(laneNames[i], m.serial)
		if large {
			r.Data = fmt.Appendf(nil, `"%0*d"`, maxRecord, m.serial)
			large = false
			m.queued[i] = append(m.queued[i], "")
		} else {
			m.queued[i] = append(m.queued[i], string(r.Data))
		}
		c.Records = append(c.Records, r)
	}
	if rapid.Bool().Draw(t, "state") {
		key := rapid.SampledFrom([]string{"settings", "rules"}).Draw(t, "key")
		c.State = map[string][]byte{key: fmt.Append(nil, m.serial)}
		m.state[key] = fmt.Sprint(m.serial)
	}
	if err := m.buffer.Append(c); err != nil {
		t.Fatal(err)
	}
}

// Withhold appends what no link is to carry.
func (m *model) Withhold(t *rapid.T) {
	var c Change
	for range rapid.IntRange(1, 60).Draw(t, "withheld") {
		m.serial++
		r := record(holdfast.LaneTelemetry, m.serial)
		c.Local = append(c.Local, r)
		if m.options.HistoryBytes > 0 {
			m.shelved = append(m.shelved, string(r.Data))
		}
	}
	if err := m.buffer.Append(c); err != nil {
		t.Fatal(err)
	}
}

// ripen lets half a minute pass for what was withheld.
func (m *model) ripen() {
	for i := range m.buffer.shelf.items {
		m.buffer.shelf.items[i].since = m.buffer.shelf.items[i].since.Add(-localAfter)
	}
}

func (m *model) Commit(t *rapid.T) {
	if rapid.Bool().Draw(t, "ripe") {
		m.ripen()
	}
	if err := m.buffer.commit(false); err != nil {
		t.Fatal(err)
	}
	m.unshelve()
	for i, queued := range m.queued {
		for _, data := range queued {
			n := modelNumber{data: data}
			if data == "" {
				n.lost = "rejected too_large"
			}
			m.current().lanes[i] = append(m.current().lanes[i], n)
		}
		m.queued[i] = nil
	}
	m.trimmed()
}

// Unsure is a commit whose last page the card refuses; bbolt may show it all the same.
func (m *model) Unsure(t *rapid.T) {
	shows := rapid.Bool().Draw(t, "shows")
	p := m.buffer.take(false)
	if p == nil {
		return
	}
	m.buffer.arrange(p)
	m.buffer.fit(p)
	if shows {
		if err := m.buffer.db.Update(p.write); err != nil {
			t.Fatal(err)
		}
	}
	m.buffer.settle(p, syscall.EIO)
	m.unshelve()
	*m.failures++
	m.trimmed()
}

// Crowd lets the root page seem fuller than it is, for one commit: what stands in the tail has to move.
func (m *model) Crowd(t *rapid.T) {
	m.buffer.writer.root.fixed = rapid.IntRange(pageSize/2, pageSize).Draw(t, "beside")
}

// trimmed takes over from the buffer which blocks it let go, and holds it to its word: history goes silently, what was
// owed goes with a statement, and telemetry goes first.
func (m *model) trimmed() {
	for _, s := range m.streams {
		for i := range s.lanes {
			l := m.buffer.byID[s.id].lanes[i]
			for j := range s.lanes[i] {
				n := &s.lanes[i][j]
				seq := uint64(j) + 1
				if n.data == "" || len(l.held(holdfast.Range{First: seq, Last: seq})) > 0 {
					continue
				}
				n.data = ""
				if !n.done && n.lost == "" {
					n.lost = "dropped full"
				}
			}
		}
	}
}

// unshelve takes over how much of what was withheld a commit took along: all, whole blocks, or nothing; in order.
func (m *model) unshelve() {
	n := len(m.shelved) - len(m.buffer.shelf.items)
	m.local = append(m.local, m.shelved[:n]...)
	m.current().withheld = m.current().withheld || n > 0
	m.shelved = m.shelved[n:]
}

func (m *model) pick(t *rapid.T) (*modelStream, int, holdfast.Range) {
	s := rapid.SampledFrom(m.streams).Draw(t, "stream")
	i := rapid.IntRange(0, 2).Draw(t, "lane")
	first := rapid.IntRange(1, max(1, len(s.lanes[i]))).Draw(t, "first")
	last := rapid.IntRange(first, first+40).Draw(t, "last")
	return s, i, holdfast.Range{First: uint64(first), Last: uint64(last)}
}

func (m *model) each(s *modelStream, i int, r holdfast.Range, f func(*modelNumber)) {
	for seq := r.First; seq <= min(r.Last, uint64(len(s.lanes[i]))); seq++ {
		f(&s.lanes[i][seq-1])
	}
}

func (m *model) Done(t *rapid.T) {
	s, i, r := m.pick(t)
	if err := m.buffer.Done(s.id, laneNames[i], holdfast.Ranges{r}); err != nil {
		t.Fatal(err)
	}
	m.each(s, i, r, func(n *modelNumber) { n.done = true })
}

// DoneFirst receipts what Next gives, as the uplink does.
func (m *model) DoneFirst(t *rapid.T) {
	i := rapid.IntRange(0, 2).Draw(t, "lane")
	batch, ok, err := m.buffer.Next(laneNames[i], holdfast.Position{}, 100, holdfast.MaxBatchBytes)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return
	}
	if err := m.buffer.Done(batch.Stream, batch.Lane, holdfast.Ranges{batch.Range()}); err != nil {
		t.Fatal(err)
	}
	m.each(m.find(batch.Stream), i, batch.Range(), func(n *modelNumber) { n.done = true })
}

func (m *model) find(id holdfast.Stream) *modelStream {
	return m.streams[slices.IndexFunc(m.streams, func(s *modelStream) bool { return s.id == id })]
}

func (m *model) again(n *modelNumber) {
	n.done = false
	if n.data == "" && n.lost == "" {
		n.lost = "dropped receipted_then_lost"
	}
}

func (m *model) Again(t *rapid.T) {
	s, i, r := m.pick(t)
	if err := m.buffer.Again(s.id, laneNames[i], holdfast.Ranges{r}); err != nil {
		t.Fatal(err)
	}
	m.each(s, i, r, m.again)
}

func (m *model) AgainAll(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "rarely") > 0 {
		return
	}
	if err := m.buffer.AgainAll(); err != nil {
		t.Fatal(err)
	}
	for _, s := range m.streams {
		for i := range s.lanes {
			m.each(s, i, holdfast.Range{First: 1, Last: uint64(len(s.lanes[i]))}, m.again)
		}
	}
}

func (m *model) Reject(t *rapid.T) {
	s, i, r := m.pick(t)
	r.Last = min(r.Last, r.First+1)
	if err := m.buffer.Reject(s.id, laneNames[i], r, holdfast.CauseOperator); err != nil {
		t.Fatal(err)
	}
	m.each(s, i, r, func(n *modelNumber) {
		if n.lost == "" {
			n.lost = "rejected operator"
		}
	})
}

// Reopen ends the run well, so that nothing in memory is lost, and begins the next.
func (m *model) Reopen(t *rapid.T) {
	if len(m.streams) > 4 {
		return
	}
	m.Commit(t)
	if err := m.buffer.end(); err != nil {
		t.Fatal(err)
	}
	m.unshelve() // the last commit takes all
	m.current().clean = true
	if _, err := Check(t.Context(), m.path); err != nil {
		t.Fatal(err)
	}
	m.open(t)
}

// Crash leaves the file as a power cut right after a commit does. What only waited is gone, and never had a number.
func (m *model) Crash(t *rapid.T) {
	if len(m.streams) > 4 {
		return
	}
	m.buffer.hasty = true
	m.Commit(t)
	settings := maps.Clone(m.state)
	m.Append(t)
	m.state, m.queued, m.shelved = settings, [len(laneNames)][]string{}, nil
	if err := m.buffer.Close(); err != nil {
		t.Fatal(err)
	}
	m.open(t)
}

func TestModel(t *testing.T) {
	t.Parallel()
	dir := memoryDir(t)
	runs, steps, failures := 0, 0, 0
	defer func() { // also where the model fails
		proof.Record(t, proof.Trial{
			Part: "Models", Fault: "the buffer: appends, readings withheld, receipts, rejections, repeated wishes, overflow, refused commits, stops and crashes, in any order",
			Holds: "each number is owed, in order and with the right words, or done, as in a slice of numbers, after each step", Tried: runs, Unit: "runs", Failed: map[bool]int{true: 1}[t.Failed()],
			Note: fmt.Sprintf("%d steps compared, %d commits refused", steps, failures),
		})
	}()
	rapid.Check(t, func(t *rapid.T) {
		runs++
		o := testOptionsIn(dir)
		os.RemoveAll(filepath.Dir(o.Path))
		o.HistoryBytes = rapid.SampledFrom([]int64{-1, 4000, 1 << 20}).Draw(t, "history")
		o.Window = time.Second
		m := &model{path: o.Path, options: o, state: make(map[string]string), steps: &steps, failures: &failures}
		m.open(t)
		defer func() { m.buffer.Close() }()
		limit := rapid.SampledFrom([]int64{48 << 10, 60 << 10, 1 << 20}).Draw(t, "limit")
		m.buffer.limit = limit
		m.trims = min(limit, o.HistoryBytes) < 1<<20
		actions := rapid.StateMachineActions(m)
		for _, name := range []string{"Reopen", "Crash"} {
			action := actions[name]
			actions[name] = func(t *rapid.T) { action(t); m.buffer.limit = limit }
		}
		t.Repeat(actions)
	})
}
