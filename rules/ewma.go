package rules

import "math"

// An ewma is the model of exponentially weighted mean and variance: recent values count more, and none is kept. It costs
// 24 bytes.
type ewma struct {
	N        int     `json:"n"` // values so far, at most as many as it needs to warm up
	Mean     float64 `json:"mean"`
	Variance float64 `json:"variance"`
}

const ewmaModel = "ewma/1"

func (e *ewma) count() int { return e.N }

func (e *ewma) expect() (centre, spread float64) { return e.Mean, math.Sqrt(e.Variance) }

// learn takes a value in. It weighs 2/(window+1), so that the mean age of what counts is that of a plain window of this
// many values. Where squares grow beyond what a number holds, the model begins anew.
func (e *ewma) learn(v float64, window int) {
	if e.N == 0 {
		*e = ewma{N: 1, Mean: v}
		return
	}
	weight := 2 / float64(window+1)
	d := v - e.Mean
	e.Mean += weight * d
	e.Variance = (1 - weight) * (e.Variance + weight*d*d)
	if e.N < maxWarmup {
		e.N++
	}
	if math.IsInf(e.Variance, 0) || math.IsNaN(e.Variance) || math.IsInf(e.Mean, 0) {
		*e = ewma{N: 1, Mean: v}
	}
}
