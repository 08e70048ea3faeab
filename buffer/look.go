package buffer

import (
	"errors"
	"fmt"
	"log/slog"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
)

// ErrHeld is wrapped by what [Look] returns for a file that a gateway has open.
var ErrHeld = errors.New("another process holds the buffer file")

// Look opens the file at path to read in it, and calls f with a buffer that answers [Buffer.Browse], [Buffer.History],
// [Buffer.Newest] and [Buffer.State]; nothing else may be called. No process may have the file open for writing. Nothing in it
// changes, and no stream begins. As with [Check], a damaged file can end the process.
func Look(path string, f func(*Buffer) error) error {
	if err := walkUnheld(path); err != nil {
		return fmt.Errorf("look into buffer %s: %w", path, err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockWait})
	switch {
	case errors.Is(err, bberrors.ErrTimeout):
		return fmt.Errorf("look into buffer %s: %w", path, ErrHeld)
	case err != nil:
		return fmt.Errorf("look into buffer %s: %w", path, err)
	}
	defer db.Close()
	b := newBuffer(Options{Log: slog.New(slog.DiscardHandler)})
	b.db = db
	if err := b.load(); err != nil {
		return fmt.Errorf("look into buffer %s: %w", path, err)
	}
	return f(b)
}
