package damage

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/buffer"
	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// whole is how many of the copies go through a start of the whole gateway: every n-th. Those whose clean mark lies all do.
const whole = 8

// A bench is what every copy needs.
type bench struct {
	program, replay string
	dir             string
	originals       []*original
	truths          []string // files, for the children
	seed            uint64
}

// TestDamage damages copies of a real file, starts the gateway on each, and judges what comes out.
func TestDamage(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: starts thousands of processes")
	}
	b := newBench(t)
	copies, kinds := proof.Count(t, "HOLDFAST_COPIES", 1000), damages()
	t.Logf("%d copies, HOLDFAST_SEED=%d", copies, b.seed)
	tallies := make([]tally, len(kinds))
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			for n := range numbers {
				kind := n % len(kinds)
				v := b.try(t, n, &kinds[kind])
				tallies[kind].add(t, fmt.Sprintf("copy %d, %s", n, kinds[kind].name), v)
			}
		})
	}
	only := os.Getenv("HOLDFAST_COPY") // of a run with the same seed
	for n := range copies {
		if only == "" || slices.Contains(strings.Split(only, ","), strconv.Itoa(n)) {
			numbers <- n
		}
	}
	close(numbers)
	workers.Wait()
	for i := range tallies {
		tallies[i].record(t, kinds[i], b.seed)
	}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	seed := proof.Count(t, "HOLDFAST_SEED", int(time.Now().UnixNano()%1e6))
	dir := memory(t)
	b := &bench{
		program: filepath.Join(testenv.Programs(t), "gateway"), replay: filepath.Join(dir, "rows.csv"), dir: dir,
		originals: originals(t, dir), seed: uint64(seed),
	}
	for i, o := range b.originals {
		b.truths = append(b.truths, filepath.Join(dir, fmt.Sprint("truth", i)))
		o.truth.write(t, b.truths[i])
		t.Logf("%s: %d KiB, %d numbers owed", o.name, len(o.data)>>10, o.truth.owed())
	}
	rows := "time,sensor,number_count\n"
	for i := range 1000 {
		rows += fmt.Sprintf("%.3f,numbers,%d\n", float64(i)*0.02, i)
	}
	if err := os.WriteFile(b.replay, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// memory is a folder where fsync costs nothing, if the machine has one: nothing here is about cards.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "holdfast-damage-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// try damages one copy, starts on it and judges.
func (b *bench) try(t *testing.T, n int, kind *damage) (v verdict) {
	t.Helper()
	rng := rand.New(rand.NewPCG(b.seed, uint64(n)))
	i := rng.IntN(len(b.originals))
	if kind.lies {
		i &^= 1 // a killed gateway leaves no clean mark
	}
	o := b.originals[i]
	data := kind.do(rng, o)
	dir := filepath.Join(b.dir, fmt.Sprint("copy", n))
	defer os.RemoveAll(dir)
	defer func() {
		if keep := os.Getenv("HOLDFAST_KEEP"); keep != "" && len(v.faults) > 0 {
			kind.put(filepath.Join(keep, filepath.Base(dir)), o, data)
		}
	}()
	path, err := kind.put(dir, o, data)
	if err == nil && kind.lies == buffer.NeedsCheck(path) {
		err = fmt.Errorf("the clean mark does not say what the test wants it to")
	}
	if err != nil {
		v.broken("%v", err)
		return v
	}
	v.lies = kind.lies
	v.whole = kind.lies || n/len(damages())%whole == 0
	if v.whole {
		v.outcome, err = gateway(t.Context(), b.program, b.replay, path, o.cap)
	} else {
		v.outcome, err = steps(t.Context(), b.program, path, o.cap)
	}
	if err != nil {
		v.broken("%s: %v", o.name, err)
		return v
	}
	r, died, err := b.read(t, i, path, kind.lies)
	v.died += died
	if err != nil {
		v.broken("%s: the file cannot be read after the start: %v", o.name, err)
		return v
	}
	v.judge(o, data, r)
	return v
}

// read has a child read the file. A file that was damaged under a clean mark may kill the process once more that opens it:
// that was its start then, and the next one examines the file.
func (b *bench) read(t *testing.T, truth int, path string, mayDie bool) (r reading, died int, err error) {
	job, err := json.Marshal(readJob{Truth: b.truths[truth], File: path, Cap: b.originals[truth].cap})
	if err != nil {
		return r, 0, err
	}
	for {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+string(job))
		var stderr strings.Builder
		child.Stderr = &stderr
		out, err := child.Output()
		if err == nil {
			return r, died, json.Unmarshal(out, &r)
		}
		if !mayDie || died == 1 {
			return r, died, fmt.Errorf("%w: %.1500s", err, stderr.String())
		}
		died++
		if _, err := steps(t.Context(), b.program, path, b.originals[truth].cap); err != nil {
			return r, died, err
		}
	}
}

// owed is how many numbers the file owes.
func (tr *truth) owed() (n uint64) {
	for _, lanes := range tr.Lanes {
		for _, lane := range holdfast.Lanes {
			n += lanes[lane].Owed.Count()
		}
	}
	return n
}
