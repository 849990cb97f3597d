package kernels

import (
	"unsafe"

	"zoobench/kernels/internal/i8"
	"zoobench/kernels/par"
)

// span8 cuts the images of an element-wise operation into ranges of pixels.
type span8 struct {
	dst    Tensor8
	chunk  int // pixels of a task
	chunks int // of an image
}

// newSpan8 cuts dst's images.
func newSpan8(dst Tensor8) (s span8) {
	pixels := dst.H * dst.W
	s.dst = dst
	s.chunk = min(pixels, max(1, 4*taskElems/dst.C))
	s.chunks = parts(pixels, s.chunk)
	return s
}

// tasks is how many ranges there are.
func (s *span8) tasks() int { return s.dst.N * s.chunks }

// part is a task's image, and its pixels: the first, and how many.
func (s *span8) part(task int) (image, first, n int) {
	image, first = task/s.chunks, task%s.chunks*s.chunk
	return image, first, min(s.chunk, s.dst.H*s.dst.W-first)
}

// outAt is where a task's output begins.
func (s *span8) outAt(image, first int) *uint8 {
	return &s.dst.Data[(image*s.dst.H*s.dst.W+first)*s.dst.Stride]
}

// part8 is where an operand's pixels begin that belong to an image's pixels from first on, and how far apart they are: one
// image stands for all, and one pixel for all of an image.
func part8(t Tensor8, image, first int) (at *uint8, stride int) {
	if t.N == 1 {
		image = 0
	}
	if t.H*t.W == 1 {
		return &t.Data[image*t.Stride], 0
	}
	return &t.Data[(image*t.H*t.W+first)*t.Stride], t.Stride
}

// Table8 looks every byte up in a table: any function of one element, or the same numbers in another scale.
type Table8 struct {
	Table *[256]uint8
	level *i8.Level
	work  []i8.Rows

	span8
	src Tensor8
}

// NewTable8 makes a look-up (Quant.Table makes tables); workers is the size of the pool that will run it.
func NewTable8(table *[256]uint8, workers int) *Table8 {
	return &Table8{Table: table, level: level8, work: make([]i8.Rows, workers)}
}

// ActTable is the table of an activation function.
func ActTable(act Act, from, to Quant) *[256]uint8 { return from.Table(act.real, to) }

// Run computes dst from src, which may be the same tensor.
func (e *Table8) Run(pool *par.Pool, dst, src Tensor8) {
	src.check(src.Quant, "kernels: table8: short source", "")
	dst.check(dst.Quant, "kernels: table8: short destination", "")
	if src.C != dst.C || src.N != dst.N || src.H*src.W != dst.H*dst.W {
		panic("kernels: table8: tensors of another shape")
	}
	e.span8, e.src = newSpan8(dst), src
	pool.Run(e.tasks(), e)
	e.span8, e.src = span8{}, Tensor8{}
}

// Do looks one range of pixels up.
func (e *Table8) Do(worker, task int) {
	image, first, n := e.part(task)
	in := (image*e.src.H*e.src.W + first) * e.src.Stride
	t := &e.work[worker]
	*t = byteRows(e.outAt(image, first), e.dst.Stride, &e.src.Data[in], e.src.Stride, e.dst.C, n)
	t.Table = e.Table
	e.level.Table(t)
}

// Sum8 adds tensors of bytes, each with a scale of its own: act(Σ src). The sum is taken in float32, in the sources' order.
type Sum8 struct {
	level  *i8.Level
	out    Quant
	in     []Quant
	finish finish8
	scales []float32
	work   []sum8Scratch

	span8
	src []Tensor8
}

type sum8Scratch struct {
	rows  i8.Rows
	parts []i8.Part
}

// NewSum8 makes a sum of tensors with the quantisations of in; sums is read where act is no clamp (Conv8Shape). workers is the
// size of the pool that will run it.
func NewSum8(in []Quant, act Act, sums, out Quant, workers int) *Sum8 {
	e := &Sum8{level: level8, out: out, in: append([]Quant(nil), in...), work: make([]sum8Scratch, workers)}
	f, as := newFinish8(act, sums, out)
	e.finish = f
	if len(in) == 0 {
		panic("kernels: sum8: nothing to add")
	}
	for _, q := range in {
		q.check("kernels: sum8: a source without a scale")
		e.scales = append(e.scales, ratio(float64(q.Scale), float64(as.Scale)))
	}
	for i := range e.work {
		e.work[i].parts = make([]i8.Part, len(in))
	}
	return e
}

// Run computes dst, which may be one of the sources. Any source may be one image for all.
func (e *Sum8) Run(pool *par.Pool, dst Tensor8, src []Tensor8) {
	dst.check(e.out, "kernels: sum8: short destination", "kernels: sum8: a destination of another scale")
	if len(src) != len(e.in) {
		panic("kernels: sum8: another number of sources")
	}
	for i, t := range src {
		t.check(e.in[i], "kernels: sum8: short source", "kernels: sum8: a source of another scale")
		if t.C != dst.C || t.N != dst.N && t.N != 1 || t.H*t.W != dst.H*dst.W {
			panic("kernels: sum8: tensors of another shape")
		}
	}
	e.span8, e.src = newSpan8(dst), src
	pool.Run(e.tasks(), e)
	e.span8, e.src = span8{}, nil
}

// Do adds one range of pixels.
func (e *Sum8) Do(worker, task int) {
	image, first, n := e.part(task)
	s, out := &e.work[worker], e.outAt(image, first)
	dense := e.dst.Stride == e.dst.C
	for i, t := range e.src {
		in, stride := part8(t, image, first)
		s.parts[i] = i8.Part{In: unsafe.Pointer(in), LDI: stride, Zero: int32(e.in[i].Zero), Scale: e.scales[i]}
		dense = dense && stride == e.dst.C
	}
	s.rows = i8.Rows{Out: unsafe.Pointer(out), LDO: e.dst.Stride, C: e.dst.C, RowsLeft: n, Finish: e.finish.Finish,
		Parts: &s.parts[0], N: len(s.parts)}
	if dense {
		s.rows.C, s.rows.RowsLeft = n*e.dst.C, 1
	}
	e.level.Add(&s.rows)
	e.finish.apply(e.level, &s.rows, e.dst.Data[(image*e.dst.H*e.dst.W+first)*e.dst.Stride:], e.dst.Stride, e.dst.C, n)
}

// Gate8 multiplies a tensor of bytes by a gate: act(src·gate), the gate being a pixel for each image, or as large as src.
type Gate8 struct {
	level         *i8.Level
	in, gate, out Quant
	finish        finish8
	scale         float32
	work          []i8.Rows

	span8
	src, by Tensor8
}

// NewGate8 makes a gate; sums is read where act is no clamp (Conv8Shape). workers is the size of the pool that will run it.
func NewGate8(in, gate Quant, act Act, sums, out Quant, workers int) *Gate8 {
	e := &Gate8{level: level8, in: in, gate: gate, out: out, work: make([]i8.Rows, workers)}
	in.check("kernels: gate8: a source without a scale")
	gate.check("kernels: gate8: a gate without a scale")
	f, as := newFinish8(act, sums, out)
	e.finish, e.scale = f, ratio(float64(in.Scale)*float64(gate.Scale), float64(as.Scale))
	return e
}

// Run computes dst, which may be src.
func (e *Gate8) Run(pool *par.Pool, dst, src, gate Tensor8) {
	dst.check(e.out, "kernels: gate8: short destination", "kernels: gate8: a destination of another scale")
	src.check(e.in, "kernels: gate8: short source", "kernels: gate8: a source of another scale")
	gate.check(e.gate, "kernels: gate8: short gate", "kernels: gate8: a gate of another scale")
	fits := func(t Tensor8) bool { return t.C == dst.C && (t.N == dst.N || t.N == 1) }
	if !fits(src) || src.H*src.W != dst.H*dst.W || !fits(gate) || gate.H*gate.W != dst.H*dst.W && gate.H*gate.W != 1 {
		panic("kernels: gate8: tensors of another shape")
	}
	e.span8, e.src, e.by = newSpan8(dst), src, gate
	pool.Run(e.tasks(), e)
	e.span8, e.src, e.by = span8{}, Tensor8{}, Tensor8{}
}

// Do multiplies one range of pixels.
func (e *Gate8) Do(worker, task int) {
	image, first, n := e.part(task)
	t := &e.work[worker]
	in, ldi := part8(e.src, image, first)
	by, ldb := part8(e.by, image, first)
	*t = i8.Rows{Out: unsafe.Pointer(e.outAt(image, first)), In: unsafe.Pointer(in), B: unsafe.Pointer(by),
		LDO: e.dst.Stride, LDI: ldi, LDB: ldb, C: e.dst.C, RowsLeft: n,
		InZero: int32(e.in.Zero), BZero: int32(e.gate.Zero), InScale: e.scale, Finish: e.finish.Finish}
	e.level.Mul(t)
	e.finish.apply(e.level, t, e.dst.Data[(image*e.dst.H*e.dst.W+first)*e.dst.Stride:], e.dst.Stride, e.dst.C, n)
}
