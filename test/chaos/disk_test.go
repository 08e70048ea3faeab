package chaos

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"holdfast/internal/testenv"
)

// locked holds the receiver's database as another program does that writes to it.
func locked(t *testing.T, b *bench, _ *rand.Rand) (end func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.data, database)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), "BEGIN IMMEDIATE"); err != nil {
		t.Errorf("lock the database: %v", err)
	}
	return func() {
		db.Exec("ROLLBACK")
		db.Close()
	}
}

// unwritable makes every write of the receiver to a file fail, as on a disk that is full or dying.
func unwritable(t *testing.T, b *bench, _ *rand.Rand) (end func()) {
	t.Helper()
	limitFiles(t, b.receiver, "0")
	return func() { limitFiles(t, b.receiver, "unlimited") }
}

// short makes every write of the gateway to its buffer fail that is not at the beginning of the file. Its truth log goes on.
func short(t *testing.T, b *bench, _ *rand.Rand) (end func()) {
	t.Helper()
	info, err := os.Stat(b.truth)
	if err != nil {
		t.Fatal(err)
	}
	limitFiles(t, b.gateway, strconv.FormatInt(info.Size()+24<<10, 10))
	from := b.now()
	return func() {
		limitFiles(t, b.gateway, "unlimited")
		b.full = append(b.full, span{from, b.now()})
	}
}

// limitFiles bounds how far into a file the process may write.
func limitFiles(t *testing.T, p *testenv.Process, size string) {
	t.Helper()
	out, err := exec.Command(testenv.NeedProgram(t, "prlimit"), "--pid", strconv.Itoa(p.PID()), "--fsize="+size+":unlimited").CombinedOutput()
	if err != nil && !p.Ended() {
		t.Errorf("prlimit: %v: %s", err, out)
	}
}

// fill writes a file until the disk is full; the end of it removes that.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill %s: %v", dir, err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}
