package damage

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/proof"
)

// serviceLimit is how long a start may take until it serves.
const serviceLimit = 2 * time.Second

// A verdict is what became of one copy.
type verdict struct {
	outcome
	whole     bool     // the whole gateway was started
	lies      bool     // under a clean mark
	faults    []string // what broke the promise
	delivered uint64   // records that were owed, and are
	stated    uint64   // records that were owed and are stated as lost now
	gone      uint64   // owed numbers that nothing in the damaged file told of any more
	earlier   bool     // the newest meta page was put back: it is the file of an earlier commit, as after a power cut before the later ones
	forgotten uint64   // owed numbers of these later commits
}

func (v *verdict) broken(format string, args ...any) {
	v.faults = append(v.faults, fmt.Sprintf(format, args...))
}

// judge compares what the file delivers now with what was in it, and with what the damaged copy still told.
func (v *verdict) judge(o *original, damaged []byte, r reading) {
	if r.Error != "" {
		v.broken("reading the file: %s", r.Error)
		return
	}
	for _, w := range r.Wrong {
		v.broken("wrong: %s", w)
	}
	v.earlier = o.earlier(damaged)
	left := traces(damaged)
	for run, id := range o.truth.Runs {
		for _, lane := range holdfast.Lanes {
			told := left[id][lane]
			if told == nil {
				told = &trace{}
			}
			v.lane(fmt.Sprintf("%s, run %d, %s", o.name, run, lane), o.truth.Lanes[run][lane], r.Owed[run][lane], told)
		}
	}
	v.counts(r)
}

// lane looks for every number that was owed: its record is delivered, or it is stated as lost, or the damaged file told
// nothing of it. Of a file that was found sound all is there.
func (v *verdict) lane(where string, was *laneTruth, is *found, told *trace) {
	for _, owed := range was.Owed {
		for seq := owed.First; seq <= owed.Last; seq++ {
			switch {
			case is.Data.Contains(seq):
				v.delivered++
			case is.Stated.Contains(seq):
				if !was.Data.Contains(seq) {
					continue
				}
				v.stated++
				if v.damaged && !v.lies && told.held.Contains(seq) {
					v.broken("%s: %d lies whole in the damaged file and is stated as lost", where, seq)
					return
				}
			case (v.damaged || v.lies) && seq > told.head:
				v.gone++
			case v.earlier && !v.damaged && seq > is.last():
				v.forgotten++
			case v.damaged && told.done.Contains(seq): // as an older entry has it; a database that lacks it asks
			default:
				v.broken("%s: %d is neither delivered nor done nor stated as lost; %+v", where, seq, *told)
				return
			}
		}
	}
}

// last is the highest number that the file delivers or states.
func (f *found) last() (seq uint64) {
	for _, set := range []holdfast.Ranges{f.Data, f.Stated} {
		if len(set) > 0 {
			seq = max(seq, set[len(set)-1].Last)
		}
	}
	return seq
}

// earlier reports whether the newest meta page is gone, and the file is that of an earlier commit. Nothing tells that from a
// power cut before the commits that it misses: their pages are free ones then.
func (o *original) earlier(damaged []byte) bool { return newestCommit(damaged) < newestCommit(o.data) }

// newestCommit is the number of the commit that bbolt believes to be the last, of whole meta pages.
func newestCommit(data []byte) (n uint64) {
	const at = 16 + 48 // in a meta page
	for meta := 0; meta < 2*page && meta+page <= len(data); meta += page {
		n = max(n, binary.LittleEndian.Uint64(data[meta+at:]))
	}
	return n
}

// counts compares what salvage, and the gateway's event, say with what came out, and the start with what it may cost.
func (v *verdict) counts(r reading) {
	if v.damaged && v.report == nil {
		v.broken("the file was set aside and not salvaged")
		return
	}
	if v.report != nil && !v.whole && (v.report.Records != r.Held || v.report.Lost != r.Corrupt) {
		v.broken("salvage says %d records and %d lost; it is %d and %d", v.report.Records, v.report.Lost, r.Held, r.Corrupt)
	}
	if v.died > 1 || v.died == 1 && !v.lies {
		v.broken("%d starts died", v.died)
	}
	if !v.whole {
		return
	}
	if v.service > serviceLimit {
		v.broken("the gateway served after %v", v.service)
	}
	if r.Other < uint64(v.rows) || r.Other > uint64(v.rows) && v.died == 0 {
		v.broken("%d rows were handed out, %d are held", v.rows, r.Other)
	}
	if aside := v.report != nil; aside != (len(r.Damaged) == 1) || aside && r.Damaged[0].Records != v.report.Records {
		v.broken("the gateway's events say %+v of damage, its salvage %+v", r.Damaged, v.report)
	}
}

// A tally sums up the copies of one kind of damage. It is for concurrent use.
type tally struct {
	mu                                  sync.Mutex
	tried, failed, sound, aside, wholes int
	died                                int
	delivered, stated, gone, forgotten  uint64
	longest                             time.Duration
}

func (c *tally) add(t *testing.T, name string, v verdict) {
	for i, fault := range v.faults {
		if i < 3 {
			t.Errorf("%s: %s", name, fault)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried++
	if len(v.faults) > 0 {
		c.failed++
	}
	if v.damaged {
		c.aside++
	} else {
		c.sound++
	}
	if v.whole {
		c.wholes++
	}
	c.died += v.died
	c.delivered += v.delivered
	c.stated += v.stated
	c.gone += v.gone
	c.forgotten += v.forgotten
	c.longest = max(c.longest, v.service)
}

func (c *tally) record(t *testing.T, kind damage, seed uint64) {
	t.Helper()
	if c.tried == 0 {
		return
	}
	note := fmt.Sprintf("%d were opened as they were, %d set aside and salvaged; %d records delivered, %d stated lost, %d beyond what the file still told of; %d whole starts, the slowest served after %v",
		c.sound, c.aside, c.delivered, c.stated, c.gone, c.wholes, c.longest.Round(time.Millisecond))
	if c.forgotten > 0 {
		note += fmt.Sprintf("; %d of commits that the meta pages do not know any more", c.forgotten)
	}
	holds := "the gateway starts and serves within 2 s; what is delivered was stored so, once; what is not is stated; salvage counts right"
	if kind.lies {
		note += fmt.Sprintf("; %d starts died of it, and the next examined the file", c.died)
		holds += "; at most one start dies"
	}
	proof.Record(t, proof.Trial{
		Part: "Damage", Fault: kind.name, Holds: holds, Tried: c.tried, Unit: "copies", Failed: c.failed, Note: note, Seed: fmt.Sprint(seed),
	})
}
