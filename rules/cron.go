package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A cron says at which minutes something is due, in the five fields of crontab(5): minute, hour, day of the month, month,
// day of the week. A field is * or a list of numbers, names (jan, mon) and ranges, each with a step behind / where wanted.
// Where both days are restricted, either is enough; a field that begins with * restricts nothing.
type cron struct {
	minutes, hours, days, months, weekdays uint64 // a bit each
	anyDay, anyWeekday                     bool
}

// cronFields are the fields in their order. The names stand for the numbers from least on.
var cronFields = []struct {
	name        string
	least, most int
	names       []string
}{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of the month", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"day of the week", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// parseCron reads five fields. The error says which one is wrong, and what would be right.
func parseCron(text string) (*cron, error) {
	words := strings.Fields(text)
	if len(words) != len(cronFields) || len(text) > 256 {
		return nil, fmt.Errorf("%.60q: want five fields of at most 256 characters: minute hour day month weekday, as in 30 6 * * mon-fri", text)
	}
	var bits [5]uint64
	for i := range words {
		var err error
		if bits[i], err = parseCronField(i, words[i]); err != nil {
			return nil, err
		}
	}
	const sunday, again = 1 << 0, 1 << 7
	if bits[4]&again != 0 {
		bits[4] = bits[4]&^again | sunday
	}
	c := &cron{bits[0], bits[1], bits[2], bits[3], bits[4], words[2][0] == '*', words[4][0] == '*'}
	if !c.possible() {
		return nil, fmt.Errorf("%q is never due: no month of these has such a day", text)
	}
	return c, nil
}

func parseCronField(i int, word string) (bits uint64, err error) {
	for part := range strings.SplitSeq(word, ",") {
		b, ok := parseCronPart(i, part)
		if !ok {
			f := cronFields[i]
			return 0, fmt.Errorf("%s %.40q: want *, or numbers from %d to %d and ranges of them, with a step behind /", f.name, part, f.least, f.most)
		}
		bits |= b
	}
	return bits, nil
}

func parseCronPart(i int, part string) (bits uint64, ok bool) {
	f := cronFields[i]
	span, stepText, stepped := strings.Cut(part, "/")
	step := 1
	if stepped {
		if step, ok = cronNumber(stepText, nil, 1, f.most); !ok {
			return 0, false
		}
	}
	first, last := f.least, f.most
	if i == 4 {
		last = 6
	}
	if span != "*" {
		from, to, isRange := strings.Cut(span, "-")
		if first, ok = cronNumber(from, f.names, f.least, f.most); !ok {
			return 0, false
		}
		switch {
		case isRange:
			if last, ok = cronNumber(to, f.names, f.least, f.most); !ok || last < first {
				return 0, false
			}
		case !stepped:
			last = first
		}
	}
	for n := first; n <= last; n += step {
		bits |= 1 << n
	}
	return bits, true
}

func cronNumber(text string, names []string, least, most int) (int, bool) {
	for i, name := range names {
		if strings.EqualFold(text, name) {
			return least + i, true
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most && text[0] != '+' && text[0] != '-'
}

// possible reports whether there is a day on which c can be due.
func (c *cron) possible() bool {
	if !c.anyDay && !c.anyWeekday || c.anyDay {
		return true
	}
	for month, days := range []int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31} {
		if has(c.months, month+1) && c.days&(1<<(days+1)-1) != 0 {
			return true
		}
	}
	return false
}

func has(bits uint64, n int) bool { return bits&(1<<n) != 0 }

// hourly reports whether c is due on the date and in the hour of a local time, at some minute.
func (c *cron) hourly(t time.Time) bool {
	if !has(c.hours, t.Hour()) || !has(c.months, int(t.Month())) {
		return false
	}
	day, weekday := has(c.days, t.Day()), has(c.weekdays, int(t.Weekday()))
	if c.anyDay || c.anyWeekday {
		return day && weekday
	}
	return day || weekday
}

// due reports whether c is due in the minute that begins at the local time t.
func (c *cron) due(t time.Time) bool { return has(c.rest(t), t.Minute()) }

// rest returns the minutes, from t on, of the local hour of t in which c is due. Where the clocks are put forward, what
// was due at times that do not exist is due right behind the gap; where they are put back, what is due at times that
// exist twice is due at the first. Only what is due in every hour follows elapsed time: it is due in the second hour too,
// and nothing stands in for the hour that does not exist.
func (c *cron) rest(t time.Time) (minutes uint64) {
	const everyHour = 1<<24 - 1
	if c.hourly(t) {
		minutes = c.minutes
	}
	start, _ := t.ZoneBounds()
	if start.IsZero() || c.hours == everyHour {
		return minutes
	}
	_, before := start.Add(-time.Second).Zone()
	_, now := t.Zone()
	shift, since := time.Duration(now-before)*time.Second, t.Sub(start)
	if since < -shift {
		return 0
	}
	if shift > 0 && since < time.Minute && c.dueWithin(t, shift) {
		minutes |= 1 << t.Minute()
	}
	return minutes
}

// dueWithin reports whether c would be due at one of the local times of the gap that ends at t.
func (c *cron) dueWithin(t time.Time, gap time.Duration) bool {
	clock := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	for ; gap >= time.Minute; gap -= time.Minute {
		if local := clock.Add(-gap); c.hourly(local) && has(c.minutes, local.Minute()) {
			return true
		}
	}
	return false
}

// between calls found with each minute from first to last, counted since 1970, in which c is due in a zone. It goes by
// local hours: clocks are put forward and back between two of them.
func (c *cron) between(first, last uint64, zone *time.Location, found func(minute uint64)) {
	for minute := first; minute <= last; {
		t := minuteTime(minute).In(zone)
		due := c.rest(t)
		for m := t.Minute(); m < 60 && minute <= last; m++ {
			if has(due, m) {
				found(minute)
			}
			minute++
		}
	}
}

func minuteTime(minute uint64) time.Time { return time.Unix(int64(minute)*60, 0).UTC() }
