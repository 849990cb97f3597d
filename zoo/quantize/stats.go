package quantize

import (
	"fmt"
	"math"

	"zoobench/kernels"
)

// bins is the number of bins of a histogram: its middle is zero.
const bins = 4096

// stats are what a value was over all calibration images.
type stats struct {
	node     int
	min, max float64
	count    int64
	zeros    int64
	reach    float64 // the histogram covers −reach to reach, a power of two
	histo    []int64

	// By channel.
	mean    []float64 // sums, until done
	square  []float64
	largest []float64 // of absolute values
}

// add counts one image's value, or that of several.
func (s *stats) add(t kernels.Tensor) error {
	if s.histo == nil {
		s.min, s.max, s.reach = math.Inf(1), math.Inf(-1), math.Ldexp(1, -40)
		s.histo = make([]int64, bins)
		s.mean, s.square, s.largest = make([]float64, t.C), make([]float64, t.C), make([]float64, t.C)
	}
	for p := range t.Pixels() {
		for c, x32 := range t.Data[p*t.Stride:][:t.C] {
			x := float64(x32)
			s.mean[c] += x
			s.square[c] += float64(x * x)
			s.largest[c] = max(s.largest[c], math.Abs(x))
			s.min, s.max = min(s.min, x), max(s.max, x)
			if x == 0 {
				s.zeros++
				continue
			}
			if x-x != 0 {
				return fmt.Errorf("a value of %g", x32)
			}
			if math.Abs(x) >= s.reach {
				s.widen(math.Abs(x))
			}
			s.histo[int((x/s.reach+1)*(bins/2))]++
		}
	}
	s.count += int64(t.Pixels()) * int64(t.C)
	return nil
}

// widen doubles the histogram's reach until it is more than x.
func (s *stats) widen(x float64) {
	for s.reach <= x {
		wide := make([]int64, bins)
		for i, n := range s.histo {
			wide[bins/4+i/2] += n
		}
		s.histo, s.reach = wide, 2*s.reach
	}
}

// constant reports whether all that was seen was one number.
func (s *stats) constant() bool { return !(s.min < s.max) }

// done makes means of sums.
func (s *stats) done() {
	pixels := float64(s.count) / float64(len(s.mean))
	for c := range s.mean {
		s.mean[c] /= pixels
		s.square[c] /= pixels
	}
}

// middle is the middle of a bin.
func (s *stats) middle(bin int) float64 { return ((float64(bin)+0.5)/(bins/2) - 1) * s.reach }
