package buffer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"holdfast"
)

// reading returns a record of about 150 bytes, as a BME280 makes.
func reading(n int) Record {
	at := epoch.Add(time.Duration(n) * 100 * time.Millisecond)
	return Record{Lane: holdfast.LaneTelemetry, Time: at, Mono: int64(n) * 1e5, Data: fmt.Appendf(nil,
		`{"time":%q,"sensor":"bme280-1-%02x","values":{"temperature_celsius":%.2f,"humidity_percent":%.2f,"pressure_pascal":%.1f}}`,
		at.Format(time.RFC3339Nano), 0x76+n%2, 20+rand.Float64(), 40+5*rand.Float64(), 101325+100*rand.Float64())}
}

// written is how many bytes of pages bbolt wrote, the meta page of each commit among them.
func written(b *Buffer) int64 {
	stats := b.db.Stats()
	return stats.TxStats.GetPageAlloc() + int64(b.Status().Commits)*pageSize
}

// BenchmarkCommit writes 10 readings of 150 bytes a commit, which the receiver has one commit later, with and without a
// full history behind it.
func BenchmarkCommit(b *testing.B) {
	for _, history := range []int64{-1, 2 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("history=%dMiB", max(history>>20, 0)), func(b *testing.B) {
			o := testOptions(b)
			o.HistoryBytes = history
			buffer := mustOpen(b, o)
			n := 0
			window := func() {
				var c Change
				for range 10 {
					n++
					c.Records = append(c.Records, reading(n))
				}
				buffer.Append(c)
				if err := buffer.commit(false); err != nil {
					b.Fatal(err)
				}
				buffer.Done(buffer.Stream(), holdfast.LaneTelemetry, ranges(1, uint64(n)))
			}
			for buffer.Status().HistoryBytes < history {
				window()
			}
			before, commits := written(buffer), buffer.Status().Commits
			b.SetBytes(10 * 150)
			for b.Loop() {
				window()
			}
			b.ReportMetric(float64(written(buffer)-before)/float64(buffer.Status().Commits-commits), "B/commit")
		})
	}
}
