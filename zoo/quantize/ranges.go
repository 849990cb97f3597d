package quantize

import (
	"math"

	"zoobench/kernels"
)

// A Rule chooses the range of a value that bytes cover.
type Rule string

// The rules.
const (
	Widest     Rule = "widest"      // all that was seen
	Percentile Rule = "percentile"  // all but a hundred-thousandth at either end
	LeastError Rule = "least-error" // least squared error of all that was seen
)

// Rules are all rules.
func Rules() []Rule { return []Rule{Widest, Percentile, LeastError} }

// outside is the share of values that Percentile leaves out at either end.
const outside = 1e-5

// scale is the range of a value as a rule has it.
func (s *stats) scale(rule Rule) kernels.Quant {
	lo, hi := min(s.min, 0), max(s.max, 0)
	switch rule {
	case Percentile:
		lo, hi = s.percentile()
	case LeastError:
		lo, hi = s.leastError()
	}
	return scaleOf(lo, hi)
}

// scaleOf is the scale by which bytes cover a range, in which zero is a byte.
func scaleOf(lo, hi float64) kernels.Quant {
	lo, hi = min(lo, 0), max(hi, 0)
	step := float32((hi - lo) / 255)
	if step < 0x1p-60 {
		step = 0x1p-60 // of a value that is zero in all images
	}
	zero := math.RoundToEven(-lo / float64(step))
	return kernels.Quant{Scale: step, Zero: uint8(min(max(zero, 0), 255))}
}

// percentile is the range without what lies outside at either end.
func (s *stats) percentile() (lo, hi float64) {
	lo, hi = min(s.min, 0), max(s.max, 0)
	drop := int64(math.Ceil(outside * float64(s.count)))
	for seen, i := int64(0), bins-1; i > bins/2; i-- {
		if seen += s.histo[i]; seen > drop {
			hi = min(hi, float64(i+1-bins/2)/(bins/2)*s.reach)
			break
		}
	}
	for seen, i := int64(0), 0; i < bins/2; i++ {
		if seen += s.histo[i]; seen > drop {
			lo = max(lo, float64(i-bins/2)/(bins/2)*s.reach)
			break
		}
	}
	return lo, hi
}

// leastError is the range whose bytes have the least squared error; each end is tried in turn, as a share of all.
func (s *stats) leastError() (lo, hi float64) {
	const tries = 80
	lo, hi = min(s.min, 0), max(s.max, 0)
	for range 2 {
		for _, end := range []*float64{&hi, &lo} {
			whole, best, least := *end, *end, math.Inf(1)
			for t := tries; t > tries/8; t-- {
				*end = whole * float64(t) / tries
				if e := s.squaredError(lo, hi); e < least {
					least, best = e, *end
				}
			}
			*end = best
		}
	}
	return lo, hi
}

// squaredError is what bytes of a range get wrong: inside, a step's twelfth squared; outside, the distance to the range.
func (s *stats) squaredError(lo, hi float64) float64 {
	step := (hi - lo) / 255
	inside, sum := int64(0), 0.0
	for i, n := range s.histo {
		if n == 0 {
			continue
		}
		switch x := s.middle(i); {
		case x > hi:
			sum += float64(float64(n) * (x - hi) * (x - hi))
		case x < lo:
			sum += float64(float64(n) * (x - lo) * (x - lo))
		default:
			inside += n
		}
	}
	return sum + float64(float64(inside)*step*step/12)
}
