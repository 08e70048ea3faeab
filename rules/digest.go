package rules

import (
	"cmp"
	"math"
	"slices"
)

// A digest estimates quantiles in bounded memory: a merging t-digest (Dunning and Ertl, "Computing extremely accurate
// quantiles using t-digests", 2019) with the scale function k1. Values are gathered into centroids, which are small near
// the ends of the distribution and large in its middle. Up to digestCap values are kept one by one, and quantiles of so
// few are exact; of more, the rank of an estimate is off by at most about 3.2 % · sqrt(q(1-q)): 1.6 % at the median, 0.3 % at
// p99, 0.1 % at p99.9. The same values in the same order give the same digest.
type digest struct {
	N         float64    `json:"n"` // values
	Centroids []centroid `json:"c"` // sorted after compress; add appends
}

// A centroid is the mean of some values and their number.
type centroid [2]float64

const (
	digestCap   = 200 // centroids between two compressions: 3.2 kB
	digestScale = 100 // about as many are left after one
)

func (d *digest) add(v float64) {
	d.N++
	d.append(centroid{v, 1})
}

// merge adds the values of another digest, which keeps its own.
func (d *digest) merge(o *digest) {
	d.N += o.N
	d.append(o.Centroids...)
}

func (d *digest) append(c ...centroid) {
	d.Centroids = append(d.Centroids, c...)
	if len(d.Centroids) >= digestCap {
		d.compress()
	}
}

func (d *digest) sort() {
	slices.SortFunc(d.Centroids, func(a, b centroid) int { return cmp.Compare(a[0], b[0]) })
}

// compress merges neighbours as far as the scale function allows, in place.
func (d *digest) compress() {
	if len(d.Centroids) == 0 {
		return
	}
	d.sort()
	total := 0.0
	for _, c := range d.Centroids {
		total += c[1]
	}
	kept, before := 0, 0.0
	limit := total * quantileAt(scaleOf(0)+1)
	for _, next := range d.Centroids[1:] {
		c := &d.Centroids[kept]
		if before+c[1]+next[1] <= limit {
			*c = c.with(next)
			continue
		}
		before += c[1]
		limit = total * quantileAt(scaleOf(before/total)+1)
		kept++
		d.Centroids[kept] = next
	}
	d.Centroids = d.Centroids[:kept+1]
}

// with merges two centroids; neither term can overflow.
func (c centroid) with(o centroid) centroid {
	n := c[1] + o[1]
	return centroid{c[0]*(c[1]/n) + o[0]*(o[1]/n), n}
}

// scaleOf and quantileAt are the scale function k1 and its inverse: fine near 0 and 1, coarse around 0.5.
func scaleOf(q float64) float64 { return digestScale / (2 * math.Pi) * math.Asin(2*q-1) }

func quantileAt(k float64) float64 {
	return (math.Sin(min(k*2*math.Pi/digestScale, math.Pi/2)) + 1) / 2
}

// quantile returns the value below which a share q of the values lies, from 0 to 1, interpolated between its neighbours
// (the definition of R's type 7 and NumPy's default). least and most are the smallest and the largest value.
func (d *digest) quantile(q, least, most float64) float64 {
	d.sort()
	at := q * (d.N - 1)
	place, v, passed := 0.0, least, 0.0
	for _, c := range d.Centroids {
		middle := passed + (c[1]-1)/2
		if at < middle {
			return between(place, v, middle, c[0], at)
		}
		place, v, passed = middle, c[0], passed+c[1]
	}
	return between(place, v, d.N-1, most, at)
}

// between interpolates at x on the line from (x0, y0) to (x1, y1).
func between(x0, y0, x1, y1, x float64) float64 {
	if x1 <= x0 {
		return y0
	}
	share := (x - x0) / (x1 - x0)
	return y0*(1-share) + y1*share
}
