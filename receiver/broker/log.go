package broker

import (
	"fmt"
	"log/slog"
)

// log passes on what the server says.
type log struct{ to *slog.Logger }

func (l *log) Noticef(format string, v ...any) { l.say(l.to.Debug, format, v) }
func (l *log) Debugf(format string, v ...any)  { l.say(l.to.Debug, format, v) }
func (l *log) Tracef(format string, v ...any)  { l.say(l.to.Debug, format, v) }
func (l *log) Warnf(format string, v ...any)   { l.say(l.to.Warn, format, v) }
func (l *log) Errorf(format string, v ...any)  { l.say(l.to.Error, format, v) }
func (l *log) Fatalf(format string, v ...any)  { l.say(l.to.Error, format, v) }

func (l *log) say(level func(string, ...any), format string, v []any) {
	level("broker", "text", fmt.Sprintf(format, v...))
}
