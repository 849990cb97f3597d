package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A Calibration compares confidences with how often they were right.
type Calibration struct {
	// ECE is the expected calibration error, the mean over the predictions of their bin's distance between confidence and
	// accuracy (Guo et al. 2017, arXiv:1706.04599, equation 3); NaN without predictions. Chance alone makes it more than 0.
	ECE     float64
	Perfect Range // of ECE, for as many predictions of a perfectly calibrated system
	Bins    []CalibrationBin
}

// A CalibrationBin holds the predictions whose confidence lies from Lo, without it, to Hi.
type CalibrationBin struct {
	Lo, Hi     float64
	N          int
	Confidence float64 // mean, NaN where there are none
	Accuracy   float64 // share of right ones, NaN where there are none
	Perfect    Range   // of Accuracy, for a perfectly calibrated system; NaN where there are none
}

// A Range is what chance makes of a figure: the mean of simulated draws, and from where to where 95 % of them are.
type Range struct{ Mean, Lo, Hi float64 }

// Calibrate sorts predictions into bins of equal width by their confidence, in [0, 1]. What a perfectly calibrated system
// would show comes from draws in which each prediction is right as often as its confidence says, from the generator that
// seed starts (consistency resampling: Bröcker and Smith 2007, Weather and Forecasting 22; of the error, Vaicenavicius et
// al. 2019, arXiv:1902.06977). It panics where the lengths differ, a confidence lies outside [0, 1] or there are no bins.
func Calibrate(confidence []float64, right []bool, bins int, seed uint64) Calibration {
	if len(confidence) != len(right) || bins < 1 {
		panic("stat: calibrate: lengths differ, or no bins")
	}
	c := Calibration{Bins: make([]CalibrationBin, bins)}
	for i := range c.Bins {
		c.Bins[i].Lo, c.Bins[i].Hi = float64(i)/float64(bins), float64(i+1)/float64(bins)
	}
	at, sum, hits := make([]int, len(confidence)), make([]float64, bins), make([]int, bins)
	for i, p := range confidence {
		if !(p >= 0 && p <= 1) {
			panic("stat: calibrate: confidence outside [0, 1]")
		}
		at[i] = min(max(int(math.Ceil(p*float64(bins)))-1, 0), bins-1)
		c.Bins[at[i]].N++
		sum[at[i]] += p
		if right[i] {
			hits[at[i]]++
		}
	}
	// ece is the calibration error of so many right answers in each bin.
	ece := func(hits []int) float64 {
		distance := 0.0
		for i, n := range hits {
			distance += math.Abs(sum[i] - float64(n))
		}
		return distance / float64(len(confidence)) // NaN where there are none
	}
	c.ECE = ece(hits)
	for i := range c.Bins {
		bin := &c.Bins[i]
		bin.Confidence, bin.Accuracy = sum[i]/float64(bin.N), float64(hits[i])/float64(bin.N)
	}
	errors, shares := make([]float64, resamples), make([][]float64, bins)
	rng := rand.New(rand.NewPCG(seed, 0))
	for draw := range resamples {
		clear(hits)
		for i, p := range confidence {
			if rng.Float64() < p {
				hits[at[i]]++
			}
		}
		errors[draw] = ece(hits)
		for i, n := range hits {
			shares[i] = append(shares[i], float64(n)/float64(c.Bins[i].N))
		}
	}
	c.Perfect = rangeOf(errors)
	for i := range c.Bins {
		c.Bins[i].Perfect = rangeOf(shares[i])
	}
	return c
}

// rangeOf describes draws, which it sorts.
func rangeOf(draws []float64) Range {
	slices.Sort(draws)
	r := Range{Lo: quantileOf(draws, 0.025), Hi: quantileOf(draws, 0.975)}
	for _, v := range draws {
		r.Mean += v
	}
	r.Mean /= float64(len(draws))
	return r
}

// quantileOf is sorted[floor(n·p)] of at least one value.
func quantileOf(sorted []float64, p float64) float64 {
	return sorted[min(int(float64(len(sorted))*p), len(sorted)-1)]
}
