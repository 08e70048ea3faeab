package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/testenv"
)

// A system is a bubble whose parts can fail one by one: gateways that can be killed, each with a card of its own, receivers
// that can be killed, each with a database of its own, and a broker in memory between them.
//
// A process is killed at an instant at which nothing in the bubble moves: its cable is cut, and what its folder holds at that
// instant is copied for the one that follows. What the dead one still writes goes to a folder that nobody reads again. So a
// kill meets records in memory, batches and receipts on their way and marks that are not durable yet, but never the middle
// of a transaction; those are the business of the tests of crash images and of processes.
type system struct {
	t      *testing.T
	dir    string
	broker *testenv.Broker
	began  time.Time
	copies int
}

func newSystem(t *testing.T) *system {
	return &system{t: t, dir: memoryFolder(t), broker: testenv.MemoryBroker(t), began: time.Now()}
}

// memoryFolder returns a folder for the test that lies in memory where the system has such: no power is cut here, and a day
// has more commits than a disk makes in the minute that it takes.
func memoryFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "holdfast-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// folder returns the path of a folder that nobody has used.
func (s *system) folder(name string) string {
	s.copies++
	return filepath.Join(s.dir, name+"-"+strconv.Itoa(s.copies))
}

// duplicate copies the files of a folder, with their times, to a new one and returns that: as a copy of a card does.
func (s *system) duplicate(folder, name string) string {
	s.t.Helper()
	to := s.folder(name)
	if err := os.CopyFS(to, os.DirFS(folder)); err != nil {
		s.t.Fatal(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err == nil {
			err = os.Chtimes(filepath.Join(to, f.Name()), info.ModTime(), info.ModTime())
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return to
}

// write makes a file in the system's folder and returns its path.
func (s *system) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// wait lets time pass and everything that follows from it happen.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
