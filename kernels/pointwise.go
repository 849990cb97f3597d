package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// Pointwise is an element-wise layer that no matrix product could take along: dst = act((src·scale + shift)·gate + add…).
type Pointwise struct {
	scale, shift []float32 // (C) each, a batch norm of its own; nil for none
	act          Act
	level        *f32.Level
	rows         []f32.Rows // by worker
	factors      repeated   // scale and shift as rows

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
	return &Pointwise{scale: scale, shift: shift, act: act, level: level, rows: make([]f32.Rows, workers)}
}

// taskElems is about how many elements a task of an element-wise layer has: enough to hide the cost of sharing out.
const taskElems = 1 << 14

// Algorithm is the name of the kernel.
func (e *Pointwise) Algorithm() string { return "rows" }

// Run computes one image after another; dst may be src. src, gate and each of add have dst's images or one that stands
// for every image of dst; gate's images have dst's pixels or a single one for all of them, its Data is nil for none.
func (e *Pointwise) Run(pool *par.Pool, dst, src, gate Tensor, add []Tensor) {
	src.check("kernels: pointwise: short source")
	dst.check("kernels: pointwise: short destination")
	fits := func(t Tensor) bool { return t.C == dst.C && (t.N == dst.N || t.N == 1) }
	whole := func(t Tensor) bool { return fits(t) && t.H*t.W == dst.H*dst.W }
	if !whole(src) || e.scale != nil && len(e.scale) != src.C {
		panic("kernels: pointwise: tensors of another shape")
	}
	if gate.Data != nil {
		gate.check("kernels: pointwise: short gate")
		if !whole(gate) && !(fits(gate) && gate.H*gate.W == 1) {
			panic("kernels: pointwise: gate of another shape")
		}
	}
	for _, t := range add {
		t.check("kernels: pointwise: short summand")
		if !whole(t) {
			panic("kernels: pointwise: summand of another shape")
		}
	}
	e.dst, e.src, e.gate, e.add = dst, src, gate, add
	pixels := dst.H * dst.W
	e.chunk = min(pixels, max(1, taskElems/dst.C))
	e.chunks = parts(pixels, e.chunk)
	e.factors.pixels = 1
	if together := gate.Data == nil && dense(dst, src) && dense(add...); e.scale != nil {
		e.factors.take(together, e.scale, e.shift)
	} else if together {
		e.factors.pixels = e.chunk
	}
	pool.Run(dst.N*e.chunks, e)
	e.dst, e.src, e.gate, e.add = Tensor{}, Tensor{}, Tensor{}, nil
}

// Do computes one range of an image's pixels, in as many passes as there are things to do.
func (e *Pointwise) Do(worker, task int) {
	pixels := e.dst.H * e.dst.W
	image, first := task/e.chunks, task%e.chunks*e.chunk
	n, p := min(e.chunk, pixels-first), image*pixels+first
	t := &e.rows[worker]
	in, ldi := part(e.src, image, first)
	out, ldo := &e.dst.Data[p*e.dst.Stride], e.dst.Stride
	adds := e.add
	last := func() bool { return len(adds) == 0 }
	pass := func(kernel func(*f32.Rows), a *float32, lda int, b *float32, ldb int, done bool) {
		e.factors.each(n, func(from, rows, pixels int) {
			at := func(p *float32, ld int) *float32 {
				if p == nil {
					return nil
				}
				return f32.At(p, 4*from*ld)
			}
			c := pixels * e.dst.C
			*t = f32.Rows{Out: at(out, ldo), In: at(in, ldi), A: at(a, lda), B: at(b, ldb),
				LDO: 4 * pixels * ldo, LDI: 4 * pixels * ldi, LDA: 4 * pixels * lda, LDB: 4 * pixels * ldb,
				C: c, RowsLeft: rows, Mask: mask8(c), Lo: -infinity, Hi: infinity}
			if done {
				t.Lo, t.Hi = e.act.clamp()
			}
			kernel(t)
		})
		in, ldi = out, ldo
	}
	if e.scale != nil {
		pass(e.level.MulAdd, &e.factors.rows[0], 0, &e.factors.rows[e.factors.width], 0, e.gate.Data == nil && last())
	}
	if e.gate.Data != nil {
		gate, stride := part(e.gate, image, first)
		if len(adds) > 0 {
			b, ldb := part(adds[0], image, first)
			adds = adds[1:]
			pass(e.level.MulAdd, gate, stride, b, ldb, last())
		} else {
			pass(e.level.Mul, gate, stride, nil, 0, true)
		}
	}
	for len(adds) > 0 {
		b, ldb := part(adds[0], image, first)
		adds = adds[1:]
		pass(e.level.Add, nil, 0, b, ldb, last())
	}
	switch alone := e.scale == nil && e.gate.Data == nil && len(e.add) == 0; {
	case alone && e.act.isClamp():
		pass(e.level.Clamp, nil, 0, nil, 0, true)
	case alone:
		pass(e.act.kernel(e.level), nil, 0, nil, 0, true)
	case !e.act.isClamp():
		e.act.apply(e.level, t, e.dst.Data[p*ldo:], ldo, e.dst.C, n)
	}
}

// part is where an operand's pixels begin that belong to an image's pixels from first on, and how far apart they are:
// one image stands for all, and one pixel for all of an image.
func part(t Tensor, image, first int) (at *float32, stride int) {
	if t.N == 1 {
		image = 0
	}
	if t.H*t.W == 1 {
		return &t.Data[image*t.Stride], 0
	}
	return &t.Data[(image*t.H*t.W+first)*t.Stride], t.Stride
}
