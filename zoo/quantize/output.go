package quantize

import (
	"math"

	"zoobench/kernels"
	"zoobench/zoo/engine"
)

// atOutput is the distance of what a layer puts out in int8 alone, with the sums and activations that are computed with it, from
// what it puts out in float32, on the trial images.
func (m *maker) atOutput(layer int, alone *engine.Quantized) (float64, error) {
	nodes := []int{layer}
	for _, p := range m.of.sketch.Products {
		if p.Node == layer {
			nodes = p.Nodes
		}
	}
	last := nodes[len(nodes)-1]
	var engines [2]*engine.Engine
	for i, q := range []*engine.Quantized{{Factor: alone.Factor}, alone} {
		e, err := engine.New(m.g, m.w, engine.Options{Threads: m.threads(), Quantized: q})
		if err != nil {
			return 0, err
		}
		defer e.Close()
		engines[i] = e
	}
	in := m.g.Input().Elems()
	logits := make([]float32, m.g.Output().Elems())
	var diff, sum, square float64
	count := 0
	for i := range m.trials {
		var want, got []float32
		for k, to := range []*[]float32{&want, &got} {
			engines[k].RunWatched(logits, m.images[i*in:][:in], 1, func(node int, t kernels.Tensor) {
				if node == last {
					*to = flat(t)
				}
			})
		}
		for k, x := range want {
			v, d := float64(x), float64(got[k])-float64(x)
			diff, sum, square = diff+float64(d*d), sum+v, square+float64(v*v)
		}
		count += len(want)
	}
	size := square - sum/float64(count)*sum
	return math.Sqrt(diff / size), nil
}

// flat is a copy of a tensor's elements without gaps.
func flat(t kernels.Tensor) []float32 {
	x := make([]float32, 0, t.Pixels()*t.C)
	for p := range t.Pixels() {
		x = append(x, t.Data[p*t.Stride:][:t.C]...)
	}
	return x
}
