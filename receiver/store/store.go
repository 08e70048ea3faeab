package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"modernc.org/sqlite"

	"holdfast"
)

// Options of [Open].
type Options struct {
	Path string       // the database file; its folder is created
	Log  *slog.Logger // migrations; nil for none
}

// A Store is one open database. It is safe for concurrent use.
type Store struct {
	id      holdfast.Stream
	readers *sql.DB

	writers *sql.DB
	turn    chan struct{} // holds one token, and is closed with the store; whoever has it uses writer and prepared
	writer  *sql.Conn
	// statements on writer by their text
	prepared map[string]*sql.Stmt

	mu     sync.Mutex
	series map[series]int64 // committed ones
}

// series names one quantity of one sensor of one device.
type series struct{ device, sensor, quantity string }

const readerConnections = 4

// Open opens or creates the database, brings its tables up to date and checks that a commit will be durable.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o750); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	writers, err := connect(o.Path, "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	writers.SetMaxOpenConns(1)
	s := &Store{
		writers:  writers,
		turn:     make(chan struct{}, 1),
		prepared: make(map[string]*sql.Stmt),
		series:   make(map[series]int64),
	}
	s.turn <- struct{}{}
	if err := s.prepareWriter(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", o.Path, err), s.Close())
	}
	if err := s.openReaders(ctx, o.Path); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", o.Path, err), s.Close())
	}
	return s, nil
}

// OpenReadOnly opens an existing database for reading, beside a receiver that may be running. Its Write returns an error.
func OpenReadOnly(ctx context.Context, path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	if err := s.openReaders(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), s.Close())
	}
	return s, nil
}

func connect(path, pragmas string) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	file := url.URL{Scheme: "file", Path: absolute, RawQuery: "_pragma=busy_timeout(5000)&" + pragmas}
	connector, err := sqlite.NewConnector(file.String())
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return sql.OpenDB(connector), nil
}

func (s *Store) prepareWriter(ctx context.Context, o Options) error {
	alone, err := lock(o.Path + ".lock")
	if err != nil {
		return err
	}
	defer alone.Close()
	if err := migrate(ctx, s.writers, o.Log); err != nil {
		return err
	}
	conn, err := s.writers.Conn(ctx)
	if err != nil {
		return err
	}
	s.writer = conn
	return checkDurable(ctx, conn)
}

// checkDurable reads back what the connection was told, for a commit is only worth a receipt where it was obeyed.
func checkDurable(ctx context.Context, conn *sql.Conn) error {
	var journal string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return fmt.Errorf("read journal_mode: %w", err)
	}
	var synchronous int
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return fmt.Errorf("read synchronous: %w", err)
	}
	const full = 2
	if !strings.EqualFold(journal, "wal") || synchronous < full {
		return fmt.Errorf("commits would not be durable: journal_mode %s, synchronous %d, want wal and %d (FULL): is the file on a network share?",
			journal, synchronous, full)
	}
	return nil
}

func (s *Store) openReaders(ctx context.Context, path string) error {
	readers, err := connect(path, "mode=ro&_pragma=query_only(1)")
	if err != nil {
		return err
	}
	readers.SetMaxOpenConns(readerConnections)
	readers.SetMaxIdleConns(readerConnections)
	s.readers = readers
	var text string
	if err := readers.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'store'").Scan(&text); err != nil {
		return fmt.Errorf("read the store's name: %w", err)
	}
	s.id, err = holdfast.ParseStream(text)
	return err
}

// ID returns the 128 bits that name this database in receipts.
func (s *Store) ID() holdfast.Stream { return s.id }

// Close closes the database after a transaction under way has ended. Closing again does nothing.
func (s *Store) Close() error {
	if _, open := <-s.turn; !open {
		return nil
	}
	close(s.turn)
	var errs []error
	for _, stmt := range s.prepared {
		errs = append(errs, stmt.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	for _, db := range []*sql.DB{s.readers, s.writers} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}
