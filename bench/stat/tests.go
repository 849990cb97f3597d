package stat

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// z95 is the 97.5 % quantile of the standard normal distribution.
const z95 = 1.959963984540054

// Wilson returns Wilson's 95 % score interval of the share of successes in trials, as shares in [0, 1] (Wilson 1927).
// Without trials nothing is known and it is [0, 1]. It panics where successes lie outside [0, trials].
func Wilson(successes, trials int) (lo, hi float64) {
	if successes < 0 || successes > trials {
		panic("stat: wilson: successes outside [0, trials]")
	}
	if trials == 0 {
		return 0, 1
	}
	return WilsonShare(float64(successes)/float64(trials), float64(trials))
}

// WilsonShare is Wilson's interval of a share that need be no whole number of the trials, as the mean of several counts of the
// same trials. It panics where the share lies outside [0, 1] or there are no trials.
func WilsonShare(share, trials float64) (lo, hi float64) {
	if !(share >= 0 && share <= 1 && trials > 0) {
		panic("stat: wilson: share outside [0, 1], or no trials")
	}
	n := trials
	centre := (share + z95*z95/(2*n)) / (1 + z95*z95/n)
	half := z95 / (1 + z95*z95/n) * math.Sqrt(share*(1-share)/n+z95*z95/(4*n*n))
	lo, hi = max(0, centre-half), min(1, centre+half)
	// The end points are exact at the borders; rounding must not say otherwise.
	if share == 0 {
		lo = 0
	}
	if share == 1 {
		hi = 1
	}
	return lo, hi
}

// McNemar returns the two-sided p-value of McNemar's exact test: onlyA and onlyB count the images that one system
// alone got right. It doubles the binomial tail and takes no mid-p. It panics where a count is negative.
func McNemar(onlyA, onlyB int) float64 {
	if onlyA < 0 || onlyB < 0 {
		panic("stat: mcnemar: negative count")
	}
	n := onlyA + onlyB
	if n == 0 {
		return 1
	}
	fair := distuv.Binomial{N: float64(n), P: 0.5}
	return min(1, 2*fair.CDF(float64(min(onlyA, onlyB))))
}

// Holm returns p-values adjusted by Holm's step-down correction (Holm 1979), in the order given: an adjusted value
// under alpha rejects with a family-wise error rate of alpha.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	adjusted, highest := make([]float64, len(p)), 0.0
	for rank, i := range order {
		highest = max(highest, min(1, float64(len(p)-rank)*p[i]))
		adjusted[i] = highest
	}
	return adjusted
}

// Spearman returns Spearman's rank correlation of x and y, ties ranked by their mean rank; NaN where there are fewer
// than two pairs or one side does not vary. It panics where the lengths differ.
func Spearman(x, y []float64) float64 {
	if len(x) != len(y) {
		panic("stat: spearman: lengths differ")
	}
	rx, ry := ranks(x), ranks(y)
	mean := float64(len(x)+1) / 2
	var xy, xx, yy float64
	for i := range rx {
		dx, dy := rx[i]-mean, ry[i]-mean
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	return xy / math.Sqrt(xx*yy)
}

// ranks returns the 1-based rank of each value; equal values share their mean rank.
func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return 0
	})
	r := make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			r[order[k]] = float64(i+1+j) / 2
		}
		i = j
	}
	return r
}

// resamples is how many draws an interval rests on.
const resamples = 2000

// SpearmanInterval returns the 95 % percentile-bootstrap interval of [Spearman] over groups of pairs, drawn with
// replacement from the generator that seed starts: pairs of one group are no independent draws, and a group comes as a
// whole. Group has the group of each pair. Draws in which one side does not vary have no correlation and are left out;
// both ends are NaN where no draw is left. It panics where the lengths differ.
func SpearmanInterval(x, y []float64, group []string, seed uint64) (lo, hi float64) {
	if len(x) != len(y) || len(x) != len(group) {
		panic("stat: spearman: lengths differ")
	}
	at := map[string]int{}
	var members [][]int
	for i, g := range group {
		j, known := at[g]
		if !known {
			j = len(members)
			at[g], members = j, append(members, nil)
		}
		members[j] = append(members[j], i)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var rho []float64
	for range resamples {
		var bx, by []float64
		for range members {
			for _, i := range members[rng.IntN(len(members))] {
				bx, by = append(bx, x[i]), append(by, y[i])
			}
		}
		if r := Spearman(bx, by); !math.IsNaN(r) {
			rho = append(rho, r)
		}
	}
	if len(rho) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(rho)
	return quantileOf(rho, 0.025), quantileOf(rho, 0.975)
}

// Inflation returns how many times as far as independent draws the mean of samples strays, at least 1: queries that wait in one line are
// late together, so that n of them say as much as n over the inflation. It is the variance of means over blocks of neighbours, about the
// mean of all, times the block's length, over the samples' own variance (batch means, Law and Kelton, Simulation Modeling and Analysis,
// section 9.5.3). Each part has one process's samples in order and gives ten blocks; a part of fewer samples than ten counts as one block.
func Inflation(parts [][]int64) float64 {
	const blocks = 10
	var all, means []float64
	for _, part := range parts {
		size := len(part) / blocks
		if size == 0 {
			size = len(part)
		}
		for at := 0; size > 0 && at+size <= len(part); at += size {
			var sum float64
			for _, v := range part[at : at+size] {
				all = append(all, float64(v))
				sum += float64(v)
			}
			means = append(means, sum/float64(size))
		}
	}
	if len(means) < 2 {
		return 1
	}
	_, single := moments(all)
	_, block := moments(means)
	if single == 0 {
		return 1
	}
	return max(1, block*float64(len(all))/float64(len(means))/single)
}

// WithinBound reports whether n queries of which late took longer than a bound show, with 99 % confidence, that at
// least the share p of all queries would keep it: the rule by which MLPerf's LoadGen stops early. P lies in (0, 1);
// late in [0, n].
func WithinBound(n, late int, p float64) bool {
	if n <= 0 || late >= n {
		return false
	}
	// Were the true share of late queries 1-p, so few of them would be this seldom.
	return distuv.Binomial{N: float64(n), P: 1 - p}.CDF(float64(late)) <= 1-confidence
}
