package quantize

import (
	"math"

	"zoobench/zoo/engine"
)

// Limits of a factor: more would say of a channel that it is hardly used.
const (
	leastFactor = 1.0 / 64
	mostFactor  = 64
)

// factors evens out the channels of the values that may be multiplied. A channel is multiplied by the root of its readers'
// largest weight over its own largest value, so that both become alike; all of a value's factors have the mean 1, as
// factors go.
func factors(sketch *engine.Sketch, seen map[int]*stats) map[int][]float32 {
	readers := map[int]*engine.Product{}
	for i := range sketch.Products {
		readers[sketch.Products[i].Node] = &sketch.Products[i]
	}
	all := map[int][]float32{}
	for _, m := range sketch.Movable {
		s := seen[m.Value]
		weights := make([]float64, len(s.largest))
		for _, r := range m.Readers {
			largestInputs(weights, readers[r])
		}
		logs, sum, count := make([]float64, len(weights)), 0.0, 0
		for c, w := range weights {
			if w > 0 && s.largest[c] > 0 {
				logs[c] = 0.5 * math.Log(w/s.largest[c])
				sum += logs[c]
				count++
			}
		}
		if count == 0 {
			continue
		}
		f := make([]float32, len(weights))
		for c, w := range weights {
			if f[c] = 1; w > 0 && s.largest[c] > 0 {
				f[c] = float32(min(max(math.Exp(logs[c]-sum/float64(count)), leastFactor), mostFactor))
			}
		}
		all[m.Value] = f
	}
	return all
}

// largestInputs raises the largest weight of each input channel to that of a layer's.
func largestInputs(largest []float64, p *engine.Product) {
	w := make([]float32, p.Depth)
	channels := p.C / p.Groups
	taps := p.Depth / channels
	for oc := range p.OC {
		p.Filter(oc, w)
		first := oc * p.Groups / p.OC * channels
		for k, v := range w {
			c := first + k/taps
			largest[c] = max(largest[c], math.Abs(float64(v)))
		}
	}
}
