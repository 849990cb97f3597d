package gate

import (
	"math"
	"slices"
)

// evidence is a set of log times from which a shift is told: head's logarithm less base's.
type evidence interface {
	// test returns the chance of samples at least so far above, were the true shift no more than shift, and of samples
	// at least so far below, were it no less.
	test(shift float64) (above, below float64)
	// centre estimates the shift, Hodges and Lehmann's way (1963).
	centre() float64
	// interval encloses the shift at the given confidence; both ends are infinite where the samples are too few.
	interval(level float64) (lo, hi float64)
}

// paired are differences, one a round, symmetric about the shift: Wilcoxon's signed-rank test (1945), exact.
type paired []float64

func (d paired) test(shift float64) (above, below float64) {
	type item struct {
		size     float64
		positive bool
	}
	var items []item
	for _, v := range d {
		if v -= shift; v != 0 { // what is neither above nor below says nothing
			items = append(items, item{math.Abs(v), v > 0})
		}
	}
	slices.SortFunc(items, func(a, b item) int {
		switch {
		case a.size < b.size:
			return -1
		case a.size > b.size:
			return 1
		}
		return 0
	})
	// Twice the ranks, so that the mean rank of ties is a whole number and the distribution stays exact with ties.
	ranks, positive := make([]int, len(items)), 0
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && items[j].size == items[i].size {
			j++
		}
		for k := i; k < j; k++ {
			ranks[k] = i + 1 + j
			if items[k].positive {
				positive += ranks[k]
			}
		}
		i = j
	}
	share := signedRankShares(ranks)
	for sum, p := range share {
		if sum >= positive {
			above += p
		}
		if sum <= positive {
			below += p
		}
	}
	return min(1, above), min(1, below)
}

// signedRankShares is the distribution of the sum of ranks of which each is in or out with equal chance, by sum.
func signedRankShares(ranks []int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	share, reach := make([]float64, total+1), 0
	share[0] = 1
	for _, r := range ranks {
		reach += r
		for sum := reach; sum >= 0; sum-- {
			p := share[sum] / 2
			if sum >= r {
				p += share[sum-r] / 2
			}
			share[sum] = p
		}
	}
	return share
}

// walsh are the means of all pairs of samples, each with itself too, in ascending order.
func (d paired) walsh() []float64 {
	var means []float64
	for i := range d {
		for j := range i + 1 {
			means = append(means, (d[i]+d[j])/2)
		}
	}
	slices.Sort(means)
	return means
}

func (d paired) centre() float64 { return median(d.walsh()) }

func (d paired) interval(level float64) (lo, hi float64) {
	ranks := make([]int, len(d))
	for i := range ranks {
		ranks[i] = i + 1
	}
	skip, tail := -1, 0.0 // how many of the outermost means lie outside
	for _, p := range signedRankShares(ranks) {
		if tail += p; tail > (1-level)/2 {
			break
		}
		skip++
	}
	means := d.walsh()
	if skip < 0 || len(means) == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return means[skip], means[len(means)-1-skip]
}

// unpaired are two sets of log times that were not measured together: the rank-sum test (Mann and Whitney 1947), by its
// normal approximation with half a rank of continuity.
type unpaired struct{ base, head []float64 }

// normal returns the mean and the standard deviation of the rank-sum statistic.
func (u unpaired) normal() (mean, sd float64) {
	n, m := float64(len(u.base)), float64(len(u.head))
	return n * m / 2, math.Sqrt(n * m * (n + m + 1) / 12)
}

func (u unpaired) test(shift float64) (above, below float64) {
	var larger float64 // pairs in which head is above base and the shift
	for _, b := range u.base {
		for _, h := range u.head {
			switch d := h - b - shift; {
			case d > 0:
				larger++
			case d == 0:
				larger += 0.5
			}
		}
	}
	mean, sd := u.normal()
	if sd == 0 {
		return 1, 1
	}
	tail := func(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }
	return min(1, tail((larger-mean-0.5)/sd)), min(1, tail((mean-larger-0.5)/sd))
}

// differences are those of all pairs, in ascending order.
func (u unpaired) differences() []float64 {
	d := make([]float64, 0, len(u.base)*len(u.head))
	for _, b := range u.base {
		for _, h := range u.head {
			d = append(d, h-b)
		}
	}
	slices.Sort(d)
	return d
}

func (u unpaired) centre() float64 { return median(u.differences()) }

func (u unpaired) interval(level float64) (lo, hi float64) {
	mean, sd := u.normal()
	z := math.Sqrt2 * math.Erfinv(level)
	d := u.differences()
	skip := int(math.Floor(mean - z*sd - 0.5))
	if skip < 0 || len(d) == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return d[skip], d[len(d)-1-skip]
}

// median is that of values in any order, the mean of the two middle ones where their number is even; NaN of none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
