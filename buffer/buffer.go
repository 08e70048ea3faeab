package buffer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"holdfast"
)

// ErrClosed is returned by everything that comes after the end of [Buffer.Run] or after [Buffer.Close].
var ErrClosed = errors.New("buffer is closed")

// Options say where the buffer is and how much it may take. Path, Device and Log are required.
type Options struct {
	Path          string        // the file; its folder is created
	Device        string        // the device id that the minted stream belongs to
	MaxBytes      int64         // cap of the file, at least 1 MiB; default 64 MiB; on 32 bit at most 256 MiB
	HistoryBytes  int64         // how much of it done blocks may keep; default a quarter of MaxBytes; negative: none
	Window        time.Duration // longest that telemetry stays uncommitted; default 1 s
	WindowRecords int           // this many waiting records are committed at once; default 1000
	QueueRecords  int           // bound of the memory that waits for the card; default 10,000 records
	QueueBytes    int           // the same in bytes of JSON; default 4 MiB
	Grow          bool          // let the file reach its working size in the background, before there is need
	Log           *slog.Logger
	Refused       error // why a file at Path is to be left alone, where it is: the buffer is in memory until the next start

	// Gather is called by the goroutine of Run right before a commit that the end of a window causes: whoever holds records
	// back until then appends them. It must not wait for the buffer. May be nil.
	Gather func()

	// Report is told, by the goroutine of Run and outside of all locks, when the buffer became full or failing and when
	// it recovered; once for each change of state. It may call Append. May be nil.
	Report func(holdfast.BufferChange)
}

const (
	minBytes     = 1 << 20
	defaultBytes = 64 << 20
	most32       = 256 << 20
)

func (o *Options) setDefaults() error {
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultBytes)
	if strconv.IntSize == 32 {
		o.MaxBytes = min(o.MaxBytes, most32)
	}
	if o.MaxBytes < minBytes {
		return fmt.Errorf("a cap of %d bytes: want at least %d", o.MaxBytes, minBytes)
	}
	o.HistoryBytes = max(cmp.Or(o.HistoryBytes, o.MaxBytes/4), 0)
	o.Window = cmp.Or(o.Window, time.Second)
	o.WindowRecords = cmp.Or(o.WindowRecords, 1000)
	o.QueueRecords = cmp.Or(o.QueueRecords, 10_000)
	o.QueueBytes = cmp.Or(o.QueueBytes, 4<<20)
	if o.Gather == nil {
		o.Gather = func() {}
	}
	if o.Report == nil {
		o.Report = func(holdfast.BufferChange) {}
	}
	return nil
}

// A Buffer is the durable store of one gateway. Its methods may be called by any goroutine; [Buffer.Run] is called once.
type Buffer struct {
	o        Options
	db       *bbolt.DB
	moving   sync.RWMutex // guards db: the writer moves it while others read
	previous *holdfast.Previous
	wake     chan struct{} // cap 1: something wants to be committed now
	sooner   chan struct{} // cap 1: something wants to be committed before the tick that was meant
	changed  chan struct{} // cap 1: there is something new to send
	writer   writer        // belongs to the goroutine of Run
	turns    atomic.Uint64 // of that goroutine's loop
	damage   int           // entries, values and blocks that load could not read

	mu       sync.Mutex // guards all below; never held over I/O
	closed   bool
	streams  []*stream // in the order of their ordinals; the last is the current one
	byID     map[holdfast.Stream]*stream
	sum      *sums
	limit    int64 // of the bytes that pages in use take
	history  int64 // of the bytes that done blocks may keep; less than in the options after the disk was full
	measured usage
	memory   *memory // nil unless the file is there
	tail     []piece // in order of number within each lane; changed by the writer only

	queues  [len(laneNames)]queue // appended, not durable yet; of the current stream
	shelf   shelf                 // the same of the local lane
	waiting []*waiter             // Commits that the next transaction carries
	puts    []put                 // state, not durable yet, in order
	newest  map[string]int        // index in puts of each key's newest
	flying  int                   // how many puts at the front the running commit carries
	state   map[string][]byte     // durable state
	redo    map[string]bool       // keys whose value in the file is not known since a commit failed
	deletes [local + 1][][]byte   // keys of blocks that leave the file with the next commit
	forget  []uint32              // ordinals of streams that leave the file
	hasty   bool                  // something but records wants to be durable at the next tick
	tick    time.Time             // when that is
	minted  bool                  // the current stream is in the file

	health health
	count  counters
}

// Open opens the file or makes it, reads what it holds, mints a stream and commits it. A file that [NeedsCheck] names
// must be checked first: a damaged one may kill the process here. Where another process holds the file the error says so.
// Damage that it notices in a file that a clean stop vouched for is an error that wraps [ErrDamaged], and nothing was
// written then.
//
// A card that takes no more is no error. Where an existing file opens and takes no commit, records wait in memory until one
// succeeds. Where the folder takes no file, or a read-only one, the file is in memory until the folder does. The stream is
// volatile meanwhile ([Status]).
func Open(o Options) (*Buffer, error) {
	b, err := open(o)
	if err != nil {
		return nil, fmt.Errorf("open buffer %s: %w", o.Path, err)
	}
	return b, nil
}

func open(o Options) (*Buffer, error) {
	if err := errors.Join(o.setDefaults(), holdfast.CheckDevice(o.Device)); err != nil {
		return nil, err
	}
	refusal := o.Refused
	if refusal == nil {
		b, err := openOnCard(o)
		if !Refuses(err) {
			return b, err
		}
		refusal = err
	}
	b, err := openInMemory(o, refusal)
	if err != nil {
		return nil, errors.Join(refusal, err)
	}
	return b, nil
}

func openOnCard(o Options) (*Buffer, error) {
	f, err := openFile(o.Path, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	b := newBuffer(o)
	b.db = f.db
	if err := b.load(); err != nil {
		return nil, errors.Join(err, f.abandon())
	}
	if err := b.sound(f.digest); err != nil {
		return nil, errors.Join(err, f.abandon())
	}
	b.mint()
	err = b.commit(false) // on a file that was there before, a failure is the state that Run begins with
	if err != nil && f.birth != "" {
		return nil, errors.Join(err, f.abandon())
	}
	if err := f.settle(o.MaxBytes); err != nil {
		return nil, errors.Join(err, f.abandon())
	}
	b.db = f.db
	signal(b.changed)
	return b, nil
}

func openInMemory(o Options, refusal error) (*Buffer, error) {
	f, m, err := openMemory(&o)
	if err != nil {
		return nil, err
	}
	b := newBuffer(o)
	b.db, b.memory = f.db, m
	if m.of == "" {
		b.limit = pageLimit(min(o.MaxBytes, memoryBytes))
	}
	err = errors.Join(b.load(), b.sound(f.digest))
	if err == nil {
		b.mint()
		err = b.commit(false)
	}
	if err != nil {
		return nil, errors.Join(err, f.abandon(), m.file.Close())
	}
	b.health.after(refusal)
	signal(b.changed)
	return b, nil
}

func newBuffer(o Options) *Buffer {
	return &Buffer{
		o:       o,
		wake:    make(chan struct{}, 1),
		sooner:  make(chan struct{}, 1),
		changed: make(chan struct{}, 1),
		byID:    make(map[holdfast.Stream]*stream),
		sum:     new(sums),
		limit:   pageLimit(o.MaxBytes),
		history: o.HistoryBytes,
		newest:  make(map[string]int),
		state:   make(map[string][]byte),
		redo:    make(map[string]bool),
	}
}

// mint starts the stream of this run behind those that the file holds.
func (b *Buffer) mint() {
	var ordinal uint32
	if n := len(b.streams); n > 0 {
		ordinal = b.streams[n-1].ordinal + 1
	}
	b.forgetUnborn()
	if n := len(b.streams); n > 0 {
		last := b.streams[n-1]
		last.dirty = true // it moves from the place of the current stream to those of older ones
		b.previous = &holdfast.Previous{Stream: last.id, Clean: last.clean, Lanes: last.heads()}
	}
	b.forgetIdle()
	b.keep(newStream(holdfast.NewStream(), ordinal, b.o.Device, b.sum))
}

// forgetUnborn takes the newest streams out as long as they have no number: a start that ended before its first record was
// durable. Nobody was told by it how the one before ended, so the next start tells that.
func (b *Buffer) forgetUnborn() {
	for n := len(b.streams); n > 0 && b.streams[n-1].unborn(); n-- {
		b.forgetStream(n - 1)
	}
}

// maxIdle is how many streams that owe and hold nothing stay known, so that a database that asks for one is told.
const maxIdle = 4096

// forgetIdle takes the oldest idle streams beyond maxIdle out of memory, and out of the file with the next commit.
func (b *Buffer) forgetIdle() {
	for i := 0; len(b.streams) > maxIdle && i < len(b.streams); {
		if !b.streams[i].idle() {
			i++
			continue
		}
		b.forgetStream(i)
	}
}

// forgetStream takes a stream out of memory, and out of the file with the next commit.
func (b *Buffer) forgetStream(i int) {
	b.forget = append(b.forget, b.streams[i].ordinal)
	delete(b.byID, b.streams[i].id)
	b.streams = slices.Delete(b.streams, i, i+1)
}

func (b *Buffer) keep(s *stream) {
	b.streams = append(b.streams, s)
	b.byID[s.id] = s
}

// current is the stream that this run writes.
func (b *Buffer) current() *stream { return b.streams[len(b.streams)-1] }

// Stream returns the stream that this run mints numbers of.
func (b *Buffer) Stream() holdfast.Stream {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current().id
}

// Previous tells how the newest stream before this one that has a number ended, with the newest durable number of each
// lane; nil where the file held none.
func (b *Buffer) Previous() *holdfast.Previous { return b.previous }

// Changed is signalled when there is something new to send: after a commit, and after Again and Reject.
func (b *Buffer) Changed() <-chan struct{} { return b.changed }

// Run commits what is appended until ctx ends. Then it commits what is left, closes the file, marks the stop as clean and
// returns nil, or the error that kept the last records from the card. A mark that cannot be made is no error: all is durable
// then, and the next start examines the file.
func (b *Buffer) Run(ctx context.Context) error {
	tick := time.NewTimer(b.wait())
	defer tick.Stop()
	for {
		b.turns.Add(1)
		b.announce()
		select {
		case <-ctx.Done():
			return b.end()
		case <-b.wake:
			b.commit(false) // what it returns is in the buffer's health, and announced
		case <-b.sooner:
			tick.Reset(b.untilTick())
		case <-tick.C:
			b.o.Gather()
			b.commit(false)
			b.land()
			b.grow()
			tick.Reset(b.wait())
		}
	}
}

// wait begins the next window, and returns its length.
func (b *Buffer) wait() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick = time.Now().Add(b.o.Window)
	return b.o.Window
}

// hurry ends the window earlier for records that have waited elsewhere already. A card that refuses is asked once a window.
// Called with the lock held.
func (b *Buffer) hurry(waited time.Duration) {
	tick := time.Now().Add(max(0, b.o.Window-waited))
	if b.health.failing == nil && !b.tick.IsZero() && tick.Before(b.tick) {
		b.tick = tick
		signal(b.sooner)
	}
}

func (b *Buffer) untilTick() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.tick)
}

// Turns counts how often the loop of Run has turned: once a window at least, also while the card refuses. It stands still
// where a commit does not come back. It never blocks.
func (b *Buffer) Turns() uint64 { return b.turns.Load() }

func (b *Buffer) end() error {
	err := b.commit(true)
	for tries := 0; noRoom(err) && tries < 3; tries++ { // each makes more room
		err = b.commit(true)
	}
	if err == nil && b.volatile() {
		err = b.leaveMemory()
	}
	if err == nil && b.volatile() {
		return b.db.Close()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("commit the last records to %s: %w", b.o.Path, err), b.db.Close())
	}
	if err := b.db.Close(); err != nil {
		return fmt.Errorf("close buffer %s: %w", b.o.Path, err)
	}
	if err := markClean(b.o.Path, b.digest()); err != nil { // all is durable: a full disk has no room even for this
		b.o.Log.Warn("buffer is closed, and the next start examines it all the same", "err", err)
	}
	return nil
}

// Close closes the file as a crash would leave it, for a start that goes no further than Open. It must not be called
// while Run runs, nor is there need to call it afterwards.
func (b *Buffer) Close() error {
	b.mu.Lock()
	b.closed = true
	waiting := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	for _, w := range waiting {
		w.end(ErrClosed)
	}
	return b.db.Close()
}

// signal leaves a note on a channel of cap 1, unless one lies there.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
