package sensors

import (
	"bufio"
	"bytes"
	"fmt"
	"time"
)

// startMark begins the comment that says when a recording began.
const startMark = "# start: "

// ReplayStart looks for the wall time of offset 0 in the comments at the head of a recording, a line like
// "# start: 2026-01-12T00:00:00Z". It returns the zero time where there is none. A replay does not heed it: its time is now.
func ReplayStart(file string, text *bufio.Reader) (time.Time, error) {
	head, _ := text.Peek(4096) // what cannot be read is for the parser to tell
	line := 0
	for part := range bytes.Lines(head) {
		line++
		if len(part) == 0 || part[0] != '#' {
			break
		}
		when, ok := bytes.CutPrefix(part, []byte(startMark))
		if !ok {
			continue
		}
		start, err := time.Parse(time.RFC3339, string(bytes.TrimSpace(when)))
		if err != nil || start.Year() < 1970 {
			return time.Time{}, fmt.Errorf("%s:%d:%d: start %.60q: want RFC 3339, as in 2026-01-12T00:00:00Z", file, line, len(startMark)+1, bytes.TrimSpace(when))
		}
		return start.UTC(), nil
	}
	return time.Time{}, nil
}
