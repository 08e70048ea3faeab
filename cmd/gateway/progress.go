package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

// progress tells a health check whether the daemon gets on: the loop that measures has to turn. Being offline is not ill,
// and neither is a sensor that fails.
type progress struct {
	start  time.Time
	turned atomic.Int64 // when the loop last turned, in ns since start: monotonic, whatever becomes of the clock
}

// stuck is how long the loop may stand still; it ticks each second.
const stuck = 30 * time.Second

func newProgress() *progress {
	return &progress{start: time.Now()}
}

func (p *progress) measured() { p.turned.Store(int64(time.Since(p.start))) }

// health returns why a supervisor should start the daemon anew, nil while all is well.
func (p *progress) health() error {
	if still := time.Since(p.start) - time.Duration(p.turned.Load()); still > stuck {
		return fmt.Errorf("the measuring loop has not turned for %v", still.Round(time.Second))
	}
	return nil
}
