package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// SignFlip returns the two-sided p-value of paired differences, whole numbers, under the hypothesis that each is as likely
// with the other sign: the share of all ways to flip signs whose sum is at least as far from zero as that of the
// differences (Fisher 1935, The Design of Experiments, section 21). It is exact. Where all differences are −1, 0 or 1 it
// is McNemar's exact test. The differences must be independent of each other.
func SignFlip(differences []int) float64 {
	counts := map[int]int{}
	sum, units := 0, 0
	for _, d := range differences {
		if d != 0 {
			counts[max(d, -d)]++
			sum, units = sum+d, units+1
		}
	}
	if sum == 0 {
		return 1
	}
	sizes := make([]int, 0, len(counts))
	for size := range counts {
		sizes = append(sizes, size)
	}
	slices.Sort(sizes)
	// probability is that of a sum of flipped differences, from the least one on.
	probability, least := []float64{1}, 0
	for _, size := range sizes {
		n := counts[size]
		next := make([]float64, len(probability)+2*size*n)
		for k, p := range halves(n) {
			if p == 0 {
				continue
			}
			for i, q := range probability {
				next[i+2*size*k] += p * q
			}
		}
		probability, least = next, least-size*n
	}
	p := 0.0
	for i, q := range probability {
		if s := least + i; max(s, -s) >= max(sum, -sum) {
			p += q
		}
	}
	// Signs that are all the same are two of the ways, whatever rounding says.
	return min(1, max(p, math.Ldexp(1, 1-units)))
}

// halves are the probabilities of each number of heads of n fair coins, 0 where there is next to none.
func halves(n int) []float64 {
	const nextToNone = 1e-25
	coins := distuv.Binomial{N: float64(n), P: 0.5}
	all := make([]float64, n+1)
	for k := range all {
		if p := coins.Prob(float64(k)); p > nextToNone {
			all[k] = p
		}
	}
	return all
}
