package quantize

import (
	"fmt"
	"math"

	"zoobench/kernels"
	"zoobench/zoo/engine"
)

// shrinks are how many ranges of a filter are tried, from all of it down to half.
const shrinks = 32

// filters makes int8 weights of a layer: for each output channel the step with the least squared error of what it puts out,
// and a bias from which the error's mean is taken.
func filters(p *engine.Product, in *stats, scale kernels.Quant) (engine.Filters, error) {
	f := engine.Filters{Weight: make([]int8, p.OC*p.Depth), Scale: make([]float32, p.OC), Bias: make([]float32, p.OC)}
	copy(f.Bias, p.Bias)
	w, weight, trial := make([]float32, p.Depth), make([]float64, p.Depth), make([]int8, p.Depth)
	channels := p.C / p.Groups
	taps := p.Depth / channels
	for oc := range p.OC {
		p.Filter(oc, w)
		if err := p.Failed(); err != nil {
			return f, err
		}
		largest := float64(0)
		for _, v := range w {
			largest = max(largest, math.Abs(float64(v)))
		}
		if largest == 0 || math.IsInf(largest, 0) || math.IsNaN(largest) {
			return f, fmt.Errorf("output channel %d: weights of size %g at the most, want a number above 0", oc, largest)
		}
		first := p.From + oc*p.Groups/p.OC*channels
		for k := range weight {
			weight[k] = in.square[first+k/taps]
		}
		to := f.Weight[oc*p.Depth:][:p.Depth]
		least, floor := math.Inf(1), biasStep(f.Bias[oc], scale)
		for t := 2 * shrinks; t >= shrinks; t-- {
			step := max(float32(largest*float64(t)/(2*shrinks)/127), floor)
			if e := roundTo(trial, w, weight, step); e < least {
				least, f.Scale[oc] = e, step
				copy(to, trial)
			}
		}
		shift := 0.0
		for k, v := range w {
			shift += float64(float64(to[k])*float64(f.Scale[oc])-float64(v)) * in.mean[first+k/taps]
		}
		f.Bias[oc] = float32(float64(f.Bias[oc]) - shift)
	}
	return f, nil
}

// biasStep is the least step at which a bias, counted in steps of the sum, is below 2^30: so no sum overflows. Weights that
// are too small for it round to zero beside such a bias.
func biasStep(bias float32, in kernels.Quant) float32 {
	return max(float32(math.Abs(float64(bias))/float64(in.Scale)/(1<<30)), math.SmallestNonzeroFloat32*(1<<24))
}

// roundTo rounds a filter to multiples of a step and returns the squared error, each weight's times how large its input is.
func roundTo(dst []int8, w []float32, weight []float64, step float32) float64 {
	sum := 0.0
	for k, v := range w {
		q := min(max(math.RoundToEven(float64(v)/float64(step)), -127), 127)
		dst[k] = int8(q)
		d := float64(q*float64(step)) - float64(v)
		sum += float64(d * d * weight[k])
	}
	return sum
}
