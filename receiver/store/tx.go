package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrConflict marks an error that lies in what was to be written and not in the database's health: the same again fails
// again.
var ErrConflict = errors.New("conflict")

var (
	errReadOnly = errors.New("the store was opened for reading")
	errClosed   = errors.New("the store is closed")
)

// A Tx is the transaction that [Store.Write] runs. It lives as long as the function that it was given to.
type Tx struct {
	ctx    context.Context
	store  *Store
	series map[series]int64 // minted in this transaction

	samples []sample // not written yet
}

// Write runs f in a transaction and returns nil once that is durable. Where f or the commit returns an error, nothing of
// it happened. Transactions take turns; ctx ends the wait for one, but never a transaction that has begun.
func (s *Store) Write(ctx context.Context, f func(*Tx) error) error {
	if s.writer == nil {
		return errReadOnly
	}
	select {
	case _, open := <-s.turn:
		if !open {
			return errClosed
		}
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx := &Tx{ctx: context.WithoutCancel(ctx), store: s, series: make(map[series]int64)}
	if err := tx.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := f(tx)
	if err == nil {
		err = tx.putSamples()
	}
	if err == nil {
		err = tx.commit()
	}
	if err != nil {
		// Some errors have rolled back already, and then this one fails; the first error is the one that tells.
		_ = tx.exec("ROLLBACK")
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.series, tx.series)
	return nil
}

// Writable returns an error where the database takes no writes. What it writes is rolled back.
func (s *Store) Writable(ctx context.Context) error {
	undo := errors.New("undo")
	err := s.Write(ctx, func(tx *Tx) error {
		if err := tx.exec("INSERT INTO meta (key, value) VALUES ('writable', '')"); err != nil {
			return err
		}
		return undo
	})
	if errors.Is(err, undo) {
		return nil
	}
	return err
}

func (t *Tx) stmt(query string) (*sql.Stmt, error) {
	if stmt, ok := t.store.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := t.store.writer.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, classify(err)
	}
	t.store.prepared[query] = stmt
	return stmt, nil
}

func (t *Tx) exec(query string, args ...any) error {
	stmt, err := t.stmt(query)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(t.ctx, args...)
	return classify(err)
}

func (t *Tx) commit() error {
	if err := t.exec("COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// row runs a query for one row; a query that finds none returns [sql.ErrNoRows].
func (t *Tx) row(query string, args []any, into ...any) error {
	stmt, err := t.stmt(query)
	if err != nil {
		return err
	}
	return classify(stmt.QueryRowContext(t.ctx, args...).Scan(into...))
}

// classify marks the errors that a statement brought upon itself.
func classify(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return err
}
