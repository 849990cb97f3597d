package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// PoolShape is a pool's geometry for one image. A window that lies wholly in the padding has a mean where padding
// counts, 0; no largest element and no other mean.
type PoolShape struct {
	C, H, W                  int
	OH, OW                   int
	KH, KW, SH, SW           int
	Top, Left, Bottom, Right int // padding, cropped if negative
	Max                      bool
	CountPad                 bool // average: padding counts in the divisor
	Adaptive                 bool // average of PyTorch's adaptive bins; window, stride and padding are not read
}

// Pool is a largest element or a mean of each window.
type Pool struct {
	PoolShape
	level  *f32.Level
	first  []float32 // what every sum starts from
	chunks int       // ranges of channels that are tasks of their own
	width  int       // channels of a range
	work   []poolScratch

	dst, src Tensor // the run under way
}

type poolScratch struct {
	taps  []f32.Tap
	scale [8]float32
	args  f32.Depthwise
	sums  []float32
	rows  f32.Rows
}

// tapBlock is how many pixels of a long run are added up before their sum joins the others'.
const tapBlock = 64

// check panics unless every window has a pixel, or is a mean that padding counts in.
func (s *PoolShape) check() {
	if s.C < 1 || s.H < 1 || s.W < 1 || s.OH < 1 || s.OW < 1 {
		panic("kernels: pool: empty shape")
	}
	if !s.Adaptive && (s.Max || !s.CountPad) &&
		(s.Top >= s.KH || s.Left >= s.KW || (s.OH-1)*s.SH-s.Top >= s.H || (s.OW-1)*s.SW-s.Left >= s.W) {
		panic("kernels: pool: a window without a pixel")
	}
}

// cutChannels is how many ranges of how many channels are tasks of their own: for a single row of output those that keep the
// workers busy, in whole vectors of so many lanes.
func (s *PoolShape) cutChannels(workers, lanes int) (chunks, width int) {
	if s.OH > 1 || s.C < 64*workers || workers <= 1 {
		return 1, s.C
	}
	width = roundUp(parts(s.C, workers), lanes)
	return parts(s.C, width), width
}

// NewPool makes a pool; workers is the size of the pool of workers that will run it.
func NewPool(s PoolShape, workers int) *Pool {
	s.check()
	p := &Pool{PoolShape: s, level: level}
	p.chunks, p.width = s.cutChannels(workers, 16)
	p.first = make([]float32, s.C+8)
	if s.Max {
		for i := range p.first {
			p.first[i] = -infinity
		}
	}
	p.work = make([]poolScratch, workers)
	for i := range p.work {
		p.work[i].taps = make([]f32.Tap, 0, max(s.KH*s.KW, tapBlock))
	}
	return p
}

// Algorithm is the name of the kernel.
func (p *Pool) Algorithm() string {
	if p.Max {
		return "maxpool4c16"
	}
	return "avgpool4c16"
}

// Run pools src into dst.
func (p *Pool) Run(pool *par.Pool, dst, src Tensor) {
	src.check("kernels: pool: short source")
	dst.check("kernels: pool: short destination")
	if src.C != p.C || src.H != p.H || src.W != p.W || dst.C != p.C || dst.H != p.OH || dst.W != p.OW || dst.N != src.N {
		panic("kernels: pool: tensors of another shape")
	}
	p.dst, p.src = dst, src
	pool.Run(dst.N*p.OH*p.chunks, p)
	p.dst, p.src = Tensor{}, Tensor{}
}

// Do computes one row of output pixels, or a range of their channels.
func (p *Pool) Do(worker, task int) {
	s := &p.work[worker]
	row, c0 := task/p.chunks, task%p.chunks*p.width
	if p.Adaptive {
		for ox := range p.OW {
			p.mean(s, row, ox, c0, min(p.width, p.C-c0))
		}
		return
	}
	p.windows(s, row, c0, min(p.width, p.C-c0))
}

// window gives the input rows that output row o of one axis reads, and how many the divisor counts.
func window(o, k, stride, before, after, n, outs int, adaptive, countPad bool) (from, to, count int) {
	if adaptive {
		from, to = o*n/outs, ((o+1)*n+outs-1)/outs
		return from, to, to - from
	}
	from = o*stride - before
	to = min(from+k, n+after)
	count = to - from
	from, to = max(from, 0), min(to, n)
	if !countPad {
		count = to - from
	}
	return from, to, count
}

// window gives the rows [y0, y1) and columns [x0, x1) of the input that an output pixel reads, and how many pixels the divisor
// counts.
func (s *PoolShape) window(oy, ox int) (y0, y1, x0, x1, count int) {
	y0, y1, ny := window(oy, s.KH, s.SH, s.Top, s.Bottom, s.H, s.OH, s.Adaptive, s.CountPad)
	x0, x1, nx := window(ox, s.KW, s.SW, s.Left, s.Right, s.W, s.OW, s.Adaptive, s.CountPad)
	return y0, y1, x0, x1, ny * nx
}

// inside reports whether the window of output column ox reads no padding at its sides.
func (s *PoolShape) inside(ox int) bool { return ox*s.SW >= s.Left && ox*s.SW-s.Left+s.KW <= s.W }

// mean computes channels c0 to c0+channels of one output pixel.
func (p *Pool) mean(s *poolScratch, row, ox, c0, channels int) {
	image, oy := row/p.OH, row%p.OH
	y0, y1, x0, x1, count := p.window(oy, ox)
	out := &p.dst.Data[(row*p.OW+ox)*p.dst.Stride+c0]
	at := func(y, x int) *float32 { return &p.src.Data[((image*p.H+y)*p.W+x)*p.src.Stride+c0] }
	for i := range s.scale {
		s.scale[i] = 1 / float32(count)
	}
	if (y1-y0)*(x1-x0) > tapBlock && x0 == 0 && x1 == p.W {
		p.meanOfRun(s, out, at(y0, 0), (y1-y0)*p.W, channels)
		return
	}
	s.taps = s.taps[:0]
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			s.taps = append(s.taps, f32.Tap{In: at(y, x)})
		}
	}
	if len(s.taps) == 0 { // a window in the padding
		s.taps = append(s.taps, f32.Tap{In: &p.first[0]})
	}
	s.args = f32.Depthwise{Taps: &s.taps[0], N: len(s.taps), W: &s.scale[0], Bias: &p.first[0], Out: out, C: channels,
		Mask: mask8(channels), GroupsLeft: 1, Lo: -infinity, Hi: infinity}
	p.level.Depthwise1(&s.args)
}

// meanOfRun averages n pixels that follow one another: sums of blocks, then the sum of those, so that a long sum loses
// no more digits than a short one.
func (p *Pool) meanOfRun(s *poolScratch, out, in *float32, n, channels int) {
	stride := 4 * p.src.Stride
	blocks := parts(n, tapBlock)
	if len(s.sums) < (blocks+1)*channels {
		s.sums = make([]float32, (blocks+1)*channels)
	}
	total := &s.sums[blocks*channels]
	for b := range blocks {
		s.rows = f32.Rows{Out: &s.sums[b*channels], In: f32.At(in, b*tapBlock*stride), LDI: stride, C: channels,
			RowsLeft: min(tapBlock, n-b*tapBlock), Mask: mask8(channels)}
		p.level.ColumnSums(&s.rows)
	}
	s.rows = f32.Rows{Out: total, In: &s.sums[0], LDI: 4 * channels, C: channels, RowsLeft: blocks, Mask: mask8(channels)}
	p.level.ColumnSums(&s.rows)
	s.taps = append(s.taps[:0], f32.Tap{In: total})
	s.args = f32.Depthwise{Taps: &s.taps[0], N: 1, W: &s.scale[0], Bias: &p.first[0], Out: out, C: channels,
		Mask: mask8(channels), GroupsLeft: 1, Lo: -infinity, Hi: infinity}
	p.level.Depthwise1(&s.args)
}

// windows computes a row of a pool with a window: runs of pixels whose windows hold the same positions go in one call.
func (p *Pool) windows(s *poolScratch, row, c0, channels int) {
	top := row%p.OH*p.SH - p.Top
	for ox := 0; ox < p.OW; {
		n := 1
		if p.inside(ox) {
			for ox+n < p.OW && p.inside(ox+n) {
				n++
			}
			if n > 4 {
				n &^= 3
			}
		}
		if !p.Max && (n == 1 || top >= p.H || top+p.KH <= 0) { // alone, or in a row of windows in the padding
			for i := range n {
				p.mean(s, row, ox+i, c0, channels)
			}
		} else {
			p.alike(s, row, ox, n, c0, channels)
		}
		ox += n
	}
}

// alike computes n output pixels from column ox on, whose windows hold the same positions.
func (p *Pool) alike(s *poolScratch, row, ox, n, c0, channels int) {
	image, oy := row/p.OH, row%p.OH
	y0, y1, x0, x1, count := p.window(oy, ox)
	s.taps = s.taps[:0]
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			s.taps = append(s.taps, f32.Tap{In: &p.src.Data[((image*p.H+y)*p.W+x)*p.src.Stride+c0]})
		}
	}
	for i := range s.scale {
		s.scale[i] = 1 / float32(count)
	}
	a := &s.args
	*a = f32.Depthwise{Taps: &s.taps[0], N: len(s.taps), W: &s.scale[0], Bias: &p.first[0], Out: &p.dst.Data[(row*p.OW+ox)*p.dst.Stride+c0],
		LDO: 4 * p.dst.Stride, Step: 4 * p.SW * p.src.Stride, C: channels, Mask: mask8(channels), GroupsLeft: n, Lo: -infinity,
		Hi: infinity}
	four, one := p.level.Depthwise4, p.level.Depthwise1
	if p.Max {
		four, one = p.level.MaxPool4, p.level.MaxPool1
	}
	if n%4 == 0 {
		a.GroupsLeft = n / 4
		four(a)
		return
	}
	one(a)
}
