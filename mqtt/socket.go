package mqtt

import (
	"net"
	"time"
)

// A socket bounds every write. paho bounds those of publications only: an acknowledgement or a ping on a link that swallows
// nothing any more would wait for the kernel to give up, a quarter of an hour.
type socket struct{ net.Conn }

func (s socket) Write(b []byte) (int, error) {
	if err := s.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return s.Conn.Write(b)
}

// SetWriteDeadline does nothing: paho would take away the deadline of a write of another goroutine.
func (s socket) SetWriteDeadline(time.Time) error { return nil }
