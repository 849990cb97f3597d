package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// AttentionGrad is the gradient of attention for queries, keys and values, and for the biases where there are some. For one window
// and head at a time, with P the softmax's result, it is five products of tokens' rows, P computed anew:
//
//	dV = Pᵀ·dY, dS = P ∘ (dY·Vᵀ − Σ P ∘ (dY·Vᵀ)), dQ = Scale · dS·K, dK = Scale · dSᵀ·Q
//
// and the gradient of a bias is the sum of dS over all windows and pairs of tokens that have it. Windows are dealt to tasks by a
// rule of the run's shape alone, and each task has sums of its own, which are added in order: the bits do not depend on the workers.
type AttentionGrad struct {
	*windows
	width   int // channels of a head, rounded up to whole panels
	scratch []attentionGradScratch
	sums    []float32 // (chunks, Heads, table), of the biases' gradients; empty for none

	dsrc, src, dy Tensor // the run under way
	count, chunks int    // windows, and tasks of a head
}

type attentionGradScratch struct {
	at     []int     // the window's tokens as pixels
	panels []float32 // the second factor of a product
	p, ds  []float32 // (tokens, padded)
	turned []float32 // one of them, rows and columns exchanged
	sum    []float32 // (tokens, padded), of all ds of a task; empty where there is no bias
	out    []float32 // (queryRows, width)
	row    f32.Rows
	product
}

// attentionChunks is how many tasks of a head share out windows at most.
const attentionChunks = 16

// NewAttentionGrad prepares the gradient of an attention, whose biases it reads; workers is the size of the pool that will run it.
func NewAttentionGrad(of *Attention, workers int) *AttentionGrad {
	a := &AttentionGrad{windows: &of.windows, width: roundUp(of.D, f32.NR)}
	biased := a.kinds[0] != nil
	if biased {
		a.sums = Alloc(attentionChunks * a.Heads * a.table())
	}
	a.scratch = make([]attentionGradScratch, workers)
	for i := range a.scratch {
		w := &a.scratch[i]
		w.at, w.rows = make([]int, a.tokens), make([]*float32, queryRows)
		w.panels = Alloc(max(a.padded*a.D, a.width*a.tokens))
		w.p, w.ds, w.turned = Alloc(a.tokens*a.padded), Alloc(a.tokens*a.padded), Alloc(a.tokens*a.padded)
		w.out = Alloc(queryRows * a.width)
		if biased {
			w.sum = Alloc(a.tokens * a.padded)
		}
	}
	return a
}

// Run computes dsrc, of src's shape, from the result's gradient dy, and dbias, of Bias's shape; nil where that is not wanted.
func (a *AttentionGrad) Run(pool *par.Pool, dsrc Tensor, dbias []float32, src, dy Tensor) {
	for _, t := range []Tensor{dsrc, src, dy} {
		t.check("kernels: attention's gradient: short tensor")
	}
	if src.H != a.H || src.W != a.W || src.C != 3*a.Heads*a.D || dy.C != a.Heads*a.D || dsrc.C != src.C || dy.Pixels() != src.Pixels() ||
		dsrc.Pixels() != src.Pixels() || dbias != nil && (a.sums == nil || len(dbias) != a.table()*a.Heads) {
		panic("kernels: attention's gradient: tensors of another shape")
	}
	a.dsrc, a.src, a.dy = dsrc, src, dy
	a.count = src.N * a.ofImage()
	a.chunks = min(a.count, attentionChunks)
	pool.Run(a.chunks*a.Heads, a)
	a.dsrc, a.src, a.dy = Tensor{}, Tensor{}, Tensor{}
	table := a.table()
	for i := range dbias {
		sum := 0.0
		for chunk := range a.chunks {
			sum += float64(a.sums[(chunk*a.Heads+i%a.Heads)*table+i/a.Heads])
		}
		dbias[i] = float32(sum)
	}
}

// channels are some of the channels of tokens.
type channels struct {
	data   []float32 // from the first pixel's first channel on
	stride int
	at     []int // the tokens' pixels
}

func (c channels) row(i int) []float32 { return c.data[c.at[i]*c.stride:] }

// Do computes one head of a chunk of windows.
func (a *AttentionGrad) Do(worker, task int) {
	s := &a.scratch[worker]
	head, chunk := task%a.Heads, task/a.Heads
	clear(s.sum)
	first, end := share(a.count, a.chunks, chunk)
	for window := first; window < end; window++ {
		a.compute(s, head, a.window(s.at, window))
	}
	if a.sums == nil {
		return
	}
	sums := a.sums[task*a.table():][:a.table()]
	clear(sums)
	for q := range a.tokens {
		for k, v := range s.sum[q*a.padded:][:a.tokens] {
			sums[a.relative(q, k)] += v
		}
	}
}

// compute does one head of one window, of a kind.
func (a *AttentionGrad) compute(s *attentionGradScratch, head, kind int) {
	q, k, v := a.offsets(head)
	of := func(t Tensor, first int) channels { return channels{t.Data[first:], t.Stride, s.at} }
	queries, keys, values, dy := of(a.src, q), of(a.src, k), of(a.src, v), of(a.dy, head*a.D)

	a.packAcross(s, keys, a.Scale)
	a.multiply(s, queries, s.p, a.added(kind, head, 0))
	softmax(a.level, &s.row, s.p, a.padded, a.tokens, a.tokens)
	a.packAcross(s, values, 1)
	a.multiply(s, dy, s.ds, nil)
	s.row = f32.Rows{Out: &s.ds[0], In: &s.ds[0], A: &s.p[0], LDO: 4 * a.padded, LDI: 4 * a.padded, LDA: 4 * a.padded, C: a.tokens,
		RowsLeft: a.tokens, Mask: mask8(a.tokens)}
	a.level.SoftmaxGrad(&s.row)
	if s.sum != nil {
		s.row = f32.Rows{Out: &s.sum[0], In: &s.sum[0], B: &s.ds[0], LDO: 4 * a.padded, LDI: 4 * a.padded, LDB: 4 * a.padded, C: a.tokens,
			RowsLeft: a.tokens, Mask: mask8(a.tokens), Lo: -infinity, Hi: infinity}
		a.level.Add(&s.row)
	}

	a.packAlong(s, keys, a.Scale)
	a.gather(s, s.ds, of(a.dsrc, q))
	a.turn(s, s.ds)
	a.packAlong(s, queries, a.Scale)
	a.gather(s, s.turned, of(a.dsrc, k))
	a.turn(s, s.p)
	a.packAlong(s, dy, 1)
	a.gather(s, s.turned, of(a.dsrc, v))
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

// packAlong makes panels of sixteen channels of all tokens, scaled.
func (a *AttentionGrad) packAlong(s *attentionGradScratch, x channels, scale float32) {
	for i := range a.tokens {
		row := x.row(i)[:a.D]
		for c := 0; c < a.D; c += f32.NR {
			to := s.panels[(c/f32.NR*a.tokens+i)*f32.NR:][:f32.NR]
			from := row[c:min(a.D, c+f32.NR)]
			for j, v := range from {
				to[j] = v * scale
			}
			clear(to[len(from):])
		}
	}
}

// turn exchanges rows and columns.
func (a *AttentionGrad) turn(s *attentionGradScratch, x []float32) {
	turn(a.level, &s.row, s.turned, a.padded, x, a.padded, a.tokens, a.tokens)
}

// multiply writes the products of all tokens' rows of a head's channels with panels of tokens, and what is added, nil for nothing,
// to dst (tokens, padded).
func (a *AttentionGrad) multiply(s *attentionGradScratch, x channels, dst, add []float32) {
	for first := 0; first < a.tokens; first += queryRows {
		n := min(queryRows, a.tokens-first)
		place := s.begin(n, 1)
		for i := range n {
			s.rows[place.at] = &x.row(first + i)[0]
			place.next()
		}
		var rest []float32
		if add != nil {
			rest = add[first*a.padded:]
		}
		s.allPanels(a.level, a.most, s.panels, a.D, a.padded, dst[first*a.padded:], rest)
	}
}

// gather multiplies rows of x (tokens, padded) by panels of channels, to the tokens' own channels of dst.
func (a *AttentionGrad) gather(s *attentionGradScratch, x []float32, dst channels) {
	for first := 0; first < a.tokens; first += queryRows {
		n := min(queryRows, a.tokens-first)
		s.spaced(x[first*a.padded:], a.padded, 0, n, 1)
		s.allPanels(a.level, a.most, s.panels, a.tokens, a.width, s.out, nil)
		for i := range n {
			copy(dst.row(first + i)[:a.D], s.out[i*a.width:])
		}
	}
}
