package dashboard

import (
	"bufio"
	"encoding/json"
	"net/http"
	"time"

	"holdfast"
	"holdfast/internal/ui"
)

// Archive hands out what the device holds: Records calls f with each record that the device still holds between from and to, in order of time, with its lane, until
// f returns false. It reads the disk.
type Archive interface {
	Records(from, to time.Time, f func(lane holdfast.Lane, record []byte) bool) error
}

const (
	longestSpan = 31 * 24 * time.Hour // of a request for records
	chunk       = 256 << 10           // bytes that are written between two pauses
	chunkTime   = 30 * time.Second    // that a client has to take them
	busyRetry   = "60"                // seconds
)

// records answers with all that the device holds of a span, by default the last day: a line of JSON for each record, and
// {"end":true} behind the last. An answer without that is not whole. So that it never comes into the way of measuring there
// is one at a time, which rests as long as it works.
func (d *Dashboard) records(w http.ResponseWriter, r *http.Request) {
	from, to, err := span(r.URL.Query(), 24*time.Hour)
	switch {
	case err != nil:
		ui.Problem(w, http.StatusBadRequest, err.Error())
		return
	case to.Sub(from) > longestSpan:
		ui.Problem(w, http.StatusBadRequest, "from and to: want at most 31 days between them")
		return
	}
	done := turn(w, d.taking, "somebody else is taking records already")
	if done == nil {
		return
	}
	defer done()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	out := &slowly{w: w, r: r, to: bufio.NewWriterSize(w, 32<<10), began: time.Now()}
	out.extend()
	err = d.options.Archive.Records(from, to, func(lane holdfast.Lane, record []byte) bool {
		out.line(lane, record)
		return out.err == nil
	})
	switch {
	case err != nil && !out.any:
		w.Header().Del("Content-Type")
		d.fail(w, "read records", err)
	case err != nil:
		d.options.Log.Error("records cannot be read to the end", "err", err)
	case out.err == nil:
		_, _ = out.to.WriteString("{\"end\":true}\n")
		_ = out.to.Flush()
	}
}

// slowly writes an answer with pauses.
type slowly struct {
	w       http.ResponseWriter
	r       *http.Request
	to      *bufio.Writer
	any     bool
	written int
	began   time.Time // of the chunk
	err     error     // the client is gone
}

func (s *slowly) line(lane holdfast.Lane, record []byte) {
	s.any = true
	head := `{"lane":"` + string(lane) + `","record":`
	for _, part := range [][]byte{[]byte(head), record, []byte("}\n")} {
		n, err := s.to.Write(part)
		s.written += n
		if err != nil {
			s.err = err
			return
		}
	}
	if s.written >= chunk {
		s.rest()
	}
}

// rest pauses for as long as the chunk took.
func (s *slowly) rest() {
	if s.err = s.to.Flush(); s.err != nil {
		return
	}
	pause := time.NewTimer(min(time.Since(s.began), time.Second))
	defer pause.Stop()
	select {
	case <-s.r.Context().Done():
		s.err = s.r.Context().Err()
	case <-pause.C:
	}
	s.written, s.began = 0, time.Now()
	s.extend()
}

// extend gives the client time for the next chunk: the server's deadline is for short answers.
func (s *slowly) extend() {
	_ = http.NewResponseController(s.w).SetWriteDeadline(time.Now().Add(chunkTime)) // a writer without deadlines is a test's
}

// A Line is one line of the answer.
type Line struct {
	Lane   holdfast.Lane   `json:"lane"`
	Record json.RawMessage `json:"record"`
	End    bool            `json:"end"` // behind the last
}
