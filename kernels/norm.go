package kernels

import (
	"math"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// LayerNorm normalises each pixel by the mean and the variance of its channels: dst = act((src − mean)/√(var + eps) ·
// weight + bias).
type LayerNorm struct {
	weight, bias []float32 // (C)
	eps          float32
	act          Act
	level        *f32.Level
	rows         []f32.Rows // by worker

	// the run under way
	dst, src Tensor
	chunk    int // pixels of a task
}

// NewLayerNorm makes a layer norm; workers is the size of the pool that will run it.
func NewLayerNorm(weight, bias []float32, eps float32, act Act, workers int) *LayerNorm {
	if len(weight) == 0 || len(weight) != len(bias) {
		panic("kernels: layer norm: weight and bias of different lengths")
	}
	return &LayerNorm{weight: weight, bias: bias, eps: eps, act: act, level: level, rows: make([]f32.Rows, workers)}
}

// Take takes another weight and bias, of the same lengths, as training makes them at every step.
func (l *LayerNorm) Take(weight, bias []float32) {
	if len(weight) != len(l.weight) || len(bias) != len(l.bias) {
		panic("kernels: layer norm: weight and bias of other lengths")
	}
	l.weight, l.bias = weight, bias
}

// Run normalises all pixels; dst may be src.
func (l *LayerNorm) Run(pool *par.Pool, dst, src Tensor) {
	src.check("kernels: layer norm: short source")
	dst.check("kernels: layer norm: short destination")
	if src.C != len(l.weight) || dst.C != src.C || dst.Pixels() != src.Pixels() {
		panic("kernels: layer norm: tensors of another shape")
	}
	l.dst, l.src = dst, src
	l.chunk = max(1, taskElems/src.C)
	pool.Run(parts(src.Pixels(), l.chunk), l)
	l.dst, l.src = Tensor{}, Tensor{}
}

// Do normalises one range of pixels.
func (l *LayerNorm) Do(worker, task int) {
	t, p := &l.rows[worker], task*l.chunk
	n := min(l.chunk, l.src.Pixels()-p)
	*t = f32.Rows{Out: &l.dst.Data[p*l.dst.Stride], In: &l.src.Data[p*l.src.Stride], A: &l.weight[0], B: &l.bias[0],
		LDO: 4 * l.dst.Stride, LDI: 4 * l.src.Stride, C: l.src.C, RowsLeft: n, Mask: mask8(l.src.C), Lo: l.eps, Hi: 1 / float32(l.src.C)}
	l.level.LayerNorm(t)
	out := l.dst.Data[p*l.dst.Stride:]
	switch {
	case !l.act.isClamp():
		l.act.apply(l.level, t, out, l.dst.Stride, l.dst.C, n)
	case l.act != None:
		*t = f32.Rows{Out: &out[0], In: &out[0], LDO: 4 * l.dst.Stride, LDI: 4 * l.dst.Stride, C: l.dst.C, RowsLeft: n,
			Mask: mask8(l.dst.C)}
		t.Lo, t.Hi = l.act.clamp()
		l.level.Clamp(t)
	}
}

// GroupNorm normalises each group of an image's channels by the mean and the variance of all its pixels.
type GroupNorm struct {
	weight, bias []float32 // (C)
	groups       int
	eps          float64
	act          Act
	level        *f32.Level
	rows         []f32.Rows // by worker
	sums         []float32  // (images, parts, C) of the pass under way
	stats        []float32  // (images, 3, C): mean, scale, shift

	// the run under way
	dst, src Tensor
	parts    int // ranges of an image's pixels, summed apart
	pixels   int // of a part
	pass     int // 0 sums, 1 squares, 2 scales
}

// NewGroupNorm makes a group norm; workers is the size of the pool that will run it.
func NewGroupNorm(weight, bias []float32, groups int, eps float64, act Act, workers int) *GroupNorm {
	if len(weight) == 0 || len(weight) != len(bias) || groups < 1 || len(weight)%groups != 0 {
		panic("kernels: group norm: weight, bias and groups do not fit")
	}
	return &GroupNorm{weight: weight, bias: bias, groups: groups, eps: eps, act: act, level: level, rows: make([]f32.Rows, workers)}
}

// Run normalises all images; dst may be src. The images are cut the same way for any number of workers, so that sums
// come out the same.
func (g *GroupNorm) Run(pool *par.Pool, dst, src Tensor) {
	src.check("kernels: group norm: short source")
	dst.check("kernels: group norm: short destination")
	if src.C != len(g.weight) || dst.C != src.C || dst.Pixels() != src.Pixels() {
		panic("kernels: group norm: tensors of another shape")
	}
	g.dst, g.src = dst, src
	pixels := src.H * src.W
	g.pixels = min(pixels, max(8, taskElems/src.C))
	g.parts = parts(pixels, g.pixels)
	if need := src.N * g.parts * src.C; len(g.sums) < need {
		g.sums = make([]float32, need)
	}
	if need := 3 * src.N * src.C; len(g.stats) < need {
		g.stats = make([]float32, need)
	}
	for g.pass = 0; g.pass < 3; g.pass++ {
		pool.Run(src.N*g.parts, g)
		if g.pass < 2 {
			g.gather()
		}
	}
	g.dst, g.src = Tensor{}, Tensor{}
}

// Do runs the pass under way over one part of an image.
func (g *GroupNorm) Do(worker, task int) {
	image, part := task/g.parts, task%g.parts
	c := g.src.C
	p := image*g.src.H*g.src.W + part*g.pixels
	n := min(g.pixels, g.src.H*g.src.W-part*g.pixels)
	stats := g.stats[3*image*c:]
	t := &g.rows[worker]
	*t = f32.Rows{Out: &g.sums[task*c], In: &g.src.Data[p*g.src.Stride], A: &stats[0], LDI: 4 * g.src.Stride, C: c,
		RowsLeft: n, Mask: mask8(c)}
	switch g.pass {
	case 0:
		g.level.ColumnSums(t)
	case 1:
		g.level.ColumnSquares(t)
	case 2:
		t.Out, t.LDO = &g.dst.Data[p*g.dst.Stride], 4*g.dst.Stride
		t.A, t.B = &stats[c], &stats[2*c]
		t.Lo, t.Hi = g.act.clamp()
		g.level.MulAdd(t)
		if !g.act.isClamp() {
			g.act.apply(g.level, t, g.dst.Data[p*g.dst.Stride:], g.dst.Stride, c, n)
		}
	}
}

// gather turns the parts' sums into means after the first pass, into scales and shifts after the second.
func (g *GroupNorm) gather() {
	c, width := g.src.C, g.src.C/g.groups
	count := float64(width * g.src.H * g.src.W)
	for image := range g.src.N {
		stats := g.stats[3*image*c:][:3*c]
		for group := range g.groups {
			lo, hi := group*width, (group+1)*width
			total := 0.0
			for part := range g.parts {
				for _, v := range g.sums[(image*g.parts+part)*c:][lo:hi] {
					total += float64(v)
				}
			}
			if g.pass == 0 {
				for i := lo; i < hi; i++ {
					stats[i] = float32(total / count)
				}
				continue
			}
			inverse := 1 / math.Sqrt(total/count+g.eps)
			for i := lo; i < hi; i++ {
				scale := float64(g.weight[i]) * inverse
				stats[c+i] = float32(scale)
				stats[2*c+i] = float32(float64(g.bias[i]) - float64(stats[i])*scale)
			}
		}
	}
}
