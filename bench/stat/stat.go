// Package stat turns samples into figures that can be defended: percentiles, the intervals around them and paired
// tests between two systems.
//
// Contract: nothing here assumes a distribution. A percentile of n sorted samples is sorted[floor(n·p)] and is given
// only where n is large enough to bound it with 99 % confidence ([MinSamples]); intervals of percentiles come from
// order statistics, of shares from Wilson's score, of rank correlations from a bootstrap with the seed the caller
// names. Functions never change their arguments and give the same result for the same input on every machine.
//
// It leaves to others what the figures mean: validity of a run is bench/load's, units and storage are bench/record's,
// and ordering rows by accuracy is the report's.
package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is the confidence at which a percentile may be printed.
const confidence = 0.99

// MinSamples returns how many samples a percentile p, 0 < p < 1, takes before it may be printed: the least n at which
// the second largest sample lies above the p-quantile with 99 % confidence, that is p^n + n·(1-p)·p^(n-1) ≤ 0.01. It
// is the early-stopping rule of MLPerf's LoadGen with one sample discarded and gives 11, 64, 130, 662 and 6636 for
// p50, p90, p95, p99 and p99.9. It panics where p is outside (0, 1).
func MinSamples(p float64) int {
	if !(p > 0 && p < 1) {
		panic("stat: min samples: p outside (0, 1)")
	}
	// The probability that at most one of n samples lies above the quantile falls with n, so double and then bisect.
	few := func(n int) bool {
		return math.Pow(p, float64(n))+float64(n)*(1-p)*math.Pow(p, float64(n-1)) > 1-confidence
	}
	hi := 2
	for few(hi) {
		hi *= 2
	}
	lo := 0
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; few(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// percentile returns sorted[floor(n·p)] of n samples in ascending order, and whether there are at least [MinSamples]
// of them; where there are not, the value is 0.
func percentile(sorted []int64, p float64) (value int64, ok bool) {
	if len(sorted) < MinSamples(p) {
		return 0, false
	}
	return At(sorted, p), true
}

// At returns sorted[floor(n·p)] whatever the number of samples, 0 ≤ p ≤ 1, for decisions inside the harness that are
// never printed. It panics where sorted is empty.
func At(sorted []int64, p float64) int64 {
	if len(sorted) == 0 {
		panic("stat: percentile of no samples")
	}
	// A product such as 100·0.29 falls a hair short of its whole number in binary; the tolerance keeps the index the
	// one that decimal arithmetic gives.
	return sorted[min(int(float64(len(sorted))*p+1e-9), len(sorted)-1)]
}

// A Summary describes one set of latency samples in the samples' own unit. Percentiles for which there are
// too few samples are 0.
type Summary struct {
	N                  int
	Min, Max           int64
	Mean               float64
	P50, P90, P95, P99 int64
	P999               int64
	// P50Lo and P50Hi bound the median with 95 % confidence; both are 0 where n is too small for an interval.
	P50Lo, P50Hi int64
}

// Summarise describes samples, in any order. The zero Summary stands for no samples.
func Summarise(samples []int64) Summary {
	if len(samples) == 0 {
		return Summary{}
	}
	sorted := slices.Clone(samples)
	slices.Sort(sorted)
	s := Summary{N: len(sorted), Min: sorted[0], Max: sorted[len(sorted)-1], Mean: mean(sorted)}
	for _, f := range []struct {
		p float64
		v *int64
	}{{0.5, &s.P50}, {0.9, &s.P90}, {0.95, &s.P95}, {0.99, &s.P99}, {0.999, &s.P999}} {
		*f.v, _ = percentile(sorted, f.p)
	}
	if iv, ok := PercentileInterval(sorted, 0.5, 0.95); ok {
		s.P50Lo, s.P50Hi = iv.Lo, iv.Hi
	}
	return s
}

// mean returns the arithmetic mean of samples, NaN where there are none. It sums the differences from the first
// sample, so that nanosecond sums do not lose digits.
func mean(samples []int64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	var sum float64
	for _, v := range samples {
		sum += float64(v - samples[0])
	}
	return float64(samples[0]) + sum/float64(len(samples))
}

// An Interval holds two order statistics of a sample and the confidence, exact for a continuous distribution, with
// which they enclose a quantile.
type Interval struct {
	Lo, Hi   int64
	Coverage float64
}

// PercentileInterval returns the tightest equal-tailed interval of order statistics that encloses the p-quantile with
// at least the given confidence, whatever the distribution; ok is false where the samples, in ascending order, are
// too few for one. P and level lie in (0, 1).
func PercentileInterval(sorted []int64, p, level float64) (iv Interval, ok bool) {
	n := len(sorted)
	if n == 0 || !(p > 0 && p < 1 && level > 0 && level < 1) {
		return Interval{}, false
	}
	tail := (1 - level) / 2
	below := distuv.Binomial{N: float64(n), P: p} // how many samples lie under the quantile
	// The number below is at most l-1 with probability ≤ tail: the l-th smallest sample lies above the quantile that
	// seldom. Likewise at least u on the other side.
	l := searchCount(n, func(k int) bool { return below.CDF(float64(k)) > tail })
	u := searchCount(n, func(k int) bool { return 1-below.CDF(float64(k)) <= tail }) + 1
	if l < 1 || u > n {
		return Interval{}, false
	}
	cover := below.CDF(float64(u-1)) - below.CDF(float64(l-1))
	return Interval{Lo: sorted[l-1], Hi: sorted[u-1], Coverage: cover}, true
}

// searchCount returns the least k in [0, n] for which the monotone f holds, n+1 if none.
func searchCount(n int, f func(k int) bool) int {
	lo, hi := 0, n+1
	for lo < hi {
		if mid := (lo + hi) / 2; f(mid) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
