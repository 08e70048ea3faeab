package uplink

import "time"

const (
	firstPause   = 1 * time.Second
	longestPause = 60 * time.Second
)

// backoff says how long to wait before the next session: full jitter, so that the gateways that one broker lost do not come
// back all at once.
type backoff struct {
	rand   func() float64 // in [0,1)
	failed int            // sessions in a row
}

// next returns a duration between 1 s and a bound that doubles with every call, 60 s at most.
func (b *backoff) next() time.Duration {
	b.failed = min(b.failed+1, 6)
	bound := min(firstPause<<b.failed, longestPause)
	return firstPause + time.Duration(b.rand()*float64(bound-firstPause))
}

// reset is called after a session that was worth something.
func (b *backoff) reset() { b.failed = 0 }
