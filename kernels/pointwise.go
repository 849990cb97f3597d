package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// Pointwise is an element-wise layer that no matrix product could take along: dst = act((src·Scale + Shift)·gate + add…).
type Pointwise struct {
	Scale, Shift []float32 // (C) each, a batch norm of its own; nil for none
	Act          Act

	level *f32.Level
	rows  []f32.Rows // by worker

	// the run under way
	dst, src Tensor
	gate     Tensor
	add      []Tensor
	chunk    int // pixels of a task
	chunks   int // tasks of an image
}

// NewPointwise makes an element-wise layer; workers is the size of the pool that will run it.
func NewPointwise(scale, shift []float32, act Act, workers int) *Pointwise {
	if len(scale) != len(shift) {
		panic("kernels: pointwise: scale and shift of different lengths")
	}
	return &Pointwise{Scale: scale, Shift: shift, Act: act, level: level, rows: make([]f32.Rows, workers)}
}

// taskElems is about how many elements a task of an element-wise layer has: enough to hide the cost of sharing out.
const taskElems = 1 << 14

// Algorithm is the name of the kernel.
func (e *Pointwise) Algorithm() string { return "rows" }

// Run computes one image after another; dst may be src. gate has one pixel an image or src's pixels, its Data is nil for
// none; each of add has src's pixels, or one image's, which is then added to every image.
func (e *Pointwise) Run(pool *par.Pool, dst, src, gate Tensor, add []Tensor) {
	src.check("kernels: pointwise: short source")
	dst.check("kernels: pointwise: short destination")
	same := func(t Tensor) bool { return t.C == src.C && t.Pixels() == src.Pixels() }
	if !same(dst) || e.Scale != nil && len(e.Scale) != src.C {
		panic("kernels: pointwise: tensors of another shape")
	}
	if gate.Data != nil {
		gate.check("kernels: pointwise: short gate")
		if !same(gate) && (gate.C != src.C || gate.Pixels() != src.N) {
			panic("kernels: pointwise: gate of another shape")
		}
	}
	for _, t := range add {
		t.check("kernels: pointwise: short summand")
		if !same(t) && (t.N != 1 || t.C != src.C || t.Pixels() != src.H*src.W) {
			panic("kernels: pointwise: summand of another shape")
		}
	}
	e.dst, e.src, e.gate, e.add = dst, src, gate, add
	pixels := src.H * src.W
	e.chunk = min(pixels, max(1, taskElems/src.C))
	e.chunks = (pixels + e.chunk - 1) / e.chunk
	pool.Run(src.N*e.chunks, e)
	e.dst, e.src, e.gate, e.add = Tensor{}, Tensor{}, Tensor{}, nil
}

// Do computes one range of an image's pixels, in as many passes as there are things to do.
func (e *Pointwise) Do(worker, task int) {
	pixels := e.src.H * e.src.W
	image, first := task/e.chunks, task%e.chunks*e.chunk
	n, p := min(e.chunk, pixels-first), image*pixels+first
	t := &e.rows[worker]
	in, out := e.src, e.dst
	adds := e.add
	last := func() bool { return len(adds) == 0 }
	pass := func(kernel func(*f32.Rows), a *float32, lda int, b *float32, ldb int, done bool) {
		*t = f32.Rows{Out: &out.Data[p*out.Stride], In: &in.Data[p*in.Stride], A: a, B: b, LDO: 4 * out.Stride, LDI: 4 * in.Stride,
			LDA: 4 * lda, LDB: 4 * ldb, C: in.C, N: n, Mask: mask8(in.C), Lo: -infinity, Hi: infinity}
		if done {
			t.Lo, t.Hi = e.Act.clamp()
		}
		kernel(t)
		in = e.dst
	}
	if e.Scale != nil {
		pass(e.level.MulAdd, &e.Scale[0], 0, &e.Shift[0], 0, e.gate.Data == nil && last())
	}
	if e.gate.Data != nil {
		at, stride := p, e.gate.Stride
		if e.gate.Pixels() == e.src.N && pixels > 1 {
			at, stride = image, 0
		}
		gate := &e.gate.Data[at*e.gate.Stride]
		if len(adds) > 0 {
			b, ldb := e.summand(adds[0], p, first)
			adds = adds[1:]
			pass(e.level.MulAdd, gate, stride, b, ldb, last())
		} else {
			pass(e.level.Mul, gate, stride, nil, 0, true)
		}
	}
	for len(adds) > 0 {
		b, ldb := e.summand(adds[0], p, first)
		adds = adds[1:]
		pass(e.level.Add, nil, 0, b, ldb, last())
	}
	if e.Scale == nil && e.gate.Data == nil && len(e.add) == 0 {
		pass(e.level.Clamp, nil, 0, nil, 0, true)
	}
	if !e.Act.isClamp() {
		e.Act.apply(e.level, t, out.Data[p*out.Stride:], out.Stride, out.C, n)
	}
}

// summand is where a summand's pixels begin that belong to pixel p, which is the image's pixel first.
func (e *Pointwise) summand(t Tensor, p, first int) (*float32, int) {
	if t.N != e.src.N {
		p = first
	}
	return &t.Data[p*t.Stride], t.Stride
}
