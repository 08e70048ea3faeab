package virtualpi

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"holdfast/internal/proof"
	"holdfast/internal/testenv"
)

// TestPowerCuts takes the power from a gateway whose buffer is on ext4 on a disk with a volatile cache: in the birth of
// the file, while it is looked over after a cut, while it is opened, while it grows and later, with a receiver or without.
// What the page called durable before a cut must be in the database, once; what is missing beside it, within the window.
func TestPowerCuts(t *testing.T) {
	p := newParts(t)
	cuts, seed := proof.Count(t, "HOLDFAST_CUTS", 5), proof.Count(t, "HOLDFAST_SEED", int(time.Now().UnixNano()%1e6))
	t.Logf("%d cuts, HOLDFAST_SEED=%d", cuts, seed)
	random := rand.New(rand.NewPCG(uint64(seed), 2))
	var all verdict
	for done := 0; done < cuts; done += len(instants) {
		c := newCard(t, p)
		for _, cut := range instants[:min(cuts-done, len(instants))] {
			cut(c, random)
		}
		all.add(c.verdict())
	}

	for _, breach := range all.broken {
		t.Errorf("the promise is broken: %s", breach)
	}
	if cuts > 1 && (all.durable == 0 || all.backlog == 0) {
		t.Errorf("%d numbers were durable, %d of them waited on the card when the power went: the cuts mean nothing", all.durable, all.backlog)
	}
	proof.Record(t, proof.Trial{
		Part:  "Power cuts",
		Fault: "QEMU and the server of its disk killed; what the disk's cache held is lost",
		Holds: "e2fsck -fp mends ext4, the gateway starts by itself with an undamaged file, every number that its page called durable is in the database once, every change of a setting that it confirmed is in force",
		Tried: cuts, Unit: "cuts", Failed: len(all.broken), Note: all.String(), Seed: fmt.Sprint(seed),
	})
}

// TestPowerCutOfLyingDisk shows that such a test can fail: on a disk that calls a flush done and does nothing, what the
// page called durable is lost. No software can help that.
func TestPowerCutOfLyingDisk(t *testing.T) {
	c := newCard(t, newParts(t))
	c.disk.IgnoreFlushes = true
	c.receiver.Kill() // else it would have some of it
	l := c.start(manyRows)
	c.hasDurable(l, 100)
	c.cut(l)
	c.receiver.Start(t)
	c.disk.IgnoreFlushes = false

	v := c.verdict()
	if v.lost != v.durable || v.lost < 100 {
		t.Errorf("%d numbers were durable and %d are lost, want all of at least 100", v.durable, v.lost)
	}
	proof.Record(t, proof.Trial{
		Part:  "Power cuts",
		Fault: "the same on a disk that ignores flushes (control: the test can fail)",
		Holds: "the loss is seen",
		Tried: 1, Unit: "cuts", Note: fmt.Sprintf("%d of %d durable numbers lost", v.lost, v.durable),
	})
}

// instants are when a card's power is cut, in this order; each further card sees them at other random moments.
var instants = []func(*card, *rand.Rand){inBirth, offline, inCheck, online, inOpening}

// manyRows are more than a life replays before it is cut.
const manyRows = 10_000

// inBirth cuts while the gateway makes its file, or soon after.
func inBirth(c *card, random *rand.Rand) {
	c.cutBehind(random, "gateway starts", 2500*time.Millisecond)
}

// inCheck cuts while a child of the gateway looks over the file that the cut before left.
func inCheck(c *card, random *rand.Rand) { c.cutBehind(random, "gateway starts", 400*time.Millisecond) }

// inOpening cuts while the gateway opens a file that was found sound, or soon after.
func inOpening(c *card, random *rand.Rand) {
	c.cutBehind(random, "buffer file examined", 2500*time.Millisecond)
}

// online cuts while the gateway delivers.
func online(c *card, random *rand.Rand) {
	l := c.start(manyRows)
	c.hasDurable(l, 1)
	c.cutBeside(l, random, 12*time.Second)
}

// offline cuts when the receiver has been gone for a while, so that the card is all there is.
func offline(c *card, random *rand.Rand) {
	l := c.start(manyRows)
	c.hasDurable(l, 1)
	c.pause(random, 4*time.Second)
	c.receiver.Kill()
	c.cutBeside(l, random, 8*time.Second)
	c.receiver.Start(c)
}

// cutBehind cuts at most so long after the gateway's log says something.
func (c *card) cutBehind(random *rand.Rand, said string, most time.Duration) {
	c.Helper()
	l := c.start(manyRows)
	c.hears(l, said)
	c.pause(random, most)
	c.cut(l)
}

// cutBeside cuts within that time, some while after a change of a setting or right behind its answer.
func (c *card) cutBeside(l *life, random *rand.Rand, most time.Duration) {
	c.Helper()
	early := random.IntN(2) == 0
	if early {
		c.change(l)
	}
	c.pause(random, most)
	if !early {
		c.change(l)
	}
	c.cut(l)
}

func (c *card) pause(random *rand.Rand, most time.Duration) {
	testenv.Pause(c.Context(), time.Duration(random.Int64N(int64(most))))
}

// verdict lets the gateway deliver everything, ends all in order and judges.
func (c *card) verdict() verdict {
	c.Helper()
	const rows = 100
	l := c.start(rows)
	c.shutDown(l, rows)
	c.receiver.Stop(c)
	return c.judge()
}
