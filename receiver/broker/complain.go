package broker

import (
	"context"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	complainAgain = time.Minute // about one name
	maxComplaints = 1000        // names that are remembered
	maxShown      = 100         // bytes of a name, or of what the server says of it
)

// complaints logs what clients may not do: once a minute for each registered name, and once for all others, with how often
// it was, so that nobody fills the log from outside.
type complaints struct {
	log *slog.Logger

	mu    sync.Mutex
	names map[string]*complaint
}

type complaint struct {
	told time.Time
	more int // since then
}

// about complains of a name. The key is the name where it is registered, and "" otherwise.
func (c *complaints) about(key, name, what string, facts ...slog.Attr) {
	more, tell := c.count(key, time.Now())
	if !tell {
		return
	}
	facts = append([]slog.Attr{slog.String("device", shorten(name))}, facts...)
	if more > 0 {
		facts = append(facts, slog.Int("times since the last line", more))
	}
	c.log.LogAttrs(context.Background(), slog.LevelWarn, what, facts...)
}

// count reports whether it is time to tell about name again, and of how many that was not told.
func (c *complaints) count(name string, now time.Time) (more int, tell bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.names[name]; ok {
		known.more++
		if now.Sub(known.told) < complainAgain {
			return 0, false
		}
		more = known.more
		known.told, known.more = now, 0
		return more, true
	}
	if c.names == nil || len(c.names) >= maxComplaints {
		c.names = make(map[string]*complaint)
	}
	c.names[name] = &complaint{told: now}
	return 0, true
}

// connection finds the server's number of a connection in what it says about it.
var connection = regexp.MustCompile(` - mid:(\d+) `)

// intercept takes from what the server says at level error what is about one client, and reports whether it was.
func (d *door) intercept(text string) bool {
	m := connection.FindStringSubmatchIndex(text)
	if m == nil {
		return false
	}
	if strings.Contains(text, "authentication error") { // Check has said why
		return true
	}
	number, err := strconv.ParseUint(text[m[2]:m[3]], 10, 64)
	if err != nil {
		return false
	}
	what, said := "a client of the broker has trouble", text
	if violation := strings.Index(text, " Violation - "); violation >= 0 {
		what, said = "topic refused at the broker", text[strings.LastIndex(text[:violation], " - ")+len(" - "):]
	}
	name := d.name(number)
	d.complain.about(name, name, what, slog.String("what", shorten(said)))
	return true
}

func shorten(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxShown)], "")
}
