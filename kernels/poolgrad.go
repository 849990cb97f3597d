package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// PoolGrad is the gradient of a pool. A mean's goes to all pixels of the window in equal parts, a largest element's to the first
// pixel of the window that has it; of a window with a NaN in it, to the first pixel.
type PoolGrad struct {
	PoolShape
	level *f32.Level
	work  []poolGradScratch

	dx, dy, x, y Tensor // the run under way
}

type poolGradScratch struct {
	part []float32 // a pixel's: (C)
	rows f32.Rows
}

// NewPoolGrad makes ready for a shape; workers is the size of the pool of workers.
func NewPoolGrad(s PoolShape, workers int) *PoolGrad {
	s.check()
	p := &PoolGrad{PoolShape: s, level: level, work: make([]poolGradScratch, workers)}
	for i := range p.work {
		p.work[i].part = make([]float32, s.C)
	}
	return p
}

// Run computes dx from dy and, for largest elements, what the pool has read and put out, x and y; a mean reads neither.
func (p *PoolGrad) Run(pool *par.Pool, dx, dy, x, y Tensor) {
	in := func(t Tensor) bool { return t.C == p.C && t.H == p.H && t.W == p.W && t.N == dx.N }
	out := func(t Tensor) bool { return t.C == p.C && t.H == p.OH && t.W == p.OW && t.N == dx.N }
	dx.check("kernels: pool's gradient: short destination")
	dy.check("kernels: pool's gradient: short source")
	fits := in(dx) && out(dy)
	if p.Max {
		x.check("kernels: pool's gradient: short input")
		y.check("kernels: pool's gradient: short result")
		fits = fits && in(x) && out(y)
	}
	if !fits {
		panic("kernels: pool's gradient: tensors of another shape")
	}
	p.dx, p.dy, p.x, p.y = dx, dy, x, y
	pool.Run(dx.N, p)
	p.dx, p.dy, p.x, p.y = Tensor{}, Tensor{}, Tensor{}, Tensor{}
}

// Do computes the gradient of one image.
func (p *PoolGrad) Do(worker, image int) {
	s := &p.work[worker]
	for i := range p.H * p.W {
		clear(p.dx.Data[(image*p.H*p.W+i)*p.dx.Stride:][:p.C])
	}
	for oy := range p.OH {
		for ox := range p.OW {
			p.give(s, image, oy, ox)
		}
	}
}

// give gives the gradient of one pixel of the result to its window's.
func (p *PoolGrad) give(s *poolGradScratch, image, oy, ox int) {
	y0, y1, x0, x1, count := p.window(oy, ox)
	if y0 >= y1 || x0 >= x1 { // in the padding
		return
	}
	pixel := (image*p.OH+oy)*p.OW + ox
	share := float32(1)
	if !p.Max {
		share = 1 / float32(count)
	}
	for c, v := range p.dy.Data[pixel*p.dy.Stride:][:p.C] {
		s.part[c] = v * share
	}
	rows, columns := y1-y0, x1-x0
	if columns == p.W {
		rows, columns = 1, rows*columns
	}
	for row := range rows {
		at := (image*p.H+y0+row)*p.W + x0
		s.rows = f32.Rows{Out: &p.dx.Data[at*p.dx.Stride], LDO: 4 * p.dx.Stride, B: &s.part[0], C: p.C, RowsLeft: columns, Mask: mask8(p.C)}
		if p.Max {
			s.rows.In, s.rows.LDI, s.rows.A = &p.x.Data[at*p.x.Stride], 4*p.x.Stride, &p.y.Data[pixel*p.y.Stride]
			p.level.TopGrad(&s.rows)
			continue
		}
		s.rows.In, s.rows.LDI, s.rows.Lo, s.rows.Hi = s.rows.Out, s.rows.LDO, -infinity, infinity
		p.level.Add(&s.rows)
	}
}
