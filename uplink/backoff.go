package uplink

import (
	"time"

	"holdfast/mqtt"
)

const (
	firstPause   = 1 * time.Second
	longestPause = 60 * time.Second

	// While a broker is started again its host is there and says so at once. Asking costs the broker nothing, and the network
	// two packets; after some ten minutes of it these are worth saving all the same.
	shortestPause = 500 * time.Millisecond
	shortPauses   = 600 // in a row, of a second on average
)

// A Backoff says how long to wait before the next session: full jitter, so that the gateways that one broker lost do not come
// back all at once.
type Backoff struct {
	Rand    func() float64 // in [0,1)
	failed  int            // sessions in a row
	refused int            // of them, because nobody listened
}

// Next returns a duration between 1 s and a bound that doubles with every call, 60 s at most.
func (b *Backoff) Next() time.Duration {
	b.failed = min(b.failed+1, 6)
	bound := min(firstPause<<b.failed, longestPause)
	return firstPause + time.Duration(b.Rand()*float64(bound-firstPause))
}

// NobodyListened is Next after a host that refused the connection: between 0.5 s and 1.5 s, as long as that is not for ever.
func (b *Backoff) NobodyListened() time.Duration {
	if b.refused == shortPauses {
		return b.Next()
	}
	b.refused++
	return shortestPause + time.Duration(b.Rand()*float64(firstPause))
}

// Reset is called after a session that was worth something.
func (b *Backoff) Reset() { b.failed, b.refused = 0, 0 }

// After says how long to wait after a session that ended with err.
func (b *Backoff) After(err error) time.Duration {
	if mqtt.NobodyListens(err) {
		return b.NobodyListened()
	}
	return b.Next()
}
