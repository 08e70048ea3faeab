package rules

import "math"

// A cell gathers the values of one quantity in one window. What the functions of the rule do not need, it does not keep.
type cell struct {
	sum
	Mid    float64 `json:"mid,omitempty"` // mean and sum of squared differences from it (Welford)
	Off    float64 `json:"off,omitempty"`
	First  point   `json:"first,omitzero"`
	Final  point   `json:"final,omitzero"`
	Digest *digest `json:"digest,omitempty"`
}

// A point is a value at a monotonic time, µs.
type point struct {
	Mono int64   `json:"mono"`
	V    float64 `json:"v"`
}

// needs says what a cell keeps beside the sum.
type needs struct{ spread, ends, digest bool }

func (c *cell) add(v float64, mono int64, n needs) {
	c.sum.add(v)
	if n.spread {
		d := v - c.Mid
		c.Mid += d / float64(c.N)
		c.Off += d * (v - c.Mid)
	}
	if n.ends {
		c.reach(point{mono, v}, c.N == 1)
	}
	if n.digest {
		if c.Digest == nil {
			c.Digest = new(digest)
		}
		c.Digest.add(v)
	}
}

// reach moves the ends out to p. Of values at the same instant the first one given is first, and the last one is last.
func (c *cell) reach(p point, alone bool) {
	if alone || p.Mono < c.First.Mono {
		c.First = p
	}
	if alone || p.Mono >= c.Final.Mono {
		c.Final = p
	}
}

// merge adds the values of another cell, which keeps its own.
func (c *cell) merge(o *cell, n needs) {
	if o.N == 0 {
		return
	}
	empty := c.N == 0
	if n.spread { // Chan, Golub and LeVeque
		all := float64(c.N + o.N)
		d := o.Mid - c.Mid
		c.Off += o.Off + d*d*(float64(c.N)*float64(o.N)/all)
		c.Mid += d * (float64(o.N) / all)
	}
	if n.ends {
		c.reach(o.First, empty)
		c.reach(o.Final, false)
	}
	if n.digest && o.Digest != nil {
		if c.Digest == nil {
			c.Digest = new(digest)
		}
		c.Digest.merge(o.Digest)
	}
	c.sum.merge(&o.sum)
}

// stddev is the standard deviation of the values taken as the whole (by n, not n-1); 0 for one value.
func (c *cell) stddev() (float64, bool) { return math.Sqrt(max(c.Off, 0) / float64(c.N)), true }

// rate is the change from the first value to the last for each second between them; none where no time lies between.
func (c *cell) rate() (float64, bool) {
	us := c.Final.Mono - c.First.Mono
	return (c.Final.V - c.First.V) / (float64(us) / 1e6), us > 0
}
