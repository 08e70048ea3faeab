package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A name is given once, to a device or to an operator; what is known of a device that was heard before stays.
func TestLogins(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "receiver.db"))
	add := func(id, status string) error {
		return s.Write(t.Context(), func(tx *Tx) error {
			return tx.AddDevice(Device{ID: id, Status: status, Type: "zero", Location: "cellar"}, "hash of "+id)
		})
	}
	operator := func(name string) error {
		return s.Write(t.Context(), func(tx *Tx) error { return tx.PutOperator(name, "hash of "+name, noon) })
	}
	write(t, s, func(tx *Tx) error {
		_, err := tx.Seen("heard", StatusPending, true, noon)
		return err
	})
	for i, step := range []struct {
		got  error
		want error
	}{
		{add("pi-7", StatusActive), nil}, {add("pi-7", StatusActive), ErrTaken}, {operator("pi-7"), ErrTaken},
		{operator("ops"), nil}, {operator("ops"), ErrTaken}, {add("ops", StatusActive), ErrTaken},
		{add("heard", StatusActive), nil}, {add("gone", StatusRetired), nil},
	} {
		if !errors.Is(step.got, step.want) {
			t.Errorf("step %d: %v, want %v", i, step.got, step.want)
		}
	}
	logins, err := s.Logins(t.Context(), "")
	want := []Login{{"heard", "hash of heard", false}, {"ops", "hash of ops", true}, {"pi-7", "hash of pi-7", false}}
	if err != nil || !slices.Equal(logins, want) {
		t.Errorf("logins %v, %v, want %v", logins, err, want)
	}
	for only, n := range map[string]int{"pi-7": 1, "gone": 0, "nobody": 0} {
		if found, err := s.Logins(t.Context(), only); err != nil || len(found) != n {
			t.Errorf("%s: %v, %v", only, found, err)
		}
	}
	devices, err := s.Devices(t.Context(), "", 10)
	if err != nil || len(devices) != 3 {
		t.Fatalf("devices %+v, %v", devices, err)
	}
	if d := devices[1]; d.ID != "heard" || d.Status != StatusActive || !d.FirstSeen.Equal(noon) || !d.Secret || d.Location != "cellar" {
		t.Errorf("a device that was heard before: %+v", d)
	}
	if d := devices[2]; !d.FirstSeen.IsZero() || !d.LastSeen.IsZero() || !d.Secret {
		t.Errorf("a device that was never heard: %+v", d)
	}
	write(t, s, func(tx *Tx) error {
		status, err := tx.Seen("pi-7", StatusPending, false, noon)
		if status != StatusActive {
			t.Errorf("status %q", status)
		}
		return err
	})
	if devices, _ := s.Devices(t.Context(), "pi-7", 1); !devices[0].FirstSeen.Equal(noon) || !devices[0].LastSeen.Equal(noon) {
		t.Errorf("heard for the first time: %+v", devices[0])
	}
}

// A database from before there were logins gets them, and its devices stay what they were.
func TestLoginsOfAnOldDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "receiver.db")
	db, err := connect(path, "")
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))"}
	for version, name := range []string{"", "0001_start.sql", "0002_operators_word.sql"} {
		if name != "" {
			text, err := os.ReadFile(filepath.Join("migrations", name))
			if err != nil {
				t.Fatal(err)
			}
			_, up, _ := strings.Cut(string(text), "-- +goose Up\n")
			statements = append(statements, up)
		}
		statements = append(statements, fmt.Sprintf("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, 1)", version))
	}
	statements = append(statements, fmt.Sprintf("INSERT INTO device (id, first_seen_us, last_seen_us) VALUES ('pi-7', %d, %d)", micros(noon), micros(noon)))
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%.60s: %v", statement, err)
		}
	}
	db.Close()

	s := open(t, path)
	devices, err := s.Devices(t.Context(), "", 10)
	if err != nil || len(devices) != 1 || devices[0].Status != StatusActive || devices[0].Secret || !devices[0].LastSeen.Equal(noon) {
		t.Fatalf("devices %+v, %v", devices, err)
	}
	write(t, s, func(tx *Tx) error { return tx.AddDevice(Device{ID: "pi-7", Status: StatusActive}, "hash") })
	if logins, err := s.Logins(t.Context(), ""); err != nil || len(logins) != 1 {
		t.Errorf("logins %v, %v", logins, err)
	}
}

// A command and the receiver may both be the first to open a database.
func TestOpenedAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "receiver.db")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := Open(t.Context(), Options{Path: path})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Another process writes while this one has a transaction under way: it waits, and both see what the other did.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "receiver.db")
	serving, command := open(t, path), open(t, path)
	begun, added := make(chan struct{}), make(chan error, 1)
	go func() {
		<-begun
		added <- command.Write(t.Context(), func(tx *Tx) error { return tx.AddDevice(Device{ID: "pi-8", Status: StatusSuspended}, "hash") })
	}()
	write(t, serving, func(tx *Tx) error {
		_, err := tx.Seen("pi-7", StatusActive, true, noon)
		close(begun)
		<-time.After(100 * time.Millisecond)
		return err
	})
	if err := <-added; err != nil {
		t.Fatal(err)
	}
	write(t, serving, func(tx *Tx) error {
		status, err := tx.Seen("pi-8", StatusActive, true, noon)
		if status != StatusSuspended {
			t.Errorf("status %q, want that of the other process", status)
		}
		return err
	})
	if _, err := serving.Logins(t.Context(), "pi-8"); err != nil || errors.Is(err, sql.ErrNoRows) {
		t.Error(err)
	}
}
