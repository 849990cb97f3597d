package kernels

import "zoobench/kernels/par"

// A trial8 is a Conv8 of made-up numbers for trials: its tensors are its own, and those that it is given say how many images it
// takes.
type trial8 struct {
	*Conv8
	in, out Tensor8
}

func newTrial8(s ConvShape, workers int) Convolution      { return trialOf(s, gemm8Blocks, workers) }
func newTrial8Tiles(s ConvShape, workers int) Convolution { return trialOf(s, gemm8Tiles, workers) }

// trialOf is a trial of an algorithm.
func trialOf(s ConvShape, algorithm string, workers int) *trial8 {
	q := Quant{Scale: 0.125, Zero: 100}
	shape := Conv8Shape{ConvShape: s, In: q, Out: q, Sums: q, Choice: algorithm}
	shape.Weight, shape.Scale = make([]int8, s.OC*s.depth()), make([]float32, s.OC)
	for i := range shape.Weight {
		shape.Weight[i] = int8(i % 101)
	}
	for i := range shape.Scale {
		shape.Scale[i] = 1 / float32(s.depth())
	}
	return &trial8{Conv8: NewConv8(shape, workers)}
}

// Run computes as many images as src has, of its own.
func (t *trial8) Run(pool *par.Pool, dst, src, _ Tensor) {
	if t.in.N != src.N {
		own := func(x Tensor) Tensor8 {
			return Tensor8{Data: AllocBytes(x.Pixels() * x.C), N: x.N, H: x.H, W: x.W, C: x.C, Stride: x.C, Quant: t.In}
		}
		t.in, t.out = own(src), own(dst)
	}
	t.Conv8.Run(pool, t.out, t.in, Tensor8{})
}
