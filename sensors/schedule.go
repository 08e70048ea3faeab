package sensors

import "time"

// A schedule numbers the samples of one sensor: sample n is due at start + n·interval, whatever became of those before.
// So the samples of an hour are the samples of an hour, however long each of them took. The zero schedule has not begun.
type schedule struct {
	start    time.Time
	interval time.Duration
	n        int64 // the sample that is due next
}

// due returns when the next sample is due.
func (s *schedule) due() time.Time { return s.start.Add(time.Duration(s.n) * s.interval) }

// skipLate moves on to the first sample that is not too late at now, and returns how many it left out. Too late is what is
// nearer to the next sample's time than to its own: on a busy machine, which wakes up late every time, samples are still
// taken, and never two of them within half an interval.
func (s *schedule) skipLate(now time.Time) uint64 {
	late := now.Sub(s.due()) - s.interval/2
	if late <= 0 {
		return 0
	}
	skipped := int64((late + s.interval - 1) / s.interval)
	s.n += skipped
	return uint64(skipped)
}
