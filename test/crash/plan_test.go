package crash

import (
	"hash/maphash"
	"math/rand/v2"
)

// A trace is what one scenario left: its events, and how its buffer is opened.
type trace struct {
	Name         string
	Share        float64 // of all images
	Root         string  // the folder that stands for the card
	MaxBytes     int64
	HistoryBytes int64
	Events       []event
}

// cuts are the points of a trace at which images are made: before each return of a sync, where most is on its way and
// what came before was promised, and the end. An image of any point in between is one of these too: there, what came
// later is dropped.
func (tr *trace) cuts() []int {
	var out []int
	for i, e := range tr.Events {
		if e.Kind == synced {
			out = append(out, i)
		}
	}
	return append(out, len(tr.Events))
}

// An order is an image to be made and tried.
type order struct {
	cut    int // how many events happened
	choice choice
}

// systematic are the choices that every cut gets: all, none, all but one, only one, and of the last write each sector.
func systematic(pending []item) []choice {
	out := []choice{{Kind: "none"}, {Kind: "all"}}
	for i, item := range pending {
		out = append(out, choice{Kind: "only", Item: i}, choice{Kind: "but", Item: i})
		if i == len(pending)-1 || pending[i+1].path != "" {
			for s := range min(len(item.data)/sector, 8) {
				out = append(out, choice{Kind: "sector", Item: i, Bit: s}, choice{Kind: "sectors", Item: i, Bit: s})
			}
		}
	}
	return out
}

// enoughSectors on their way make many different images, even if each of them comes as a whole or not at all.
const enoughSectors = 16

// A planner gives orders: images of one trace, all of one cut different.
type planner struct {
	trace *trace
	lossy bool
	want  int // how many at least
	rng   *rand.Rand

	given, cuts int // counted
}

// run gives the systematic choices of every cut, and as many random ones, spread over the cuts with much on its way, as
// make up the number that is wanted. The control gets random ones only. It ends early where give returns false.
func (p *planner) run(give func(order) bool) error {
	sums, rich, all := maphash.MakeSeed(), make(map[int]bool), 0
	err := p.trace.replay(p.lossy, func(cut int, d *disk) {
		p.cuts++
		if _, changed := d.image(d.pending(), choice{Kind: "all"}).sum(sums); changed >= enoughSectors {
			rich[cut] = true
			all++
		}
	})
	if err != nil {
		return err
	}
	met, ended := 0, false
	return p.trace.replay(p.lossy, func(cut int, d *disk) {
		pending, seen := d.pending(), make(map[uint64]bool)
		try := func(c choice) {
			if sum, _ := d.image(pending, c).sum(sums); !seen[sum] && !ended {
				seen[sum] = true
				p.given++
				ended = !give(order{cut, c})
			}
		}
		if !p.lossy {
			for _, c := range systematic(pending) {
				try(c)
			}
		}
		if !rich[cut] {
			return
		}
		met++
		missing := p.want*met/all - p.given
		for enough, tries := p.given+missing, 4*missing+100; p.given < enough && tries > 0 && !ended; tries-- {
			try(choice{Kind: "random", Seed: p.rng.Uint64()})
		}
	})
}

// replay calls f with the disk at each cut.
func (tr *trace) replay(lossy bool, f func(cut int, d *disk)) error {
	d, at := newDisk(tr.Root, lossy), 0
	for _, cut := range tr.cuts() {
		for ; at < cut; at++ {
			if err := d.happen(tr.Events[at]); err != nil {
				return err
			}
		}
		f(cut, d)
	}
	return nil
}
