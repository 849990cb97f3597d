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

func newStats(channels int) *stats {
	s := &stats{
		histo: make([]int64, bins), mean: make([]float64, channels), square: make([]float64, channels), largest: make([]float64, channels),
	}
	s.clear(nil)
	return s
}

// clear forgets what was seen; the histogram reaches as far as another one, so that it need not grow to that again.
func (s *stats) clear(as *stats) {
	s.min, s.max, s.reach = math.Inf(1), math.Inf(-1), leastReach
	if as != nil {
		s.reach = as.reach
	}
	s.count, s.zeros = 0, 0
	for _, all := range [][]float64{s.mean, s.square, s.largest} {
		clear(all)
	}
	clear(s.histo)
}

// leastReach is a histogram's at the beginning.
const leastReach = 0x1p-40

// add counts one image's value.
func (s *stats) add(t kernels.Tensor) error {
	least, most := s.min, s.max
	for p := range t.Pixels() {
		pixel := t.Data[p*t.Stride:][:t.C]
		mean, square, largest := s.mean[:len(pixel)], s.square[:len(pixel)], s.largest[:len(pixel)]
		for c, x32 := range pixel {
			x := float64(x32)
			size := math.Abs(x)
			if !(size < s.reach) {
				if x-x != 0 {
					return fmt.Errorf("a value of %g", x32)
				}
				_, exp := math.Frexp(x)
				s.widen(math.Ldexp(1, exp))
			}
			mean[c] += x
			square[c] += float64(x * x)
			if size > largest[c] {
				largest[c] = size
			}
			if x < least {
				least = x
			}
			if x > most {
				most = x
			}
			if x == 0 {
				s.zeros++
				continue
			}
			s.histo[int((x/s.reach+1)*(bins/2))]++
		}
	}
	s.min, s.max = least, most
	s.count += int64(t.Pixels()) * int64(t.C)
	return nil
}

// widen makes the histogram reach farther, to a power of two. What it has moves as if it had reached that far all along.
func (s *stats) widen(reach float64) {
	for ; s.reach < reach; s.reach *= 2 {
		for i := bins / 2; i < bins; i += 2 {
			s.histo[bins/2+(i-bins/2)/2] = s.histo[i] + s.histo[i+1]
		}
		for i := bins/2 - 1; i > 0; i -= 2 {
			s.histo[bins/2-1-(bins/2-1-i)/2] = s.histo[i] + s.histo[i-1]
		}
		clear(s.histo[:bins/4])
		clear(s.histo[3*bins/4:])
	}
}

// join adds what another one has seen.
func (s *stats) join(o *stats) {
	s.widen(o.reach)
	o.widen(s.reach)
	for i, n := range o.histo {
		s.histo[i] += n
	}
	s.min, s.max, s.count, s.zeros = min(s.min, o.min), max(s.max, o.max), s.count+o.count, s.zeros+o.zeros
	for c := range s.mean {
		s.mean[c] += o.mean[c]
		s.square[c] += o.square[c]
		s.largest[c] = max(s.largest[c], o.largest[c])
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
