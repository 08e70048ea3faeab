package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// A remedy is what the watchdog does about a daemon that stays ill.
type remedy int

const (
	stay remedy = iota
	endItself
	letReset
)

// A ladder counts on disk what the watchdog did, so that neither exits nor resets go on for ever. Times are of the kernel's
// boot: the wall clock of a Pi without a network is anything.
type ladder struct {
	path, boot string
	chosen     remedy // what was decided last, and until when it holds
	until      int64
	record     ladderRecord
}

// ladderRecord is the file: exits of this boot, and resets in a row.
type ladderRecord struct {
	Boot   string  `json:"boot"`
	Exits  []int64 `json:"exits"` // µs since that boot
	Resets int     `json:"resets"`
}

// ladderFile is its name in the data folder, and noteLimit how long writing it may take: the card may be what hangs.
const (
	ladderFile = "watchdog.json"
	noteLimit  = 5 * time.Second
)

func newLadder(folder, boot string) *ladder {
	l := &ladder{path: filepath.Join(folder, ladderFile), boot: boot}
	if text, err := os.ReadFile(l.path); err == nil {
		json.Unmarshal(text, &l.record) // a file that is damaged counts as none: the next note replaces it
	}
	if l.record.Boot != boot {
		l.record.Boot, l.record.Exits = boot, nil
	}
	return l
}

// next decides what to do at that instant, in µs since boot, and has noted it before it returns: what cannot be noted is
// not done.
func (l *ladder) next(ctx context.Context, now int64, resets bool) remedy {
	if now < l.until {
		return l.chosen
	}
	hour := time.Hour.Microseconds()
	var lately []int64
	for _, at := range l.record.Exits {
		if at <= now && now-at < hour {
			lately = append(lately, at)
		}
	}
	l.chosen, l.until = stay, now+time.Minute.Microseconds()
	record := l.record
	switch {
	case len(lately) < exitsPerHour:
		l.chosen, record.Exits = endItself, append(lately, now)
	case resets && record.Resets < resetsInRow:
		l.chosen, record.Resets = letReset, record.Resets+1
		l.until = now + hour // the hardware bites long before
	default:
		return l.chosen
	}
	if l.note(ctx, record) != nil {
		l.chosen = stay
	}
	return l.chosen
}

// begin forgets what was done: the daemon has been well for long enough.
func (l *ladder) begin(ctx context.Context) {
	if len(l.record.Exits) > 0 || l.record.Resets > 0 {
		l.note(ctx, ladderRecord{Boot: l.boot})
	}
}

// note makes the record durable.
func (l *ladder) note(ctx context.Context, record ladderRecord) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, noteLimit)
	defer cancel()
	written := make(chan error, 1)
	go func() { written <- replaceFile(l.path, text) }()
	select {
	case err = <-written:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		l.record = record
	}
	return err
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
