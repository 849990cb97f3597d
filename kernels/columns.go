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
	sums  []float32   // (chunks, C)
	do    columnsTask // the run under way
}

type columnsTask struct {
	x, y Tensor
	mean []float32
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

// Products writes Σ x·y to sums (C).
func (c *Columns) Products(pool *par.Pool, sums []float64, x, y Tensor) {
	c.run(pool, sums, columnsTask{x: x, y: y})
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
	if len(c.sums) < chunks*t.x.C {
		c.sums = make([]float32, chunks*t.x.C)
	}
	c.do = t
	pool.Run(chunks, c)
	c.do = columnsTask{}
	clear(sums)
	for chunk := range chunks {
		for i, v := range c.sums[chunk*t.x.C:][:t.x.C] {
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
		RowsLeft: min(columnsChunk, x.Pixels()-first), Mask: mask8(x.C), Lo: -infinity, Hi: infinity}
	switch {
	case y.Data != nil: // each row's product is added to the same row of sums
		clear(out)
		t.A, t.LDA, t.B = &y.Data[first*y.Stride], 4*y.Stride, &out[0]
		c.level.MulAdd(t)
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
	pool.Run(parts(dst.Pixels(), b.chunk), b)
	b.dst, b.x, b.y = Tensor{}, Tensor{}, Tensor{}
}

// Do computes one range of pixels, in two passes while it is in cache.
func (b *Blend) Do(worker, task int) {
	t, first, c := &b.rows[worker], task*b.chunk, b.dst.C
	n := min(b.chunk, b.dst.Pixels()-first)
	out, ldo := &b.dst.Data[first*b.dst.Stride], 4*b.dst.Stride
	*t = f32.Rows{Out: out, LDO: ldo, In: &b.x.Data[first*b.x.Stride], LDI: 4 * b.x.Stride, A: &b.a[0], B: &b.c[0],
		C: c, RowsLeft: n, Mask: mask8(c), Lo: -infinity, Hi: infinity}
	b.level.MulAdd(t)
	*t = f32.Rows{Out: out, LDO: ldo, In: &b.y.Data[first*b.y.Stride], LDI: 4 * b.y.Stride, A: &b.b[0], B: out, LDB: ldo,
		C: c, RowsLeft: n, Mask: mask8(c), Lo: -infinity, Hi: infinity}
	b.level.MulAdd(t)
}
