package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"holdfast"
)

// micros returns t as the database has it.
func micros(t time.Time) int64 { return t.UnixMicro() }

// inTime takes microseconds from a column into a time; NULL gives the zero time.
type inTime struct{ to *time.Time }

func (i inTime) Scan(column any) error {
	switch us := column.(type) {
	case nil:
		*i.to = time.Time{}
	case int64:
		*i.to = time.UnixMicro(us).UTC()
	default:
		return fmt.Errorf("time column holds %T", column)
	}
	return nil
}

// inStream takes 16 bytes from a column into a stream's id; NULL gives the zero id.
type inStream struct{ to *holdfast.Stream }

func (i inStream) Scan(column any) error {
	switch id := column.(type) {
	case nil:
		*i.to = holdfast.Stream{}
	case []byte:
		if len(id) != len(i.to) {
			return fmt.Errorf("stream column holds %d bytes", len(id))
		}
		*i.to = holdfast.Stream(id)
	default:
		return fmt.Errorf("stream column holds %T", column)
	}
	return nil
}

// inText takes text or bytes from a column that may be NULL.
type inText[T ~string | ~[]byte] struct{ to *T }

func (i inText[T]) Scan(column any) error {
	switch v := column.(type) {
	case nil:
		*i.to = T("")
	case string:
		*i.to = T(v)
	case []byte:
		*i.to = T(string(v))
	default:
		return fmt.Errorf("text column holds %T", column)
	}
	return nil
}

// idOrNull returns a stream's id as a column has it: NULL for none.
func idOrNull(s holdfast.Stream) any {
	if s.IsZero() {
		return nil
	}
	return s[:]
}

// collect reads all rows; columns returns where the columns of one go.
func collect[T any](rows *sql.Rows, what string, columns func(*T) []any) ([]T, error) {
	var all []T
	var errs []error
	for rows.Next() {
		var one T
		if err := rows.Scan(columns(&one)...); err != nil {
			errs = append(errs, err)
			break
		}
		all = append(all, one)
	}
	errs = append(errs, rows.Err(), rows.Close())
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return all, nil
}
