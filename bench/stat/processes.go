package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// ProcessInterval describes a latency that several processes measured, each by the median of its samples: the median of
// the medians, and bounds for it with 95 % confidence. The bounds are Student's, of the medians' logarithms: what differs
// between processes (where pages lie, where threads run, what the host does meanwhile) is about normal in them, and a
// handful of processes has no order statistics to bound anything with 95 %. The medians are in the order of their rounds, and
// neighbouring rounds are supposed to be alike (see roundCorrelation). Ok is false for fewer than two processes or a
// median that is not positive: one process says nothing of what differs between them. It panics where there are none.
func ProcessInterval(medians []int64) (p50, lo, hi int64, ok bool) {
	p50 = At(slices.Sorted(slices.Values(medians)), 0.5)
	x, ok := logs(medians)
	if !ok || len(x) < 2 {
		return p50, 0, 0, false
	}
	mean, variance := meanOfRounds(x)
	half := quantile(0.975, float64(len(x)-1)) * math.Sqrt(variance)
	lo, hi = int64(math.Floor(math.Exp(mean-half))), int64(math.Ceil(math.Exp(mean+half)))
	return p50, min(lo, p50), max(hi, p50), true // the mean of logarithms is not the median; rounding apart it is always within
}

// A Ratio is how many times as long one latency is as another, with its 95 % interval and the two-sided p-value of the
// hypothesis that it is 1. P is for Holm's correction over whatever family is printed.
type Ratio struct {
	Times, Lo, Hi, P float64
}

// PairedRatio compares two latencies whose processes ran in turn, round by round: after[i] and before[i] are medians of
// processes of one round, so that what the host does to a round falls on both. It is Student's paired test of the
// logarithms. Ok is false for fewer than two rounds or a median that is not positive. It panics where the lengths differ.
func PairedRatio(after, before []int64) (r Ratio, ok bool) {
	if len(after) != len(before) {
		panic("stat: paired ratio: lengths differ")
	}
	x, okX := logs(after)
	y, okY := logs(before)
	if !okX || !okY || len(x) < 2 {
		return Ratio{}, false
	}
	for i := range x {
		x[i] -= y[i]
	}
	mean, variance := moments(x)
	return ratio(mean, variance/float64(len(x)), float64(len(x)-1)), true
}

// IndependentRatio compares two latencies whose processes did not run in turn, as those of two runs: Welch's test of the
// medians' logarithms, each side with its own spread, by the rule of [ProcessInterval]. Ok is false where a side has fewer
// than two processes or a median that is not positive.
func IndependentRatio(after, before []int64) (r Ratio, ok bool) {
	x, okX := logs(after)
	y, okY := logs(before)
	if !okX || !okY || len(x) < 2 || len(y) < 2 {
		return Ratio{}, false
	}
	meanX, a := meanOfRounds(x)
	meanY, b := meanOfRounds(y)
	freedom := float64(min(len(x), len(y)) - 1) // where nothing varies
	if a+b > 0 {
		freedom = (a + b) * (a + b) / (a*a/float64(len(x)-1) + b*b/float64(len(y)-1))
	}
	return ratio(meanX-meanY, a+b, freedom), true
}

// ratio turns a difference of logarithms with its variance and degrees of freedom into a ratio.
func ratio(difference, variance, freedom float64) Ratio {
	deviation := math.Sqrt(variance)
	half := quantile(0.975, freedom) * deviation
	r := Ratio{Times: math.Exp(difference), Lo: math.Exp(difference - half), Hi: math.Exp(difference + half)}
	switch {
	case deviation > 0:
		r.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.CDF(-math.Abs(difference)/deviation)
	case difference == 0:
		r.P = 1
	}
	return r
}

// ProcessSpread returns, in percent of the latency, the standard deviation of processes' medians and how much of it one
// process's own samples explain: the root mean square over processes of the standard error of a median, taken from its
// 95 % interval of order statistics. Each part has the samples of one process, at least [MinSamples] of the median. Either
// is 0 where it is not known.
func ProcessSpread(parts [][]int64) (between, within float64) {
	var medians []int64
	var square float64
	known := 0
	for _, part := range parts {
		sorted := slices.Sorted(slices.Values(part))
		p50, ok := percentile(sorted, 0.5)
		if !ok || p50 <= 0 {
			continue
		}
		medians = append(medians, p50)
		if iv, ok := PercentileInterval(sorted, 0.5, 0.95); ok {
			half := 100 * float64(iv.Hi-iv.Lo) / 2 / z95 / float64(p50)
			square += half * half
			known++
		}
	}
	if known > 0 {
		within = math.Sqrt(square / float64(known))
	}
	if x, ok := logs(medians); ok && len(x) > 1 {
		_, variance := moments(x)
		between = 100 * math.Sqrt(variance)
	}
	return between, within
}

// logs are natural logarithms; ok is false where a value has none.
func logs(values []int64) (x []float64, ok bool) {
	for _, v := range values {
		if v <= 0 {
			return nil, false
		}
		x = append(x, math.Log(float64(v)))
	}
	return x, true
}

// moments are the mean and the unbiased variance of at least one value; of one, the variance is 0.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(max(len(x)-1, 1))
	}
	return mean, variance
}

// roundCorrelation is how far the logarithms of latencies in neighbouring rounds are supposed to be correlated, falling by as much with
// every round more. A shared host is faster or slower for minutes: over 20 runs of ten networks, rounds 6 s apart, the correlation was
// 0.20, 0.11 and 0.10 at one to three rounds (docs/measurements.md). Taken for independent, five processes gave intervals that
// held the mean of all runs in 88 % of the rows.
const roundCorrelation = 0.2

// meanOfRounds is the mean of values of successive rounds, and that mean's variance.
func meanOfRounds(x []float64) (mean, variance float64) {
	mean, variance = moments(x)
	n := float64(len(x))
	excess, power := 0.0, 1.0 // of the mean's variance over that of independent values
	for k := 1; k < len(x); k++ {
		power *= roundCorrelation
		excess += 2 * (1 - float64(k)/n) * power
	}
	// Values that are alike spread less about their own mean than about the true one.
	spread := n / max(n-1, 1) * (1 - (1+excess)/n)
	if spread > 0 {
		variance /= spread
	}
	return mean, variance * (1 + excess) / n
}

// quantile is Student's.
func quantile(p, freedom float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile(p)
}
