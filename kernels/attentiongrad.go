package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// AttentionGrad is the gradient of attention for queries, keys and values, of a shape without windows and bias. For one image and
// head at a time, with P the softmax's result, it is five products of tokens' rows, P computed anew:
//
//	dV = Pᵀ·dY, dS = Scale · P ∘ (dY·Vᵀ − Σ P ∘ (dY·Vᵀ)), dQ = dS·K, dK = dSᵀ·Q
type AttentionGrad struct {
	AttentionShape
	level         *f32.Level
	tokens        int
	padded, width int // tokens and channels of a head, rounded up to whole panels
	most          int // panels of a tile
	scratch       []attentionGradScratch

	dsrc, src, dy Tensor // the run under way
}

type attentionGradScratch struct {
	panels []float32 // the second factor of a product
	p, ds  []float32 // (tokens, padded)
	turned []float32 // one of them, rows and columns exchanged
	out    []float32 // (queryRows, width)
	soft   f32.Rows
	product
}

// NewAttentionGrad prepares the gradient; workers is the size of the pool that will run it.
func NewAttentionGrad(s AttentionShape, workers int) *AttentionGrad {
	if s.Heads < 1 || s.D < 1 || s.Window != 0 || s.Shift != 0 || s.Bias != nil {
		panic("kernels: attention's gradient: want a shape without windows and bias")
	}
	a := &AttentionGrad{AttentionShape: s, level: level, most: panelsOf(level), tokens: s.H * s.W}
	a.padded, a.width = roundUp(a.tokens, f32.NR), roundUp(s.D, f32.NR)
	a.scratch = make([]attentionGradScratch, workers)
	for i := range a.scratch {
		w := &a.scratch[i]
		w.rows = make([]*float32, queryRows)
		w.panels = Alloc(max(a.padded*s.D, a.width*a.tokens))
		w.p, w.ds, w.turned = Alloc(a.tokens*a.padded), Alloc(a.tokens*a.padded), Alloc(a.tokens*a.padded)
		w.out = Alloc(queryRows * a.width)
	}
	return a
}

// Run computes dsrc, of src's shape, from the result's gradient dy.
func (a *AttentionGrad) Run(pool *par.Pool, dsrc, src, dy Tensor) {
	for _, t := range []Tensor{dsrc, src, dy} {
		t.check("kernels: attention's gradient: short tensor")
	}
	if src.H != a.H || src.W != a.W || src.C != 3*a.Heads*a.D || dy.C != a.Heads*a.D || dsrc.C != src.C || dy.Pixels() != src.Pixels() ||
		dsrc.Pixels() != src.Pixels() {
		panic("kernels: attention's gradient: tensors of another shape")
	}
	a.dsrc, a.src, a.dy = dsrc, src, dy
	pool.Run(src.N*a.Heads, a)
	a.dsrc, a.src, a.dy = Tensor{}, Tensor{}, Tensor{}
}

// channels are some of the channels of an image's tokens.
type channels struct {
	data   []float32 // from the first token's first channel on
	stride int
}

func (a *AttentionGrad) channels(t Tensor, image, first int) channels {
	return channels{t.Data[image*a.tokens*t.Stride+first:], t.Stride}
}

func (c channels) row(i int) []float32 { return c.data[i*c.stride:] }

// Do computes one head of one image.
func (a *AttentionGrad) Do(worker, task int) {
	s := &a.scratch[worker]
	head, image := task%a.Heads, task/a.Heads
	q, k, v := a.offsets(head)
	queries, keys, values := a.channels(a.src, image, q), a.channels(a.src, image, k), a.channels(a.src, image, v)
	dy := a.channels(a.dy, image, head*a.D)

	a.packAcross(s, keys, a.Scale)
	a.multiply(s, queries, s.p)
	softmax(a.level, &s.soft, s.p, a.padded, a.tokens, a.tokens)
	a.packAcross(s, values, 1)
	a.multiply(s, dy, s.ds)
	for i := range a.tokens {
		p, d := s.p[i*a.padded:][:a.tokens], s.ds[i*a.padded:][:a.tokens]
		sum := float32(0)
		for j, v := range p {
			sum += v * d[j]
		}
		for j, v := range p {
			d[j] = a.Scale * v * (d[j] - sum)
		}
	}

	a.packAlong(s, keys)
	a.gather(s, channels{s.ds, a.padded}, a.channels(a.dsrc, image, q))
	a.turn(s, s.ds)
	a.packAlong(s, queries)
	a.gather(s, channels{s.turned, a.padded}, a.channels(a.dsrc, image, k))
	a.turn(s, s.p)
	a.packAlong(s, dy)
	a.gather(s, channels{s.turned, a.padded}, a.channels(a.dsrc, image, v))
}

// packAcross makes panels of sixteen tokens of rows of channels, scaled.
func (a *AttentionGrad) packAcross(s *attentionGradScratch, x channels, scale float32) {
	clear(s.panels[(a.padded/f32.NR-1)*a.D*f32.NR:][:a.D*f32.NR])
	for i := range a.tokens {
		out := s.panels[i/f32.NR*a.D*f32.NR+i%f32.NR:]
		for c, v := range x.row(i)[:a.D] {
			out[c*f32.NR] = v * scale
		}
	}
}

// packAlong makes panels of sixteen channels of all tokens.
func (a *AttentionGrad) packAlong(s *attentionGradScratch, x channels) {
	for i := range a.tokens {
		row := x.row(i)[:a.D]
		for c := 0; c < a.D; c += f32.NR {
			to := s.panels[(c/f32.NR*a.tokens+i)*f32.NR:][:f32.NR]
			clear(to[copy(to, row[c:]):])
		}
	}
}

// turn exchanges rows and columns.
func (a *AttentionGrad) turn(s *attentionGradScratch, x []float32) {
	for i := range a.tokens {
		for j, v := range x[i*a.padded:][:a.tokens] {
			s.turned[j*a.padded+i] = v
		}
	}
}

// multiply writes the products of all tokens' rows of a head's channels with panels of tokens to dst (tokens, padded).
func (a *AttentionGrad) multiply(s *attentionGradScratch, x channels, dst []float32) {
	for first := 0; first < a.tokens; first += queryRows {
		s.spaced(x.row(first), x.stride, 0, min(queryRows, a.tokens-first), 1)
		s.allPanels(a.level, a.most, s.panels, a.D, a.padded, dst[first*a.padded:], nil)
	}
}

// gather multiplies rows of as many elements as there are tokens by panels of channels, to the tokens' own channels of dst.
func (a *AttentionGrad) gather(s *attentionGradScratch, x, dst channels) {
	for first := 0; first < a.tokens; first += queryRows {
		n := min(queryRows, a.tokens-first)
		s.spaced(x.row(first), x.stride, 0, n, 1)
		s.allPanels(a.level, a.most, s.panels, a.tokens, a.width, s.out, nil)
		for i := range n {
			copy(dst.row(first + i)[:a.D], s.out[i*a.width:])
		}
	}
}
