package kernels

import (
	"sync"

	"zoobench/kernels/internal/bf16"
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// BF16 is a convolution in one group whose input and weights are rounded to bf16 numbers, of two the nearest and of two as near the
// even one. Sums, bias, residual and output are float32. The bits are the same on every instruction set. Two channels that follow
// one another are an element of the size of a float32, so that the rest is a Conv of half the channels.
type BF16 struct {
	*Conv
	rounding
}

// rounding rounds inputs to bf16 numbers.
type rounding struct {
	own   *bf16.Level
	rows  []f32.Rows // by worker
	c     int        // channels of the input
	space *Scratch   // has the rounded input

	src  Tensor // the run under way
	part int    // pixels of a task
}

// newRounding makes ready for the inputs of a convolution.
func newRounding(s *ConvShape, workers int) rounding {
	return rounding{own: bf16.Beside(level), rows: make([]f32.Rows, workers), c: s.C, space: s.Scratch.orOwn()}
}

// bf16Error is what Algorithm.Error is of bf16 products.
const bf16Error = 5e-3

// canBF16 reports whether the convolution is to be computed in bf16, and can be.
func (s *ConvShape) canBF16() bool { return s.BF16 && !s.Int8 && s.Groups == 1 }

// NewBF16 rounds and packs the weights of a convolution; workers is the size of the pool that will run it.
func NewBF16(s ConvShape, workers int) *BF16 {
	s.check()
	if s.Groups != 1 {
		panic("kernels: bf16: more than one group")
	}
	b := &BF16{rounding: newRounding(&s, workers)}
	tiles := *level
	tiles.Gemm, tiles.Gemm8 = b.own.Gemm, b.own.Gemm8
	b.Conv = newConv(s.inPairs(), workers, &tiles)
	return b
}

// inPairs is the convolution of pairs of channels: half as many, with filters of rounded pairs.
func (s ConvShape) inPairs() ConvShape {
	whole := s
	var buffers sync.Pool
	s.C = parts(s.C, 2)
	s.Weight, s.Filter = nil, func(oc int, dst []float32) {
		buffer, _ := buffers.Get().(*[]float32)
		if buffer == nil {
			buffer = new([]float32)
			*buffer = make([]float32, whole.depth())
		}
		for depth := s.depth(); len(dst) > 0; oc++ {
			pairFilter(dst[:depth], whole.filter(oc, *buffer), whole.taps())
			dst = dst[depth:]
		}
		buffers.Put(buffer)
	}
	return s
}

// pairFilter makes a filter (C, taps) one of pairs (⌈C/2⌉, taps).
func pairFilter(dst, filter []float32, taps int) {
	for i := range dst {
		first := i/taps*2*taps + i%taps
		second := float32(0)
		if first+taps < len(filter) {
			second = filter[first+taps]
		}
		dst[i] = bf16.Pair(filter[first], second)
	}
}

// Algorithm is the name of what NewBF16 chose; dot says that an instruction multiplies pairs as they are.
func (b *BF16) Algorithm() string {
	name := "bf16_"
	if b.own.Dots {
		name = "bf16_dot_"
	}
	return name + b.Conv.Algorithm()
}

// Run computes dst = act(src * weights + bias + res); res is nil (its Data) for none and must not overlap dst.
func (b *BF16) Run(pool *par.Pool, dst, src, res Tensor) {
	b.Conv.Run(pool, dst, b.round(pool, src), res)
}

// round is the pairs of a convolution's input.
func (r *rounding) round(pool *par.Pool, src Tensor) Tensor {
	src.check("kernels: conv: short source")
	if src.C != r.c {
		panic("kernels: conv: tensors of another shape")
	}
	stride := roundUp(src.C, bf16.Lanes) / 2
	r.space.reserve(src.Pixels()*stride, 0, 0)
	r.src, r.part = src, max(1, taskElems/src.C)
	pool.Run(parts(src.Pixels(), r.part), r)
	r.src = Tensor{}
	return Tensor{Data: r.space.shared[:src.Pixels()*stride], N: src.N, H: src.H, W: src.W, C: parts(src.C, 2), Stride: stride}
}

// Do rounds some pixels: a task of round.
func (r *rounding) Do(worker, task int) {
	first, stride := task*r.part, roundUp(r.c, bf16.Lanes)/2
	t := &r.rows[worker]
	*t = f32.Rows{In: &r.src.Data[first*r.src.Stride], LDI: 4 * r.src.Stride, Out: &r.space.shared[first*stride], LDO: 4 * stride,
		C: r.c, RowsLeft: min(r.part, r.src.Pixels()-first), Mask: mask8(r.c)}
	r.own.Round(t)
}
