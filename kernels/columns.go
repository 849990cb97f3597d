package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// Columns sums over pixels, channel by channel: what a batch norm and a bias need of a whole batch. Pixels are cut into chunks
// by a fixed rule, each chunk is summed in float32 and all of them in float64, in order.
type Columns struct {
	level *f32.Level
	rows  []f32.Rows  // by worker
	sums  []float32   // (1 or 2, chunks, C)
	do    columnsTask // the run under way
}

type columnsTask struct {
	x, y   Tensor
	mean   []float32
	beside []float32 // (chunks, C), Σ y beside Σ x·y; nil for none
}

// columnsChunk is how many pixels are summed in float32.
const columnsChunk = 64

// NewColumns makes ready for a pool of workers.
func NewColumns(workers int) *Columns { return &Columns{level: level, rows: make([]f32.Rows, workers)} }

// Sums writes Σ x to sums (C).
func (c *Columns) Sums(pool *par.Pool, sums []float64, x Tensor) {
	c.run(pool, sums, columnsTask{x: x})
}

// Squares writes Σ (x − mean)² to sums (C); mean (C).
func (c *Columns) Squares(pool *par.Pool, sums []float64, x Tensor, mean []float32) {
	c.run(pool, sums, columnsTask{x: x, mean: mean})
}

// Products writes Σ x·y to products (C) and, unless sums (C) is nil, Σ y to it in the same pass.
func (c *Columns) Products(pool *par.Pool, products, sums []float64, x, y Tensor) {
	t := columnsTask{x: x, y: y}
	if sums == nil {
		c.run(pool, products, t)
		return
	}
	if len(sums) != x.C {
		panic("kernels: columns: sums of another length")
	}
	need := parts(x.Pixels(), columnsChunk) * x.C
	c.reserve(2 * need)
	t.beside = c.sums[need:]
	c.run(pool, products, t)
	gather(sums, t.beside[:need])
}

// ImageProducts writes Σ x·y over each image's own pixels to dst (N,1,1,C).
func (c *Columns) ImageProducts(pool *par.Pool, dst, x, y Tensor) {
	for _, t := range []Tensor{dst, x, y} {
		t.check("kernels: columns: short tensor")
	}
	if dst.Pixels() != x.N || y.N != x.N || y.H*y.W != x.H*x.W || dst.C != x.C || y.C != x.C {
		panic("kernels: columns: tensors of different shapes")
	}
	pool.Run(dst.N, &imageProducts{c, dst, x, y})
}

// imageProducts are the tasks of ImageProducts: an image each.
type imageProducts struct {
	*Columns
	dst, x, y Tensor
}

// Do sums over one image.
func (p *imageProducts) Do(worker, image int) {
	x, y, t, first := &p.x, &p.y, &p.rows[worker], image*p.x.H*p.x.W
	*t = f32.Rows{Out: &p.dst.Data[image*p.dst.Stride], In: &x.Data[first*x.Stride], A: &y.Data[first*y.Stride], LDI: 4 * x.Stride,
		LDA: 4 * y.Stride, C: x.C, RowsLeft: x.H * x.W, Mask: mask8(x.C)}
	p.level.ColumnProducts(t)
}

func (c *Columns) run(pool *par.Pool, sums []float64, t columnsTask) {
	t.x.check("kernels: columns: short source")
	if len(sums) != t.x.C || t.mean != nil && len(t.mean) != t.x.C {
		panic("kernels: columns: sums of another length")
	}
	if t.y.Data != nil {
		t.y.check("kernels: columns: short second source")
		if t.y.C != t.x.C || t.y.Pixels() != t.x.Pixels() {
			panic("kernels: columns: tensors of different shapes")
		}
	}
	chunks := parts(t.x.Pixels(), columnsChunk)
	c.reserve(chunks * t.x.C)
	c.do = t
	pool.Run(chunks, c)
	c.do = columnsTask{}
	gather(sums, c.sums[:chunks*t.x.C])
}

// reserve makes room for sums of chunks.
func (c *Columns) reserve(n int) {
	if len(c.sums) < n {
		c.sums = make([]float32, n)
	}
}

// gather adds the sums of all chunks.
func gather(sums []float64, chunks []float32) {
	clear(sums)
	for ; len(chunks) > 0; chunks = chunks[len(sums):] {
		for i, v := range chunks[:len(sums)] {
			sums[i] += float64(v)
		}
	}
}

// Do sums one chunk.
func (c *Columns) Do(worker, chunk int) {
	x, y, t := &c.do.x, &c.do.y, &c.rows[worker]
	first := chunk * columnsChunk
	out := c.sums[chunk*x.C:][:x.C]
	*t = f32.Rows{Out: &out[0], In: &x.Data[first*x.Stride], LDI: 4 * x.Stride, C: x.C,
		RowsLeft: min(columnsChunk, x.Pixels()-first), Mask: mask8(x.C)}
	switch {
	case y.Data != nil:
		t.A, t.LDA = &y.Data[first*y.Stride], 4*y.Stride
		c.level.ColumnProducts(t)
		if c.do.beside != nil {
			t.Out, t.In, t.LDI = &c.do.beside[chunk*x.C], t.A, t.LDA
			c.level.ColumnSums(t)
		}
	case c.do.mean != nil:
		t.A = &c.do.mean[0]
		c.level.ColumnSquares(t)
	default:
		c.level.ColumnSums(t)
	}
}

// Blend is dst = x·a + y·b + c, with numbers a, b and c (C) of each channel: the gradient of a batch norm.
type Blend struct {
	level   *f32.Level
	rows    []f32.Rows // by worker
	a, b, c []float32
	factors repeated // a, b and c as rows

	dst, x, y Tensor // the run under way
	chunk     int
}

// NewBlend keeps a, b and c, which may change between runs; workers is the size of the pool.
func NewBlend(a, b, c []float32, workers int) *Blend {
	if len(a) == 0 || len(b) != len(a) || len(c) != len(a) {
		panic("kernels: blend: factors of different lengths")
	}
	return &Blend{level: level, rows: make([]f32.Rows, workers), a: a, b: b, c: c}
}

// Run computes dst, which may be x and must not overlap y.
func (b *Blend) Run(pool *par.Pool, dst, x, y Tensor) {
	for _, t := range []Tensor{dst, x, y} {
		t.check("kernels: blend: short tensor")
		if t.C != len(b.a) || t.Pixels() != dst.Pixels() {
			panic("kernels: blend: tensors of different shapes")
		}
	}
	b.dst, b.x, b.y = dst, x, y
	b.chunk = max(1, taskElems/dst.C)
	b.factors.take(dense(dst, x, y), b.a, b.b, b.c)
	pool.Run(parts(dst.Pixels(), b.chunk), b)
	b.dst, b.x, b.y = Tensor{}, Tensor{}, Tensor{}
}

// Do computes one range of pixels.
func (b *Blend) Do(worker, task int) {
	first := task * b.chunk
	b.factors.each(min(b.chunk, b.dst.Pixels()-first), func(from, rows, pixels int) {
		p, c, t := first+from, pixels*b.dst.C, &b.rows[worker]
		*t = f32.Rows{
			Out: &b.dst.Data[p*b.dst.Stride], In: &b.x.Data[p*b.x.Stride], A: &b.y.Data[p*b.y.Stride], B: &b.factors.rows[0],
			LDO: 4 * pixels * b.dst.Stride, LDI: 4 * pixels * b.x.Stride, LDA: 4 * pixels * b.y.Stride, LDB: 4 * b.factors.width,
			C: c, RowsLeft: rows, Mask: mask8(c),
		}
		b.level.Blend(t)
	})
}

// repeated is rows of numbers, one a channel, that are repeated for as many pixels as a kernel takes for one row: a kernel takes
// a while to go from one row to the next, and 16 channels are a vector or two.
type repeated struct {
	rows   []float32 // (numbers of a channel, width)
	width  int
	pixels int // of a row
}

// rowElems is about how many elements a row of several pixels has.
const rowElems = 512

// dense reports whether the pixels of all tensors follow one another without a gap.
func dense(tensors ...Tensor) bool {
	for _, t := range tensors {
		if t.Stride != t.C {
			return false
		}
	}
	return true
}

// take takes the numbers of a run, by channel, repeated if pixels have no gap between them.
func (r *repeated) take(dense bool, numbers ...[]float32) {
	c := len(numbers[0])
	r.pixels = 1
	if dense {
		r.pixels = max(1, rowElems/c)
	}
	r.width = r.pixels * c
	if len(r.rows) < len(numbers)*r.width {
		r.rows = make([]float32, len(numbers)*r.width)
	}
	for i, of := range numbers {
		for p := range r.pixels {
			copy(r.rows[i*r.width+p*c:], of)
		}
	}
}

// each cuts n pixels into rows of several pixels, and calls f for these and for what is left: for so many rows
// of so many pixels, from a pixel on.
func (r *repeated) each(n int, f func(from, rows, pixels int)) {
	if whole := n / r.pixels; whole > 0 {
		f(0, whole, r.pixels)
	}
	if left := n % r.pixels; left > 0 {
		f(n-left, 1, left)
	}
}
