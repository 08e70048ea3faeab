package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A ladder counts on disk what may have been the watchdog's doing, so that neither exits nor resets go on for ever. It
// counts beforehand, when the card still works: each start stands in the file until the daemon has ended well or was well
// for an hour. Times are of the kernel's boot: the wall clock of a Pi without a network is anything.
type ladder struct {
	path   string
	record ladderRecord
	noted  bool // the file says so
}

// ladderRecord is the file.
type ladderRecord struct {
	Boot   string  `json:"boot"`
	Starts []int64 `json:"starts"` // of this boot that did not end well, and the one that runs; µs since the boot
	Boots  int     `json:"boots"`  // in a row that did not end well, and the one that runs
}

// ladderFile is its name in the data folder, and noteLimit how long writing it may take: the card may be what hangs.
const (
	ladderFile = "watchdog.json"
	noteLimit  = 5 * time.Second
)

// openLadder counts a start at that instant, in µs since the boot. A file that is damaged counts as none.
func openLadder(ctx context.Context, folder, boot string, now int64) *ladder {
	l := &ladder{path: filepath.Join(folder, ladderFile)}
	var record ladderRecord
	if text, err := os.ReadFile(l.path); err == nil && json.Unmarshal(text, &record) != nil {
		record = ladderRecord{}
	}
	if record.Boot != boot {
		record = ladderRecord{Boot: boot, Boots: record.Boots + 1}
	}
	record.Boots = max(record.Boots, 1)
	record.Starts = append(lately(record.Starts, now), now)
	l.note(ctx, record)
	return l
}

// mayExit reports whether the daemon may end itself to be started anew.
func (l *ladder) mayExit(now int64) bool {
	return l.noted && len(lately(l.record.Starts, now)) <= exitsPerHour
}

// mayReset reports whether the hardware may reset the Pi.
func (l *ladder) mayReset() bool { return l.noted && l.record.Boots <= resetsInRow }

// well forgets all but the start that runs: the daemon has been well for an hour.
func (l *ladder) well(ctx context.Context, now int64) {
	l.note(ctx, ladderRecord{Boot: l.record.Boot, Starts: []int64{now}, Boots: 1})
}

// end forgets all: the daemon ends well.
func (l *ladder) end(ctx context.Context) { l.note(ctx, ladderRecord{Boot: l.record.Boot}) }

// lately returns those of the instants that lie less than an hour back.
func lately(all []int64, now int64) (out []int64) {
	for _, at := range all {
		if at <= now && now-at < time.Hour.Microseconds() {
			out = append(out, at)
		}
	}
	return out
}

// note makes the record durable, and notes whether that succeeded.
func (l *ladder) note(ctx context.Context, record ladderRecord) {
	text, err := json.Marshal(record)
	if err != nil {
		return
	}
	err = replaceFileWithin(ctx, l.path, text)
	l.record, l.noted = record, err == nil
}

// replaceFileWithin is replaceFile for a caller who cannot wait for ever. It also waits where ctx has ended.
func replaceFileWithin(ctx context.Context, path string, text []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteLimit)
	defer cancel()
	written := make(chan error, 1)
	go func() { written <- replaceFile(path, text) }()
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return fmt.Errorf("write %s: %w", path, ctx.Err())
	}
}

// replaceFile makes a small file durable, the new one whole or the old one as it was.
func replaceFile(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
