package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// PairedInterval returns the 95 % interval of the difference of two shares of the same n images, of which onlyA were right
// with one system alone and onlyB with the other alone: that of Agresti and Min (Statistics in Medicine 24, 2005, "Wald+2"),
// with half an image more in each of the four cells. It is of A less B, in [-1, 1]. It panics where a count is negative or both
// exceed n.
func PairedInterval(onlyA, onlyB, n int) (lo, hi float64) {
	if onlyA < 0 || onlyB < 0 || onlyA+onlyB > n {
		panic("stat: paired interval: counts negative or more than images")
	}
	a, b, m := float64(onlyA)+0.5, float64(onlyB)+0.5, float64(n)+2
	centre := (a - b) / m
	half := z95 * math.Sqrt(a+b-(a-b)*(a-b)/m) / m
	return max(centre-half, -1), min(centre+half, 1)
}

// z80 is the 80 % quantile of the standard normal distribution.
const z80 = 0.8416212335729143

// ImagesToSeparate returns how many images in all it would take for McNemar's test to separate two systems at a level,
// two-sided and in (0, 1), with a chance of about 80 %, if they go on to differ as they do on n images, of which onlyA
// were right with the one alone and onlyB with the other alone. It is Connor's formula (1987), a normal approximation
// that gives the exact test a power of 77 to 80 %, and never fewer images than the exact test needs to reject at all.
// Of several comparisons, level is the one pair's share of the family's rate. Ok is false where the counts are equal: no
// number of images would do. It panics where the counts are negative or exceed n, or level is not one.
func ImagesToSeparate(onlyA, onlyB, n int, level float64) (images int, ok bool) {
	if onlyA < 0 || onlyB < 0 || onlyA+onlyB > n {
		panic("stat: images to separate: counts negative or more than images")
	}
	if !(level > 0 && level < 1) {
		panic("stat: images to separate: level outside (0, 1)")
	}
	if onlyA == onlyB {
		return 0, false
	}
	discordant := float64(onlyA+onlyB) / float64(n)
	difference := math.Abs(float64(onlyA-onlyB)) / float64(n)
	z := distuv.UnitNormal.Quantile(1 - level/2)
	root := (z*math.Sqrt(discordant) + z80*math.Sqrt(discordant-difference*difference)) / difference
	// All of k discordant images on one side have p = 2·0.5^k.
	least := math.Floor(math.Log2(2/level)) + 1
	return int(math.Ceil(max(root*root, least/discordant))), true
}

// TieRanks returns the rank of each of n systems: one more than the number of systems that are better beyond doubt, as
// better says of two of them. Those that nothing separates from the best share the first rank.
func TieRanks(n int, better func(i, j int) bool) []int {
	ranks := make([]int, n)
	for i := range n {
		ranks[i] = 1
		for j := range n {
			if i != j && better(j, i) {
				ranks[i]++
			}
		}
	}
	return ranks
}
