package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// log passes on what the server says. While the server stops, everything goes to Debug: it complains of clients that are still
// there, and of itself.
type log struct {
	to       *slog.Logger
	door     *door // hears of clients that do what they may not
	stopping atomic.Bool
}

func (l *log) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v) }
func (l *log) Debugf(format string, v ...any)  { l.say(slog.LevelDebug, format, v) }
func (l *log) Tracef(format string, v ...any)  { l.say(slog.LevelDebug, format, v) }
func (l *log) Warnf(format string, v ...any)   { l.say(slog.LevelWarn, format, v) }
func (l *log) Errorf(format string, v ...any)  { l.say(slog.LevelError, format, v) }
func (l *log) Fatalf(format string, v ...any)  { l.say(slog.LevelError, format, v) }

func (l *log) say(level slog.Level, format string, v []any) {
	if l.stopping.Load() {
		level = slog.LevelDebug
	}
	text := fmt.Sprintf(format, v...)
	if level == slog.LevelError && l.door.intercept(text) {
		return
	}
	l.to.Log(context.Background(), level, "broker", "text", text)
}
