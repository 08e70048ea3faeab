package buffer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A clean stop is a tiny file beside the buffer, PATH.clean, that names the size and the time of the closed buffer: to
// read it needs no bbolt, which a damaged buffer would turn against the process. It is written last and removed first.

func cleanPath(path string) string { return path + ".clean" }

// NeedsCheck reports whether the file at path must be looked at by [Check], in a child process, before [Open]: it is
// there, and no clean stop vouches for it.
func NeedsCheck(path string) bool {
	want, err := cleanMark(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	got, readErr := os.ReadFile(cleanPath(path))
	return err != nil || readErr != nil || string(got) != want
}

func cleanMark(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d bytes, modified %d\n", info.Size(), info.ModTime().UnixNano()), nil
}

func markClean(path string) error {
	mark, err := cleanMark(path)
	if err != nil {
		return fmt.Errorf("mark buffer clean: %w", err)
	}
	if err := writeNote(cleanPath(path), mark); err != nil {
		return fmt.Errorf("mark buffer clean: %w", err)
	}
	return nil
}

func unmarkClean(path string) error { return removeNote(cleanPath(path)) }

// writeNote makes a small file durable.
func writeNote(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path)))
}

// removeNote makes it durable that there is no such file.
func removeNote(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncFolder(filepath.Dir(path)))
}
