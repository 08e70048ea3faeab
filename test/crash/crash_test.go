package crash

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/proof"
)

// TestImages tries images of every point of every scenario, and then the control.
func TestImages(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: tens of thousands of images")
	}
	images, seed := proof.Count(t, "HOLDFAST_IMAGES", 50_000), uint64(proof.Count(t, "HOLDFAST_SEED", int(time.Now().UnixNano()%1e6)))
	t.Logf("%d images, HOLDFAST_SEED=%d", images, seed)
	traces := recordAll(t, seed)
	t.Run("Honest", func(t *testing.T) {
		y := examine(t, traces, images, seed, false)
		proof.Record(t, proof.Trial{
			Part:   "Crash images",
			Fault:  "unsynced writes dropped, reordered and torn at 512 B; names that were not on the card yet",
			Holds:  "the buffer opens, what was acknowledged is there, every number is accounted for, one more commit works",
			Tried:  y.tried,
			Unit:   "images",
			Failed: y.failed,
			Note:   fmt.Sprintf("%d points of %d lives of a buffer, no two images of a point alike; %v", y.cuts, len(traces), y.cost()),
			Seed:   fmt.Sprint(seed),
		})
		if y.tried < images || y.failed > 0 {
			t.Errorf("%d of %d images do not hold, want %d that do", y.failed, y.tried, images)
		}
	})
	t.Run("Control", func(t *testing.T) {
		y := examine(t, traces, max(images/50, 100), seed, true)
		blind := 0
		if y.failed*2 < y.tried {
			blind = y.tried - y.failed
			t.Errorf("%d of %d images are found broken although nothing was synced: the test sees too little", y.failed, y.tried)
		}
		proof.Record(t, proof.Trial{
			Part:   "Crash images",
			Fault:  "the control: the same, and no fsync of the buffer's file counts, as with NoSync",
			Holds:  "at least half of the images are found broken",
			Tried:  y.tried,
			Unit:   "images",
			Failed: blind,
			Note:   fmt.Sprintf("%d found broken, %d of them ended the process that opened them", y.failed, y.deaths),
			Seed:   fmt.Sprint(seed),
		})
	})
}

// A tally is what became of the images.
type tally struct {
	tried, failed, deaths, cuts int
	took, cpu                   time.Duration
	kinds                       map[string]int // of failures
}

func (y *tally) cost() string {
	return fmt.Sprintf("%.2f ms of a processor an image, %.0f images a second", y.cpu.Seconds()*1000/float64(y.tried), float64(y.tried)/y.took.Seconds())
}

// examine tries images of all traces.
func examine(t *testing.T, traces []*trace, images int, seed uint64, lossy bool) *tally {
	t.Helper()
	y, start := &tally{kinds: make(map[string]int)}, time.Now()
	for i, tr := range traces {
		dir := memoryFolder(t)
		file := filepath.Join(dir, "trace")
		if err := tr.save(file); err != nil {
			t.Fatal(err)
		}
		plan := &planner{trace: tr, lossy: lossy, want: int(float64(images)*tr.Share*spare) + 1, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
		p := &pool{assignment: assignment{Trace: file, Folder: filepath.Join(dir, "images"), Lossy: lossy}}
		if err := p.examine(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		y.add(p, plan)
		t.Logf("%s: %d images of %d points, %d failed", tr.Name, plan.given, plan.cuts, len(p.failures))
		for _, f := range p.failures[:min(len(p.failures), shown)] {
			if !lossy {
				t.Logf("%s, behind event %d of %d, choice %v: %s", tr.Name, f.cut, len(tr.Events), f.choice, f.why)
				keep(t, tr, f)
			}
		}
	}
	y.took = time.Since(start)
	for _, kind := range slices.Sorted(maps.Keys(y.kinds)) {
		t.Logf("%6d × %s", y.kinds[kind], kind)
	}
	return y
}

// spare is for points that have fewer different images than they should give.
const spare = 1.01

// shown is how many failures of a trace are printed in full, and kept.
const shown = 5

func (y *tally) add(p *pool, plan *planner) {
	y.tried += plan.given
	y.failed += len(p.failures)
	y.deaths += p.deaths
	y.cpu += p.cpu
	y.cuts += plan.cuts
	for _, f := range p.failures {
		y.kinds[kindOf(f.why)]++
	}
}

// kindOf shortens what is wrong with an image to the words that it shares with others of its kind.
func kindOf(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" /", r) })
	words = slices.DeleteFunc(words, func(w string) bool { return strings.ContainsAny(w, "0123456789{[\"") })
	return strings.Join(words[:min(len(words), 12)], " ")
}

// keep writes an image, as it was before it was opened, and its trace into the folder that HOLDFAST_KEEP names.
func keep(t *testing.T, tr *trace, f failure) {
	t.Helper()
	folder := os.Getenv("HOLDFAST_KEEP")
	if folder == "" {
		return
	}
	to := filepath.Join(folder, strings.ReplaceAll(fmt.Sprint(tr.Name, " ", f.cut, " ", f.choice), " ", "-"))
	err := os.MkdirAll(to, 0o755)
	if err == nil {
		err = tr.save(filepath.Join(folder, strings.ReplaceAll(tr.Name, " ", "-")+".trace"))
	}
	if err == nil {
		err = tr.replay(false, func(cut int, d *disk) {
			if cut == f.cut {
				if _, _, err := d.image(d.pending(), f.choice).write(tr.Root, to, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if err != nil {
		t.Error(err)
	}
}
