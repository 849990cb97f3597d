package stat

import "math"

// z80 is the 80 % quantile of the standard normal distribution.
const z80 = 0.8416212335729143

// ImagesToSeparate returns how many images in all it would take for McNemar's test to tell two systems apart at 5 %,
// two-sided, with a power of 80 %, if they go on to differ as they do on n images, of which onlyA were right with the one
// alone and onlyB with the other alone (Connor 1987, by the normal approximation). Ok is false where the counts are
// equal: no number of images would do. It panics where the counts are negative or exceed n.
func ImagesToSeparate(onlyA, onlyB, n int) (images int, ok bool) {
	if onlyA < 0 || onlyB < 0 || onlyA+onlyB > n {
		panic("stat: images to separate: counts negative or more than images")
	}
	if onlyA == onlyB {
		return 0, false
	}
	discordant := float64(onlyA+onlyB) / float64(n)
	difference := math.Abs(float64(onlyA-onlyB)) / float64(n)
	root := (z95*math.Sqrt(discordant) + z80*math.Sqrt(discordant-difference*difference)) / difference
	return int(math.Ceil(root * root)), true
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

// A CalibrationBin holds the predictions whose confidence lies from Lo, without it, to Hi.
type CalibrationBin struct {
	Lo, Hi     float64
	N          int
	Confidence float64 // mean, NaN where there are none
	Accuracy   float64 // share of right ones, NaN where there are none
}

// Calibration sorts predictions into bins of equal width by their confidence, in [0, 1], and returns the bins with the
// expected calibration error, the mean over the predictions of their bin's distance between confidence and accuracy
// (Guo et al. 2017, arXiv:1706.04599, equation 3). Without predictions it is NaN. It panics where the lengths differ, a
// confidence lies outside [0, 1] or there are no bins.
func Calibration(confidence []float64, right []bool, bins int) (ece float64, table []CalibrationBin) {
	if len(confidence) != len(right) || bins < 1 {
		panic("stat: calibration: lengths differ, or no bins")
	}
	table = make([]CalibrationBin, bins)
	for i := range table {
		table[i].Lo, table[i].Hi = float64(i)/float64(bins), float64(i+1)/float64(bins)
	}
	for i, c := range confidence {
		if !(c >= 0 && c <= 1) {
			panic("stat: calibration: confidence outside [0, 1]")
		}
		bin := &table[min(max(int(math.Ceil(c*float64(bins)))-1, 0), bins-1)]
		bin.N++
		bin.Confidence += c
		if right[i] {
			bin.Accuracy++
		}
	}
	for i := range table {
		bin := &table[i]
		ece += math.Abs(bin.Confidence-bin.Accuracy) / float64(len(confidence))
		bin.Confidence /= float64(bin.N)
		bin.Accuracy /= float64(bin.N)
	}
	if len(confidence) == 0 {
		ece = math.NaN()
	}
	return ece, table
}
