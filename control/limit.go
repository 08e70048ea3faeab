package control

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"holdfast"
)

// Commands and requests to the shadow that are taken: so many a second, and so many at once.
const (
	defaultRate  = 20.0
	defaultBurst = 50.0
)

// limitEvery is how often an event tells of refusals for the rate, at most, in µs.
const limitEvery = int64(time.Minute / time.Microsecond)

// A limiter is a token bucket on monotonic time. What it refuses costs no commit: only now and then one event tells how much
// that was.
type limiter struct {
	rate, burst float64

	mu      sync.Mutex
	begun   bool
	tokens  float64
	at      int64  // of tokens, µs
	refused uint64 // since the last event
	told    int64  // when that was, µs
}

// admit takes a token, or counts a refusal.
func (l *limiter) admit(mono int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.begun {
		l.begun, l.tokens, l.told = true, l.burst, mono-limitEvery
	} else {
		l.tokens = min(l.burst, l.tokens+l.rate*float64(mono-l.at)/1e6)
	}
	l.at = mono
	if l.tokens < 1 {
		l.refused++
		return false
	}
	l.tokens--
	return true
}

// count counts a refusal that was decided elsewhere.
func (l *limiter) count() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused++
}

// due returns how many refusals an event is to tell of now: 0 where there are none, or one told lately.
func (l *limiter) due(mono int64) (n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused == 0 || mono-l.told < limitEvery {
		return 0
	}
	n, l.refused, l.told = l.refused, 0, mono
	return n
}

// Refuse answers a command that cannot wait its turn, because too many wait already. It neither blocks nor commits.
func (c *Control) Refuse(payload []byte, respond func(holdfast.Result)) {
	command, _ := decodeCommand(payload)
	c.limit.count()
	respond(c.limited(command))
}

func (c *Control) limited(cmd holdfast.Command) holdfast.Result {
	return holdfast.Result{
		V: holdfast.Version, ID: cmd.ID, Name: cmd.Name, State: holdfast.Refused,
		Error: &holdfast.Fault{Code: holdfast.CodeRateLimited, Message: fmt.Sprintf("more than %v commands a second: try again later", c.limit.rate)},
	}
}

// audit leaves the event that tells of refusals for the rate, where one is due. It needs the slot.
func (c *Control) audit(ctx context.Context) {
	ch := c.begin()
	n := c.limit.due(ch.now.Mono)
	if n == 0 {
		return
	}
	c.o.Log.Warn("commands refused for their rate", "commands", n)
	ch.event(holdfast.EventCommand, holdfast.CommandChange{State: holdfast.Refused, Error: &holdfast.Fault{
		Code: holdfast.CodeRateLimited, Message: fmt.Sprintf("%d commands refused: more than %v a second", n, c.limit.rate),
	}})
	if err := c.carry(ctx, ch); err != nil {
		c.o.Log.Error("refused commands leave no event", "commands", n, "err", err)
	}
}

// endingsKey is where the times of commands are kept that ended the daemon or were to.
const endingsKey = "endings"

// maxEndings is how many of those are taken an hour, all kinds together.
const maxEndings = 4

// endings returns when the last hour's commands were taken that end the daemon. A Pi without a clock may believe in a time
// long gone by after a boot: a time that lies ahead counts too, unless it is more than the hour.
func (c *Control) endings(now time.Time) (lately []time.Time) {
	var all []time.Time
	if data := c.o.Store.State(endingsKey); data != nil {
		if err := json.Unmarshal(data, &all); err != nil {
			c.o.Log.Error("stored times of reboots are damaged", "err", err)
		}
	}
	for _, t := range all {
		if now.Sub(t).Abs() < time.Hour {
			lately = append(lately, t)
		}
	}
	return lately
}

// noteEnding puts into the change that one more such command is taken.
func (c *Control) noteEnding(ch *change) {
	data, err := json.Marshal(append(c.endings(ch.now.Time), ch.now.Time))
	if err != nil {
		c.o.Log.Error("time of a reboot cannot be kept", "err", err)
		return
	}
	ch.state[endingsKey] = data
}
