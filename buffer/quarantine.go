package buffer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxQuarantined damaged files stay to be looked at; the card has better use for the room of older ones.
const maxQuarantined = 3

// Quarantine moves the file at path into the folder quarantine beside it, under a name with the time, and returns its
// new path. The three newest of that name stay there. A file that another process holds stays where it is: Check does not
// find it damaged, but a caller that sees just a child's bad end cannot tell.
func Quarantine(path string) (string, error) {
	if held(path) {
		return "", fmt.Errorf("quarantine buffer: another process holds %s", path)
	}
	folder := filepath.Join(filepath.Dir(path), "quarantine")
	name := filepath.Base(path) + "-"
	to := filepath.Join(folder, name+time.Now().UTC().Format("20060102T150405.000000Z"))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("quarantine buffer: %w", err)
	}
	if err := errors.Join(unmarkClean(path), writeNote(notePath(path), to)); err != nil {
		return "", fmt.Errorf("quarantine buffer: %w", err)
	}
	if err := os.Rename(path, to); err != nil {
		return "", fmt.Errorf("quarantine buffer: %w", errors.Join(err, removeNote(notePath(path))))
	}
	err := errors.Join(removeOld(folder, name), syncFolder(folder), syncFolder(filepath.Dir(path)))
	if err != nil {
		return to, fmt.Errorf("quarantine buffer: %w", err)
	}
	return to, nil
}

// notePath is where Quarantine notes, until there is a file at path again, what waits to be salvaged.
func notePath(path string) string { return path + ".salvage" }

// Unsalvaged returns the quarantined file that [Salvage] was to make the file at path from, and did not come to: the
// power failed in between. It is empty where nothing waits. [Open] makes an empty file, and ends the waiting.
func Unsalvaged(path string) string {
	damaged, err := os.ReadFile(notePath(path))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(path); err == nil {
		return ""
	}
	if _, err := os.Stat(string(damaged)); err != nil {
		return ""
	}
	return string(damaged)
}

// removeOld removes the oldest files of that name; the time in the name gives the order.
func removeOld(folder, name string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(f fs.DirEntry) bool { return !strings.HasPrefix(f.Name(), name) })
	for len(files) > maxQuarantined {
		if err := os.Remove(filepath.Join(folder, files[0].Name())); err != nil {
			return err
		}
		files = files[1:]
	}
	return nil
}
