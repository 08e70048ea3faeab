package buffer

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"go.etcd.io/bbolt"
	"holdfast"
)

func TestMeasureShare(t *testing.T) {
	for _, maxBytes := range []int64{4<<20, 16 << 20} {
		for _, share := range []int64{75, 80, 85, 90} {
			for name, f := range map[string]func(rng *rand.Rand) []Record{
				"small": func(rng *rand.Rand) (out []Record) {
					for i := range 10 {
						out = append(out, reading(i))
					}
					return
				},
				"large": func(rng *rand.Rand) (out []Record) { return noise(rng, 60, 1000) },
				"mixed": func(rng *rand.Rand) (out []Record) {
					return noise(rng, 1+rng.IntN(3)*rng.IntN(3)*rng.IntN(20), 100+rng.IntN(1000))
				},
				"steps": func(rng *rand.Rand) (out []Record) {
					n := 1
					if rng.IntN(10) == 0 {
						n = 100 + rng.IntN(500)
					}
					return noise(rng, n, 300)
				},
			} {
				o := testOptions(t)
				o.MaxBytes = maxBytes
				o.HistoryBytes = -1
				b := mustOpen(t, o)
				b.limit = o.MaxBytes / 100 * share
				rng := rand.New(rand.NewPCG(1, 2))
				written := int64(0)
				fails := 0
				for i := 0; written < 4*o.MaxBytes && i < 30000; i++ {
					c := Change{Records: f(rng)}
					if i%17 == 0 {
						c.Records = append(c.Records, record(holdfast.LaneEvent, i))
					}
					for _, r := range c.Records {
						written += int64(len(r.Data))
					}
					b.Append(c)
					lim := b.limit
					if err := b.commit(false); err != nil {
						fails++
						b.limit = lim
						if fails > 20 {
							break
						}
					}
				}
				st := b.db.Stats()
				var size int64
				b.db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
				fmt.Printf("%3d MiB share %d %s: fails %d size %.2f of cap free %.2f live %.2f\n", maxBytes>>20, share, name, fails, float64(size)/float64(o.MaxBytes), float64(st.FreePageN*4096)/float64(o.MaxBytes), float64(b.sum.live)/float64(o.MaxBytes))
				b.Close()
			}
		}
	}
}

func noise(rng *rand.Rand, n, size int) (out []Record) {
	for i := range n {
		buf := make([]byte, size/2)
		for j := range buf {
			buf[j] = byte(rng.Uint32())
		}
		r := record(holdfast.LaneTelemetry, i)
		r.Data = []byte(`"` + hex.EncodeToString(buf) + `"`)
		out = append(out, r)
	}
	return
}
