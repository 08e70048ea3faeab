package buffer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast"
)

// crashChild writes until it is killed, and says on stdout which events are durable. Arguments: the file, and the number
// of its first record.
func crashChild() {
	first, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	b, err := Open(Options{Path: os.Args[1], Device: "pi-7", MaxBytes: minBytes, Window: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	var running sync.WaitGroup
	running.Go(func() { b.Run(context.Background()) })
	for n := first; ; n++ {
		if err := b.Append(Change{Records: []Record{record(holdfast.LaneTelemetry, n)}}); err != nil {
			panic(err)
		}
		if n%3 == 0 {
			batch, ok, err := b.Next(holdfast.LaneTelemetry, holdfast.Position{}, 5, 1000)
			if err != nil {
				panic(err)
			}
			if ok && batch.Stream == b.Stream() && n%2 == 0 {
				b.Done(batch.Stream, batch.Lane, holdfast.Ranges{batch.Range()})
			}
		}
		c := Change{Records: []Record{record(holdfast.LaneEvent, n)}, State: map[string][]byte{"n": fmt.Append(nil, n)}}
		if err := b.Commit(context.Background(), c); err != nil {
			panic(err)
		}
		fmt.Println(n)
	}
}

// TestCrash kills a writer again and again in the middle of its work. Every event whose Commit returned is there, once,
// with the state of its transaction; of the telemetry a beginning is there, without a hole.
func TestCrash(t *testing.T) {
	t.Parallel()
	kills := 20
	if testing.Short() {
		kills = 10
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	o := testOptions(t)
	o.MaxBytes = 4 << 20
	acknowledged := make(map[int]bool)
	for kill := range kills {
		last := crash(t, o.Path, kill*1_000_000+1, 1+rng.IntN(20), time.Duration(rng.IntN(8000))*time.Microsecond, acknowledged)
		if !NeedsCheck(o.Path) {
			t.Error("a killed writer left the file clean")
		}
		if report, err := Check(t.Context(), o.Path); err != nil {
			t.Fatalf("kill %d: %+v: %v", kill, report, err)
		}
		b := mustOpen(t, o)
		checkCrash(t, b, acknowledged)
		if got, _ := strconv.Atoi(string(b.State("n"))); got != last && got != last+1 {
			t.Errorf("state %d, the last commit was %d", got, last)
		}
		if p := b.Previous(); p == nil || p.Clean {
			t.Errorf("previous %+v", p)
		}
		b.Close()
	}
	t.Logf("%d kills, %d events acknowledged", kills, len(acknowledged))
}

// crash runs a writer and kills it some time after its n-th acknowledgement. It returns the last one.
func crash(t *testing.T, path string, first, n int, after time.Duration, acknowledged map[int]bool) int {
	t.Helper()
	cmd := child(t, "crash", path, fmt.Sprint(first))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := 0
	for lines := bufio.NewScanner(out); lines.Scan(); n-- {
		if n == 0 {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		acknowledged[last] = true
	}
	cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatalf("the writer says: %s", stderr.String())
	}
	return last
}

func checkCrash(t *testing.T, b *Buffer, acknowledged map[int]bool) {
	t.Helper()
	found := make(map[int]int)
	for i, lane := range laneNames {
		var before struct {
			stream holdfast.Stream
			n      int
		}
		b.AgainAll() // what was done lies in history, and is to be seen too
		var at holdfast.Position
		for {
			batch, ok, err := b.Next(lane, at, 1000, holdfast.MaxBatchBytes)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if batch.What != holdfast.Data {
				t.Fatalf("lane %s: %s %d to %d %s", lane, batch.What, batch.First, batch.Last, batch.Cause)
			}
			for _, data := range batch.Records {
				var r struct{ N int }
				if err := json.Unmarshal(data, &r); err != nil {
					t.Fatal(err)
				}
				if before.stream == batch.Stream && r.N != before.n+1 {
					t.Errorf("lane %s: %d behind %d", lane, r.N, before.n)
				}
				before.stream, before.n = batch.Stream, r.N
				if i != telemetry {
					found[r.N]++
				}
			}
			at = holdfast.Position{Stream: batch.Stream, Seq: batch.Last}
		}
	}
	for n := range acknowledged {
		if found[n] != 1 {
			t.Errorf("event %d is there %d times", n, found[n])
		}
	}
}
