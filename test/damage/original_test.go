package damage

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/buffer"
)

const device = "damage-test"

// An original is a whole buffer file, and what was in it.
type original struct {
	name  string
	data  []byte
	older [][]byte  // the same file before some of its last commits, the oldest first
	mark  []byte    // of its clean stop, the file NAME.clean; nil where it was killed
	at    time.Time // when the file was last written, which the mark names
	cap   int64     // of the file
	truth truth
}

// A truth is what was in a file. Records are not part of it: [content] tells them.
type truth struct {
	Runs  []holdfast.Stream
	Lanes []map[holdfast.Lane]*laneTruth // of each run
	State map[string][]string            // every value that a key ever had
}

type laneTruth struct {
	Head uint64
	Owed holdfast.Ranges // numbers that were owed, as records or as statements
	Data holdfast.Ranges // those that were owed as records
}

func (tr *truth) run(id holdfast.Stream) int { return slices.Index(tr.Runs, id) }

// content is the record that stands under a number. Some are large, and none compresses well, so that a file of some MiB
// has few enough to be read a thousand times.
func content(run int, lane holdfast.Lane, seq uint64) []byte {
	x := uint64(run+1)*0x9E3779B97F4A7C15 ^ seq*0xBF58476D1CE4E5B9 ^ uint64(len(lane))<<56
	next := func() uint64 { // splitmix64
		x += 0x9E3779B97F4A7C15
		z := (x ^ x>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		return z ^ z>>31
	}
	words := 4 + next()%40
	if seq%97 == 0 {
		words = 1000
	}
	out := fmt.Appendf(nil, `{"time":"2026-01-02T03:04:05Z","run":%d,"lane":%q,"number":%d,"noise":"`, run, lane, seq)
	var noise [8]byte
	for range words {
		binary.BigEndian.PutUint64(noise[:], next())
		out = hex.AppendEncode(out, noise[:])
	}
	return append(out, `"}`...)
}

// A maker writes an original.
type maker struct {
	t      *testing.T
	path   string
	o      *original
	size   int // commits of a run
	buffer *buffer.Buffer
	end    func() error
}

func (m *maker) options() buffer.Options {
	return buffer.Options{Path: m.path, Device: device, MaxBytes: m.o.cap, Window: time.Hour, Log: slog.New(slog.DiscardHandler)}
}

// originals makes the files: large and small ones, each ended well and killed.
func originals(t *testing.T, dir string) []*original {
	t.Helper()
	var out []*original
	for _, kind := range []struct {
		name    string
		cap     int64
		commits int
	}{{"large", 4 << 20, 160}, {"small", 4 << 20, 12}} {
		m := &maker{t: t, path: filepath.Join(dir, kind.name, "buffer.db"), size: kind.commits}
		m.o = &original{name: kind.name, cap: kind.cap, truth: truth{State: map[string][]string{}}}
		killed := m.runs(5)
		out = append(out, m.o, killed)
	}
	return out
}

// runs makes that many streams in the file. It returns what the file was right before the last of them ended well: what
// a kill leaves.
func (m *maker) runs(n int) *original {
	killed := &original{name: m.o.name + ", killed", cap: m.o.cap}
	for run := range n {
		m.start()
		for commit := range m.size {
			if last := run == n-1; last && slices.Contains([]int{60, 20, 8, 3, 2, 1}, m.size-commit) {
				m.o.older = append(m.o.older, m.read(m.path))
			}
			m.commit(run, commit)
		}
		m.receipt(run)
		if run == n-1 {
			killed.data, killed.older = m.read(m.path), slices.Clone(m.o.older)
		}
		if err := m.end(); err != nil {
			m.t.Fatal(err)
		}
	}
	m.o.data = m.read(m.path)
	m.o.mark = m.read(m.path + ".clean")
	info, err := os.Stat(m.path)
	if err != nil {
		m.t.Fatal(err)
	}
	m.o.at = info.ModTime()
	m.look()
	killed.truth = m.o.truth // a stop adds nothing but that it was one
	return killed
}

func (m *maker) start() {
	m.t.Helper()
	b, err := buffer.Open(m.options())
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(m.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	m.buffer = b
	m.end = func() error { cancel(); return <-ended }
	m.o.truth.Runs = append(m.o.truth.Runs, b.Stream())
	m.o.truth.Lanes = append(m.o.truth.Lanes, map[holdfast.Lane]*laneTruth{})
	for _, lane := range holdfast.Lanes {
		m.o.truth.Lanes[len(m.o.truth.Runs)-1][lane] = &laneTruth{}
	}
}

// commit makes some records and two values of state durable, in one transaction.
func (m *maker) commit(run, n int) {
	m.t.Helper()
	var c buffer.Change
	add := func(lane holdfast.Lane, count int) {
		for range count {
			l := m.o.truth.Lanes[run][lane]
			l.Head++
			c.Records = append(c.Records, buffer.Record{Lane: lane, Time: time.Unix(1.7e9+int64(n), 0), Mono: int64(n), Data: content(run, lane, l.Head)})
		}
	}
	add(holdfast.LaneTelemetry, 3+n%20)
	if n%3 == 0 {
		add(holdfast.LaneEvent, 1)
	}
	if n%11 == 0 {
		add(holdfast.LaneAlert, 1)
	}
	c.State = map[string][]byte{}
	for _, key := range []string{"damage/one", "damage/two"} {
		value := fmt.Sprintf("%s of commit %d in run %d %s", key, n, run, strings.Repeat("x", 20*(n%40)))
		c.State[key] = []byte(value)
		m.o.truth.State[key] = append(m.o.truth.State[key], value)
	}
	if err := m.buffer.Commit(m.t.Context(), c); err != nil {
		m.t.Fatal(err)
	}
}

// receipt does of a run what makes history and lost ranges: of the runs before the last, most is done.
func (m *maker) receipt(run int) {
	m.t.Helper()
	id, lanes := m.o.truth.Runs[run], m.o.truth.Lanes[run]
	head := lanes[holdfast.LaneTelemetry].Head
	reject := func(first, last uint64) error {
		return m.buffer.Reject(id, holdfast.LaneTelemetry, holdfast.Range{First: first, Last: last}, holdfast.CauseTooLarge)
	}
	done := func(lane holdfast.Lane, first, last uint64) error {
		return m.buffer.Done(id, lane, holdfast.Ranges{{First: first, Last: last}})
	}
	err := reject(head/2, head/2+3)
	if run < 3 {
		err = cmp.Or(err, done(holdfast.LaneTelemetry, 1, head*2/3), done(holdfast.LaneEvent, 1, lanes[holdfast.LaneEvent].Head),
			done(holdfast.LaneTelemetry, head*3/4, head-5))
	}
	if run == 2 { // a database that lost what it had
		err = cmp.Or(err, m.buffer.Again(m.o.truth.Runs[0], holdfast.LaneTelemetry, holdfast.Ranges{{First: 1, Last: 50}}))
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.commit(run, m.size) // carries it
}

func (m *maker) read(path string) []byte {
	m.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	return data
}

// look notes what the whole file owes, from a copy: that is the work of package buffer's own tests.
func (m *maker) look() {
	m.t.Helper()
	b, err := buffer.Open(m.options())
	if err != nil {
		m.t.Fatal(err)
	}
	defer b.Close()
	for batch, err := range statements(b) {
		if err != nil {
			m.t.Fatal(err)
		}
		if run := m.o.truth.run(batch.Stream); run >= 0 {
			m.o.truth.Lanes[run][batch.Lane].Owed.Add(batch.Range())
			if batch.What == holdfast.Data {
				m.o.truth.Lanes[run][batch.Lane].Data.Add(batch.Range())
			}
		}
	}
}

// write puts the truth where a child finds it.
func (tr *truth) write(t *testing.T, path string) {
	t.Helper()
	data, err := json.Marshal(tr)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
