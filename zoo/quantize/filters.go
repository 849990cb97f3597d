package quantize

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"zoobench/kernels"
	"zoobench/zoo/engine"
)

// shrinks are how many ranges of a filter are tried, from all of it down to half.
const shrinks = 33

// filters makes int8 weights of a layer: for each output channel the step with the least squared error of what it puts out, of so
// many tries, and a bias from which the error's mean is taken. A channel of zeros is its bias, exactly.
func filters(p *engine.Product, in *stats, scale kernels.Quant, tries int) (engine.Filters, error) {
	f := engine.Filters{Weight: make([]int8, p.OC*p.Depth), Scale: make([]float32, p.OC), Bias: make([]float32, p.OC)}
	copy(f.Bias, p.Bias)
	errs := make([]error, p.OC)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			c := channel{p: p, in: in, w: make([]float32, p.Depth), importance: make([]float64, p.Depth), trial: make([]int8, p.Depth)}
			for oc := int(next.Add(1)) - 1; oc < p.OC; oc = int(next.Add(1)) - 1 {
				f.Scale[oc], f.Bias[oc], errs[oc] = c.make(oc, f.Weight[oc*p.Depth:][:p.Depth], f.Bias[oc], biasStep(f.Bias[oc], scale), tries)
			}
		})
	}
	wait.Wait()
	return f, cmp.Or(p.Failed(), errors.Join(errs...))
}

// A channel is the making of one output channel's weights.
type channel struct {
	p          *engine.Product
	in         *stats
	w          []float32
	importance []float64 // of each weight: how large its input is, squared
	trial      []int8
}

// make writes an output channel's weights; floor is the least step.
func (c *channel) make(oc int, to []int8, bias, floor float32, tries int) (scale, shifted float32, err error) {
	c.p.Filter(oc, c.w)
	largest := float64(0)
	for _, v := range c.w {
		if v-v != 0 {
			return 0, 0, fmt.Errorf("output channel %d: a weight of %g", oc, v)
		}
		largest = max(largest, math.Abs(float64(v)))
	}
	channels := c.p.C / c.p.Groups
	taps := c.p.Depth / channels
	first := c.p.From + oc*c.p.Groups/c.p.OC*channels
	for k := range c.importance {
		c.importance[k] = c.in.square[first+k/taps]
	}
	least := math.Inf(1)
	for t := range tries {
		step := max(float32(largest*(1-0.5*float64(t)/shrinks)/127), floor)
		if e := roundTo(c.trial, c.w, c.importance, step); e < least {
			least, scale = e, step
			copy(to, c.trial)
		}
	}
	shift := 0.0
	for k, v := range c.w {
		shift += float64((float64(float64(to[k])*float64(scale)) - float64(v)) * c.in.mean[first+k/taps])
	}
	return scale, float32(float64(bias) - shift), nil
}

// biasStep is the least step at which a bias, counted in steps of the sum, is below 2^30: so no sum overflows. Weights that
// are too small for it round to zero beside such a bias.
func biasStep(bias float32, in kernels.Quant) float32 {
	return max(float32(math.Abs(float64(bias))/float64(in.Scale)/(1<<30)), math.SmallestNonzeroFloat32*(1<<24))
}

// roundTo rounds a filter to multiples of a step and returns the squared error, each weight's times its importance.
func roundTo(dst []int8, w []float32, importance []float64, step float32) float64 {
	sum := 0.0
	for k, v := range w {
		q := min(max(math.RoundToEven(float64(v)/float64(step)), -127), 127)
		dst[k] = int8(q)
		d := float64(q*float64(step)) - float64(v)
		sum += float64(d * d * importance[k])
	}
	return sum
}
