package buffer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

// Where the folder takes no file at the start (read-only, missing, full), the file is made in memory instead, as a copy of the
// one that stands in the folder where that can be read. All else is as ever: records get numbers, are sent and bounded; but
// a power cut takes them, and the stream says so. Once the folder takes a file, the one in memory goes there as it is.

// A memory is a file that has no name and no card under it.
type memory struct {
	file  *os.File
	of    string // mark of the file in the folder that this one replaces; empty where there was none
	pause time.Duration
	next  time.Time // when the folder is asked again
}

// memoryBytes caps a file in memory that began empty. A copy has the cap of what it is a copy of: nothing of that is let go.
const memoryBytes = 16 << 20

// How often a folder is asked whether it takes the file. On a full disk each time writes what there is room for.
const (
	firstPause = 4 * time.Second
	lastPause  = time.Minute
)

// Refuses reports whether err is the system's about the folder, and says nothing of what is in the file.
func Refuses(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && !errors.Is(err, ErrDamaged)
}

// openMemory opens a file in memory in place of the one at the options' path.
func openMemory(o *Options) (*file, *memory, error) {
	anonymous, err := newAnonymous()
	if err != nil {
		return nil, nil, fmt.Errorf("make a file in memory: %w", err)
	}
	m := &memory{file: anonymous, pause: firstPause, next: time.Now().Add(firstPause)}
	f := &file{path: o.Path}
	if o.Refused == nil {
		if f.digest, err = m.copyOf(o.Path); err != nil {
			o.Log.Error("the file in the data folder cannot be read and is left alone until the next start", "file", o.Path, "err", err)
			err = anonymous.Truncate(0)
		}
	}
	if err == nil {
		err = walkUnheld(m.path())
	}
	if err == nil {
		f.db, err = openBolt(m.path(), o.MaxBytes)
	}
	switch {
	case err != nil:
	case m.of == "":
		err = f.db.Update(makeBuckets)
	default:
		err = f.prepare()
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.abandon(), anonymous.Close())
	}
	return f, m, nil
}

// path is a name under which the file can be opened as long as it is open here.
func (m *memory) path() string { return fmt.Sprintf("/proc/self/fd/%d", m.file.Fd()) }

// copyOf makes m a copy of the file at path, where there is one, and returns the digest that vouches for it.
func (m *memory) copyOf(path string) (digest string, err error) {
	from, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer from.Close()
	if held(path) {
		return "", fmt.Errorf("another process holds %s", path)
	}
	mark, err := cleanMark(path)
	if err != nil {
		return "", err
	}
	if err := copyPages(m.file, from); err != nil {
		return "", err
	}
	digest, _ = readClean(path)
	m.of = mark
	return digest, nil
}

// copyPages copies a file to an empty one. Pages of zeros become holes, which take no memory.
func copyPages(to *os.File, from io.ReaderAt) error {
	page, zeros := make([]byte, pageSize), make([]byte, pageSize)
	for at := int64(0); ; at += pageSize {
		n, err := from.ReadAt(page, at)
		if err != nil && err != io.EOF {
			return err
		}
		if string(page[:n]) == string(zeros[:n]) {
			if err := to.Truncate(at + int64(n)); err != nil {
				return err
			}
		} else if _, err := to.WriteAt(page[:n], at); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
	}
}

// view reads the file, wherever it is.
func (b *Buffer) view(read func(tx *bbolt.Tx) error) error {
	b.moving.RLock()
	defer b.moving.RUnlock()
	return b.db.View(read)
}

// volatile reports whether the file is in memory.
func (b *Buffer) volatile() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.memory != nil
}

// land brings a file that is in memory into the folder, if the folder takes it by now. The writer calls it at each tick.
func (b *Buffer) land() {
	if !b.volatile() || time.Now().Before(b.memory.next) {
		return
	}
	if err := b.settleOnCard(); err != nil {
		b.memory.pause = min(2*b.memory.pause, lastPause)
		b.memory.next = time.Now().Add(b.memory.pause)
		b.mu.Lock()
		b.health.after(err)
		b.mu.Unlock()
	}
}

// settleOnCard makes a file in the folder of the one in memory and goes on with that. With an error all is as it was.
func (b *Buffer) settleOnCard() error {
	m, path := b.memory, b.o.Path
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	mark, err := cleanMark(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.of = ""
	case err != nil:
		return err
	case mark != m.of:
		return fmt.Errorf("%s is not what this buffer goes on from: the next start examines it", path)
	case held(path):
		return fmt.Errorf("another process holds %s", path)
	}
	if err := m.place(path); err != nil {
		return err
	}
	if m.of, err = cleanMark(path); err != nil {
		return err
	}
	if err := errors.Join(syncFolder(filepath.Dir(path)), unmarkClean(path), removeNote(notePath(path))); err != nil {
		return err
	}
	db, err := openBolt(path, b.o.MaxBytes)
	if err != nil {
		return err
	}
	b.moving.Lock()
	old := b.db
	b.db = db
	b.moving.Unlock()
	b.mu.Lock()
	b.memory, b.limit = nil, pageLimit(b.o.MaxBytes)
	b.health.after(nil)
	b.mu.Unlock()
	if err := errors.Join(old.Close(), m.file.Close()); err != nil {
		b.o.Log.Warn("memory of the buffer is not freed", "err", err)
	}
	return nil
}

// leaveMemory is the last try before a stop. It is no error that the folder takes nothing where nobody is owed anything.
func (b *Buffer) leaveMemory() error {
	err := b.settleOnCard()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.streams {
		if s.owed() > 0 {
			return err
		}
	}
	if err != nil {
		b.o.Log.Warn("buffer was in memory to the end; all in it has been delivered", "err", err)
	}
	return nil
}

// place makes the file in memory durable at path, whole or not at all. It replaces the one that it is a copy of, and no other.
func (m *memory) place(path string) error {
	birth := fmt.Sprintf("%s.new-%08x", path, rand.Uint32())
	to, err := os.OpenFile(birth, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(copyPages(to, m.file), to.Sync(), to.Close())
	switch {
	case err != nil:
	case m.of != "":
		err = os.Rename(birth, path)
	default:
		if err = os.Link(birth, path); err == nil {
			return os.Remove(birth)
		}
		if !errors.Is(err, fs.ErrExist) { // a file system without links
			err = os.Rename(birth, path)
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(birth))
	}
	return nil
}
