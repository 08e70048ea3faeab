package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/testenv"
)

// A data folder that takes no file at the start: the gateway measures and sends all the same, says so, and goes on durably
// as soon as the folder takes one. Every reading is stored once, in one stream without holes.
func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	disk := testenv.SmallDisk(t, 16<<20)
	testenv.Remount(t, disk, "ro")
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		c := s.cloud("cloud")
		c.start()
		p := s.pi("bubble")
		p.card = filepath.Join(disk, "data")
		j := &judge{system: s, pi: p, cloud: c}
		p.start()
		wait(time.Minute)
		if n := c.number("SELECT count(*) FROM sample"); n < 60 {
			t.Errorf("%d readings have arrived within a minute", n)
		}
		g := p.life.gateway
		if b, _ := g.viewBuffer(); !b.Volatile || b.Failing == "" || !g.birth().Volatile {
			t.Errorf("page %+v, birth %+v, want both to say that nothing is durable", b, g.birth())
		}
		if err := g.health(); err != nil {
			t.Errorf("ill: %v, and a restart would not help", err)
		}
		testenv.Remount(t, disk, "rw")
		wait(2 * time.Minute)
		if b, _ := g.viewBuffer(); b.Volatile || b.Failing != "" || g.birth().Volatile {
			t.Errorf("page %+v, want one that is durable", b)
		}
		p.kill() // what is on the card goes on
		p.start()
		wait(time.Minute)
		j.finish()
		if n := c.number("SELECT count(*) FROM record WHERE json ->> 'event' LIKE 'buffer%' AND json ->> '$.data.state' = 'failing' AND json ->> '$.data.error' LIKE '%read-only%'"); n != 1 {
			t.Errorf("%d events say that the card refuses, want 1", n)
		}
	})
}

// A card that became read-only after a power cut, as a worn one does: what stands on it is sent from there, new readings in
// a stream of their own, and both go on when the card takes writes again.
func TestReadOnlyFolderAfterKill(t *testing.T) {
	t.Parallel()
	disk := testenv.SmallDisk(t, 96<<20)
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		c := s.cloud("cloud")
		p := s.pi("bubble")
		j := &judge{system: s, pi: p, cloud: c}
		p.start()
		wait(time.Minute)
		p.kill()
		worn := filepath.Join(disk, "data")
		if err := os.CopyFS(worn, os.DirFS(p.card)); err != nil {
			t.Fatal(err)
		}
		p.card = worn
		testenv.Remount(t, disk, "ro")
		p.start()
		c.start()
		wait(time.Minute)
		if b, _ := p.life.gateway.viewBuffer(); !b.Volatile || p.pending() > 5 {
			t.Errorf("%+v, %d numbers are owed, want all of both streams sent", b, p.pending())
		}
		testenv.Remount(t, disk, "rw")
		wait(2 * time.Minute)
		p.kill()
		p.start()
		j.finish()
	})
}

// A damaged file in a read-only folder is left as it is: the gateway measures and sends from memory, also when the folder is
// writable again, and the next start salvages the file.
func TestReadOnlyFolderWithDamagedFile(t *testing.T) {
	t.Parallel()
	disk := testenv.SmallDisk(t, 96<<20)
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t)
		c := s.cloud("cloud")
		c.start()
		p := s.pi("bubble")
		p.start()
		wait(time.Minute)
		p.stop()
		worn := filepath.Join(disk, "data")
		if err := os.CopyFS(worn, os.DirFS(p.card)); err != nil {
			t.Fatal(err)
		}
		p.card = worn
		path := filepath.Join(worn, bufferFile)
		if err := os.WriteFile(path, make([]byte, 64<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		testenv.Remount(t, disk, "ro")
		before := c.number("SELECT count(*) FROM sample")
		p.start()
		wait(time.Minute)
		testenv.Remount(t, disk, "rw")
		wait(2 * time.Minute)
		if n := c.number("SELECT count(*) FROM sample"); n < before+150 {
			t.Errorf("%d readings have arrived since, in three minutes", n-before)
		}
		if b, _ := p.life.gateway.viewBuffer(); !b.Volatile || !strings.Contains(b.Failing, "the next start examines it") {
			t.Errorf("%+v, want it volatile, and told what to do", b)
		}
		p.rest()
		p.stop()
		p.start()
		if b, _ := p.life.gateway.viewBuffer(); b.Volatile || p.life.gateway.damage == nil {
			t.Errorf("%+v, damage %v, want the damaged file set aside", b, p.life.gateway.damage)
		}
		p.stop()
	})
}

// A random id that could not be kept at the start is the same after the next one.
func TestReadOnlyFolderKeepsID(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	g := &gateway{cfg: Config{DataDir: folder}, notices: new(notices), log: slog.New(slog.DiscardHandler)}
	g.unkept, g.device = true, "0123456789abcdef"
	g.notices.add(unkeptNotice)
	g.keepIdentity()
	if !g.unkept {
		t.Error("kept in a file")
	}
	os.Remove(folder)
	g.keepIdentity()
	if text, err := os.ReadFile(filepath.Join(folder, "device-id")); string(text) != "0123456789abcdef\n" || g.unkept || len(g.notices.all()) > 0 {
		t.Errorf("%q, %v, notices %v", text, err, g.notices.all())
	}
}
