package kernels

import (
	"math"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// ActGrad is the gradient of an activation function for its argument: dx = dy · f′(x). Clamps' follow their results, y, the
// others' their arguments; slopes are as exact as the functions, within 1e-6.
type ActGrad struct {
	act     Act
	level   *f32.Level
	scratch []actGradScratch

	dx, dy, of []float32 // the run under way
}

type actGradScratch struct {
	rows f32.Rows
	a, b []float32 // one piece each
}

// NewActGrad makes ready the gradient of a function; workers is the size of the pool that will run it.
func NewActGrad(act Act, workers int) *ActGrad {
	g := &ActGrad{act: act, level: level, scratch: make([]actGradScratch, workers)}
	if act.slope(level) == nil {
		for i := range g.scratch {
			g.scratch[i].a, g.scratch[i].b = make([]float32, taskElems), make([]float32, taskElems)
		}
	}
	return g
}

// OfResult reports whether Run wants the function's results instead of its arguments.
func (g *ActGrad) OfResult() bool { return g.act.isClamp() }

// Run computes dx from dy and arguments or results, all of one length; dx may be dy.
func (g *ActGrad) Run(pool *par.Pool, dx, dy, of []float32) {
	if len(dy) != len(dx) || len(of) != len(dx) {
		panic("kernels: gradient of an activation: slices of different lengths")
	}
	g.dx, g.dy, g.of = dx, dy, of
	pool.Run(parts(len(dx), taskElems), g)
	g.dx, g.dy, g.of = nil, nil, nil
}

// Do computes one piece.
func (g *ActGrad) Do(worker, task int) {
	from, to := task*taskElems, min((task+1)*taskElems, len(g.dx))
	x := g.of[from:to]
	dx, dy := g.dx[from:to][:len(x)], g.dy[from:to][:len(x)]
	s := &g.scratch[worker]
	if kernel := g.act.slope(g.level); kernel != nil {
		s.rows = f32.Rows{Out: &dx[0], In: &x[0], A: &dy[0], C: len(x), RowsLeft: 1, Mask: mask8(len(x))}
		s.rows.Lo, s.rows.Hi = g.act.clamp()
		kernel(&s.rows)
		return
	}
	g.compose(s, dx, dy, x)
}

// compose makes the gradient of the functions themselves.
func (g *ActGrad) compose(s *actGradScratch, dx, dy, x []float32) {
	switch g.act {
	case None:
		copy(dx, dy)
	case HardSigmoid:
		for i, v := range x {
			dx[i] = math.Float32frombits(math.Float32bits(dy[i]*(1./6)) & positive(v+3) & positive(3-v))
		}
	case HardSwish:
		for i, v := range x {
			slope := (2*v + 3) * (1. / 6)
			if v >= 3 {
				slope = 1
			}
			dx[i] = math.Float32frombits(math.Float32bits(dy[i]*slope) & positive(v+3))
		}
	case Sigmoid:
		for i, p := range g.apply(s, s.a, Sigmoid, x, func(v float32) float32 { return v }) {
			dx[i] = dy[i] * p * (1 - p)
		}
	case SiLU:
		for i, p := range g.apply(s, s.a, Sigmoid, x, func(v float32) float32 { return v }) {
			dx[i] = dy[i] * p * (1 + x[i]*(1-p))
		}
	case GELU: // Φ(x) + x·φ(x), and e^−t = σ(−t)/σ(t)
		whole := g.apply(s, s.a, GELU, x, func(v float32) float32 { return v })
		half := g.apply(s, s.b, Sigmoid, x, func(v float32) float32 { return -v * v / 2 })
		for i, v := range x {
			phi := float32(0.5) + v*invRoot2Pi
			if v > 0.01 || v < -0.01 {
				phi = whole[i] / v
			}
			dx[i] = dy[i] * (phi + v*invRoot2Pi*half[i]/(1-half[i]))
		}
	case GELUTanh: // with u = √(8/π)·(x + 0.044715x³): x·σ(u), so σ(u) + x·σ(u)·(1 − σ(u))·u′
		const root = 1.5957691216057308
		p := g.apply(s, s.a, Sigmoid, x, func(v float32) float32 { return root * (v + 0.044715*v*v*v) })
		rest := g.apply(s, s.b, Sigmoid, x, func(v float32) float32 { return -root * (v + 0.044715*v*v*v) })
		for i, v := range x { // 1 − σ(u) would lose digits that x and u′ bring back
			dx[i] = dy[i] * (p[i] + v*p[i]*rest[i]*root*(1+3*0.044715*v*v))
		}
	}
}

const invRoot2Pi = 0.3989422804014327

// apply is a function of arguments that are made from x.
func (g *ActGrad) apply(s *actGradScratch, dst []float32, act Act, x []float32, of func(float32) float32) []float32 {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = of(v)
	}
	act.apply(g.level, &s.rows, dst, len(dst), len(dst), 1)
	return dst
}

// positive is all ones for a number above 0 and all zeros for 0 and below, without a branch, which random signs would mislead.
func positive(v float32) uint32 {
	bits := int32(math.Float32bits(v))
	return uint32((-bits &^ bits) >> 31)
}
