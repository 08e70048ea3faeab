package balena

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// lockPath is where both locks are, docs.balena.io/learn/deploy/release-strategy/update-locking: while the file exists,
// created exclusively, the supervisor stops no service of the release; while somebody has an exclusive flock on it, the host
// OS does not reboot for an update of its own. The folder is the host's and lives until the next boot, so that the file
// outlives the container.
const lockPath = "/tmp/balena/updates.lock"

// lockMark is what our file holds. The supervisor's own is empty.
const lockMark = "holdfast\n"

// errForeign says that the lock is another's: the supervisor takes it too, before it stops a service.
var errForeign = errors.New("another holds it")

// Locks are the two locks that hold updates back. Its methods may be called from any goroutine.
type Locks struct {
	path string
	log  *slog.Logger
}

// NewLocks returns the locks at that path, empty for balena's own, and removes a lock that a gateway left that was killed:
// nothing would be updated otherwise until the next boot.
func NewLocks(path string, log *slog.Logger) *Locks {
	if path == "" {
		path = lockPath
	}
	l := &Locks{path, log}
	if f, err := l.takeStale(); err == nil {
		log.Warn("update lock of a gateway that was killed is removed", "file", l.path)
		l.give(f)
	}
	return l
}

// Hold takes both locks for something that should not be cut off, for limit at most, and returns what gives them back; to
// call it twice does nothing. Where they cannot be had, off balena or because another holds them, work goes on without: an
// update that stops the gateway in the middle costs what a power cut does.
func (l *Locks) Hold(why string, limit time.Duration) (release func()) {
	if _, err := os.Stat(filepath.Dir(l.path)); err != nil {
		return func() {} // not on balena
	}
	f, err := l.take()
	if err != nil {
		l.log.Warn("updates are not held back", "for", why, "err", err)
		return func() {}
	}
	l.log.Info("updates are held back", "for", why, "at_most", limit)
	end := sync.OnceFunc(func() {
		l.give(f)
		l.log.Info("updates are let in again", "after", why)
	})
	timer := time.AfterFunc(limit, end)
	return func() {
		timer.Stop()
		end()
	}
}

// take makes the lock. It gets its name when it is marked and flocked already: whoever finds it finds it whole, and a kill at
// any instant leaves either nothing or a lock that is known to be ours.
func (l *Locks) take() (*os.File, error) {
	if f, err := l.takeStale(); err == nil {
		return f, nil
	}
	own := fmt.Sprintf("%s.%d", l.path, os.Getpid())
	if err := os.Remove(own); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(own, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(lockMark)
	if err == nil {
		err = flock(f)
	}
	if err == nil {
		err = os.Link(own, l.path) // fails where there is one, as O_EXCL does
	}
	if errors.Is(err, fs.ErrExist) {
		err = errForeign
	}
	if err := errors.Join(err, os.Remove(own)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// takeStale takes over a lock of ours that nobody holds any more: the kernel gives a flock back when its process dies.
func (l *Locks) takeStale() (*os.File, error) {
	f, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	mark, err := io.ReadAll(io.LimitReader(f, 64))
	if err == nil && string(mark) != lockMark {
		err = errForeign
	}
	if err == nil {
		err = flock(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// give removes the lock, unless another has taken its place meanwhile by force, and lets the flock go.
func (l *Locks) give(f *os.File) {
	ours, err := f.Stat()
	if there, missing := os.Stat(l.path); err == nil && missing == nil && os.SameFile(ours, there) {
		err = os.Remove(l.path)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		l.log.Error("update lock is not removed; balena would wait for the next boot", "file", l.path, "err", err)
	}
}
