package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := loadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// dues are the instants from one local time to another, in the zone.
func dues(c *cron, z *time.Location, from, to time.Time) []string {
	var out []string
	c.between(uint64(from.Unix()/60), uint64(to.Unix()/60), z, func(minute uint64) {
		out = append(out, minuteTime(minute).In(z).Format("01-02 15:04 -07"))
	})
	return out
}

func TestCron(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	day := func(month time.Month, day, days int) [2]time.Time {
		return [2]time.Time{time.Date(2026, month, day, 0, 0, 0, 0, berlin), time.Date(2026, month, day+days, 0, 0, 0, 0, berlin).Add(-time.Minute)}
	}
	for _, tt := range []struct {
		cron string
		days [2]time.Time
		want string
	}{
		{"30 6 * * mon-fri", day(5, 1, 5), "05-01 06:30 +02, 05-04 06:30 +02, 05-05 06:30 +02"},
		{"0 0 1,15 * *", day(5, 1, 31), "05-01 00:00 +02, 05-15 00:00 +02"},
		{"0 12 13 * fri", day(11, 1, 30), "11-06 12:00 +01, 11-13 12:00 +01, 11-20 12:00 +01, 11-27 12:00 +01"},
		{"0 12 13 * 5", day(1, 10, 4), "01-13 12:00 +01"},
		{"0 12 */10 * sun", day(5, 1, 31), "05-31 12:00 +02"},
		{"5-20/7 23 1 JAN,may *", day(5, 1, 1), "05-01 23:05 +02, 05-01 23:12 +02, 05-01 23:19 +02"},
		{"50/5 0 1 5 *", day(5, 1, 1), "05-01 00:50 +02, 05-01 00:55 +02"},
		{"0 0 29 2 *", day(1, 1, 365), ""},
		{"0 7 * * 7", day(5, 1, 7), "05-03 07:00 +02"},
		// 29 March: 2:00 becomes 3:00.
		{"30 2 * * *", day(3, 28, 3), "03-28 02:30 +01, 03-29 03:00 +02, 03-30 02:30 +02"},
		{"0 3 * * *", day(3, 29, 1), "03-29 03:00 +02"},
		{"30 * * * *", [2]time.Time{day(3, 29, 1)[0], day(3, 29, 1)[0].Add(4 * time.Hour)}, "03-29 00:30 +01, 03-29 01:30 +01, 03-29 03:30 +02, 03-29 04:30 +02"},
		// 25 October: 3:00 becomes 2:00.
		{"30 2 * * *", day(10, 24, 3), "10-24 02:30 +02, 10-25 02:30 +02, 10-26 02:30 +01"},
		{"30 * * * *", [2]time.Time{day(10, 25, 1)[0].Add(2 * time.Hour), day(10, 25, 1)[0].Add(5 * time.Hour)}, "10-25 02:30 +02, 10-25 02:30 +01, 10-25 03:30 +01"},
	} {
		c, err := parseCron(tt.cron)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(dues(c, berlin, tt.days[0], tt.days[1]), ", "); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.cron, got, tt.want)
		}
	}
}

func TestParseCron(t *testing.T) {
	t.Parallel()
	const minute = "want *, or numbers from 0 to 59 and ranges of them, with a step behind /"
	for text, want := range map[string]string{
		"":              `"": want five fields of at most 256 characters: minute hour day month weekday, as in 30 6 * * mon-fri`,
		"* * * *":       `"* * * *": want five fields of at most 256 characters: minute hour day month weekday, as in 30 6 * * mon-fri`,
		"@daily":        `"@daily": want five fields of at most 256 characters: minute hour day month weekday, as in 30 6 * * mon-fri`,
		"60 * * * *":    `minute "60": ` + minute,
		"-1 * * * *":    `minute "-1": ` + minute,
		"+1 * * * *":    `minute "+1": ` + minute,
		"5-2 * * * *":   `minute "5-2": ` + minute,
		"1,,2 * * * *":  `minute "": ` + minute,
		"*/0 * * * *":   `minute "*/0": ` + minute,
		"1/2/3 * * * *": `minute "1/2/3": ` + minute,
		"*5 * * * *":    `minute "*5": ` + minute,
		"0 24 * * *":    `hour "24": want *, or numbers from 0 to 23 and ranges of them, with a step behind /`,
		"0 0 0 * *":     `day of the month "0": want *, or numbers from 1 to 31 and ranges of them, with a step behind /`,
		"0 0 * mon *":   `month "mon": want *, or numbers from 1 to 12 and ranges of them, with a step behind /`,
		"0 0 * * 8":     `day of the week "8": want *, or numbers from 0 to 7 and ranges of them, with a step behind /`,
		"0 0 31 2,4 *":  `"0 0 31 2,4 *" is never due: no month of these has such a day`,
	} {
		if _, err := parseCron(text); err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"{}": "f:4: rules[0].schedule.cron: is missing",
		"{cron: '0 0 30 2 *', zone: Local, missed: all}": `f:4: rules[0].schedule.cron: "0 0 30 2 *" is never due: no month of these has such a day
f:4: rules[0].schedule.zone: "Local": want the name of a time zone, like Europe/Berlin or UTC
f:4: rules[0].schedule.missed: "all": want once or skip`,
		"{cron: '0 0 * * *', zone: ../../etc/passwd}": `f:4: rules[0].schedule.zone: "../../etc/passwd": want the name of a time zone, like Europe/Berlin or UTC`,
		"{cron: '0 0 * * *', sensor: s}":              "f:4: rules[0].schedule.sensor: no such key: want one of cron, zone, missed",
	} {
		expectMistakes(t, "schedule: "+text, want)
	}
}

// Random lines against a walk over the calendar, through days on which clocks are put forward and back.
func TestCronModel(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{time.UTC, zone(t, "Europe/Berlin"), zone(t, "America/New_York"), zone(t, "Australia/Lord_Howe"), zone(t, "Asia/Kathmandu")}
	starts := []time.Time{time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC)}
	rapid.Check(t, func(t *rapid.T) {
		var sets [5][]int
		var words []string
		for i, f := range cronFields {
			most := f.most
			if rapid.Bool().Draw(t, "any") {
				words = append(words, "*")
				for n := f.least; n <= most; n++ {
					sets[i] = append(sets[i], n)
				}
				continue
			}
			sets[i] = rapid.SliceOfNDistinct(rapid.IntRange(f.least, most), 1, 4, rapid.ID[int]).Draw(t, f.name)
			words = append(words, strings.Trim(strings.ReplaceAll(fmt.Sprint(sets[i]), " ", ","), "[]"))
		}
		c, err := parseCron(strings.Join(words, " "))
		if err != nil {
			return // never due
		}
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		from := rapid.SampledFrom(starts).Draw(t, "from")
		to := from.Add(4 * 24 * time.Hour)
		matches := func(l time.Time) bool {
			day, weekday := slices.Contains(sets[2], l.Day()), slices.Contains(sets[4], int(l.Weekday())) || l.Weekday() == 0 && slices.Contains(sets[4], 7)
			days := day && weekday
			if words[2] != "*" && words[4] != "*" {
				days = day || weekday
			}
			return days && slices.Contains(sets[0], l.Minute()) && slices.Contains(sets[1], l.Hour()) && slices.Contains(sets[3], int(l.Month()))
		}
		const layout = "2006-01-02 15:04"
		var want, got []uint64
		first := make(map[string]uint64) // local time to the first minute that has it
		for m := from.Add(-24 * time.Hour); m.Before(to.Add(24 * time.Hour)); m = m.Add(time.Minute) {
			l, minute := m.In(z), uint64(m.Unix()/60)
			if _, again := first[l.Format(layout)]; !again || len(sets[1]) == 24 {
				first[l.Format(layout)] = minute
				if matches(l) {
					want = append(want, minute)
				}
			}
		}
		if len(sets[1]) < 24 {
			var behind uint64 // of the gap
			for l := to.Add(24 * time.Hour); l.After(from.Add(-24 * time.Hour)); l = l.Add(-time.Minute) {
				if minute, exists := first[l.Format(layout)]; exists {
					behind = minute
				} else if behind != 0 && matches(l) {
					want = append(want, behind)
				}
			}
		}
		low, high := uint64(from.Unix()/60), uint64(to.Unix()/60)
		want = slices.DeleteFunc(want, func(m uint64) bool { return m < low || m > high })
		slices.Sort(want)
		want = slices.Compact(want)
		c.between(low, high, z, func(m uint64) { got = append(got, m) })
		if !slices.Equal(got, want) {
			t.Fatalf("%s in %v: %d, want %d: %v\n%v", words, z, len(got), len(want), got, want)
		}
	})
}
