package bench

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

const devicePart = "Buffer at the block device"

// A figure is the median of so many runs of so many commits, 10 records of 150 bytes each.
const (
	bytesRuns, bytesCommits = 5, 2000
	backlog                 = 500_000
)

// costs is what commits cost: the median over the runs, and each of them.
type costs struct{ kilobytes, writes, flushes []float64 }

func (c *costs) add(u usage, commits int) {
	c.kilobytes = append(c.kilobytes, u.bytes/float64(commits)/1000)
	c.writes = append(c.writes, u.writes/float64(commits))
	c.flushes = append(c.flushes, u.flushes/float64(commits))
}

// each runs f for every commit of every run.
func (d device) each(t *testing.T, f func()) costs {
	t.Helper()
	var c costs
	for range bytesRuns {
		c.add(d.spent(t, func() {
			for range bytesCommits {
				f()
			}
		}), bytesCommits)
	}
	return c
}

// report notes bytes and flushes.
func (c costs) report(t *testing.T, name string, goal float64, note string) {
	t.Helper()
	note = fmt.Sprintf("%.1f writes a commit. %s", median(c.writes), note)
	atMost(t, goal, proof.Figure{Part: devicePart, Name: name, Unit: "KB a commit", Note: note}, c.kilobytes...)
	atMost(t, 2.05, proof.Figure{Part: devicePart, Name: name + ": flushes", Unit: "flushes a commit"}, c.flushes...)
}

// TestOnlineBytes: every commit's records are receipted one commit later, and stay as history. It is measured from the
// first commit on, and again after a backlog came and went.
func TestOnlineBytes(t *testing.T) {
	benchmark(t)
	d := newDevice(t, 256)
	s := openAged(t, d.bufferAt(), newReadings())
	online := func() {
		s.commit(t, 10)
		s.receipt(t)
	}
	before := d.each(t, online)
	before.report(t, "online, 10 records of 150 B a commit", 10.5, "Receipted one commit later; history fills from nothing.")

	for range backlog / 1000 {
		s.commit(t, 1000)
	}
	if n := s.drain(t); n < backlog {
		t.Fatalf("%d records drained, want %d", n, backlog)
	}
	after := d.each(t, online)
	after.report(t, "online, after 500,000 records were stored and drained", 10.5, "")
	ratio := median(after.kilobytes) / median(before.kilobytes)
	atMost(t, 1.05, proof.Figure{Part: devicePart, Name: "bytes a commit after 500,000 records were stored and drained, to before", Unit: "times"}, ratio)

	for s.Status().HistoryBytes < 15<<20 {
		s.commit(t, 1000)
		s.receipt(t)
	}
	d.each(t, online).report(t, "online, history full", 10.5, "The oldest blocks of 16 MiB of history go all the while.")
}

// TestOfflineBytes: nothing is receipted, in a file that has its working size.
func TestOfflineBytes(t *testing.T) {
	benchmark(t)
	d := newDevice(t, 256)
	s := openAged(t, d.bufferAt(), newReadings())
	for range backlog / 1000 {
		s.commit(t, 1000)
	}
	d.each(t, func() { s.commit(t, 10) }).report(t, "offline and aged, 10 records of 150 B a commit", 18.5, "Behind a backlog of 500,000 records.")
}

// TestPacedBytes: one commit a second, as the daemon makes them. The file system then writes the time of change through
// its journal every five seconds, which a mount with lazytime does not.
func TestPacedBytes(t *testing.T) {
	benchmark(t)
	const commits = 40
	d := newDevice(t, 256)
	s := openAged(t, d.bufferAt(), newReadings())
	paced := func() costs {
		var c costs
		c.add(d.spent(t, func() {
			for range commits {
				s.commit(t, 10)
				s.receipt(t)
				testenv.Pause(t.Context(), time.Second)
			}
		}), commits)
		return c
	}
	note := "One run of 40 commits, journal included."
	plain := paced()
	measure(t, proof.Figure{Part: devicePart, Name: "online, one commit a second, default mount", Unit: "KB a commit", Note: note}, plain.kilobytes...)
	measure(t, proof.Figure{Part: devicePart, Name: "online, one commit a second, default mount: flushes", Unit: "flushes a commit", Note: note}, plain.flushes...)
	if err := unix.Mount("", d.dir, "", unix.MS_REMOUNT|unix.MS_LAZYTIME|unix.MS_RELATIME, ""); err != nil {
		t.Fatal(err)
	}
	lazy := paced()
	measure(t, proof.Figure{Part: devicePart, Name: "online, one commit a second, mounted with lazytime", Unit: "KB a commit", Note: note}, lazy.kilobytes...)
}
