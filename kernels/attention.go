package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// AttentionShape is scaled dot product attention over the tokens of an H×W grid.
type AttentionShape struct {
	H, W, Heads, D int     // D channels a head; src has 3·Heads·D, dst Heads·D
	Scale          float32 // of the products of queries and keys
	HeadsFirst     bool    // src's channels are [heads][q,k,v][D], not [q,k,v][heads][D]
	Window, Shift  int     // tokens see those of their own window after the grid is rolled by Shift; 0 means all see all

	// Bias is added to the scaled products: (2h−1, 2w−1, Heads) for windows of h×w tokens, at row y−y'+h−1 and column
	// x−x'+w−1 for the query at (y,x) and the key at (y',x'); nil for none. It is read while the operation is made, and by Take.
	Bias []float32

	Scratch *Scratch // shared with operations that run at other times; nil for memory of its own
}

// queryRows is how many queries' scores are alive at a time: with 197 keys, 38 KiB.
const queryRows = 48

// Attention computes softmax(Scale·q·kᵀ + bias)·v for one window and head at a time: keys and values are packed into
// panels once, then blocks of queries go through both products while their scores are in cache. Windows and the roll
// are found by address.
type Attention struct {
	windows
	scratch []attentionScratch

	dst, src Tensor
}

type attentionScratch struct {
	at     []int     // the window's tokens as pixels of src
	keys   []float32 // (padded/16, D, 16); this and the next three are cut off Scratch
	values []float32 // (⌈D/16⌉, tokens, 16)
	scores []float32 // (queryRows, padded)
	out    []float32 // (queryRows, D rounded up)
	soft   f32.Rows
	product
}

// NewAttention prepares attention; workers is the size of the pool that will run it.
func NewAttention(s AttentionShape, workers int) *Attention {
	a := &Attention{windows: cutWindows(s)}
	a.scratch = make([]attentionScratch, workers)
	for i := range a.scratch {
		a.scratch[i].at, a.scratch[i].rows = make([]int, a.tokens), make([]*float32, queryRows)
	}
	a.Scratch = a.Scratch.orOwn()
	keys, values, scores, out := a.needs()
	a.Scratch.reserve(0, workers, keys+values+scores+out)
	return a
}

// needs is the elements of a worker's keys, values, scores and results.
func (a *Attention) needs() (keys, values, scores, out int) {
	width := roundUp(a.D, f32.NR)
	return a.padded * a.D, width * a.tokens, queryRows * a.padded, queryRows * width
}

// take cuts the scratch memory up, which another operation may have used or had replaced by more.
func (a *Attention) take() {
	keys, values, scores, out := a.needs()
	for i := range a.scratch {
		s, own := &a.scratch[i], a.Scratch.own[i]
		s.keys, s.values, s.scores, s.out = cut(&own, keys), cut(&own, values), cut(&own, scores), cut(&own, out)
	}
}

// WeightBytes is the memory of the biases.
func (a *Attention) WeightBytes() int64 {
	n := 0
	for _, k := range a.kinds {
		n += len(k)
	}
	return 4 * int64(n)
}

// Algorithm is the name of the kernel.
func (a *Attention) Algorithm() string {
	return "attention" + tileName(min(a.most, max(roundUp(a.D, f32.NR), a.padded)/f32.NR))
}

// Run computes dst from src, the queries, keys and values of every token.
func (a *Attention) Run(pool *par.Pool, dst, src Tensor) {
	src.check("kernels: attention: short source")
	dst.check("kernels: attention: short destination")
	if src.H != a.H || src.W != a.W || src.C != 3*a.Heads*a.D || dst.C != a.Heads*a.D || dst.Pixels() != src.Pixels() {
		panic("kernels: attention: tensors of another shape")
	}
	a.dst, a.src = dst, src
	a.take()
	pool.Run(src.N*a.ofImage()*a.Heads, a)
	a.dst, a.src = Tensor{}, Tensor{}
}

// Do computes one head of one window of one image.
func (a *Attention) Do(worker, task int) {
	s := &a.scratch[worker]
	head := task % a.Heads
	kind := a.window(s.at, task/a.Heads)
	q, k, v := a.offsets(head)
	a.pack(s, k, v)
	for first := 0; first < a.tokens; first += queryRows {
		n := min(queryRows, a.tokens-first)
		a.score(s, first, n, q, head, kind)
		a.gather(s, first, n, head)
	}
}

// pack turns keys into panels of sixteen tokens, scaled, and values into panels of sixteen channels.
func (a *Attention) pack(s *attentionScratch, k, v int) {
	for i, p := range s.at {
		pixel := a.src.Data[p*a.src.Stride:]
		out := s.keys[i/f32.NR*a.D*f32.NR+i%f32.NR:]
		for c, x := range pixel[k : k+a.D] {
			out[c*f32.NR] = x * a.Scale
		}
		for c := 0; c < a.D; c += f32.NR {
			to := s.values[(c/f32.NR*a.tokens+i)*f32.NR:][:f32.NR]
			n := copy(to, pixel[v+c:v+min(a.D, c+f32.NR)])
			clear(to[n:])
		}
	}
	last := s.keys[(a.padded/f32.NR-1)*a.D*f32.NR:]
	for j := a.tokens - (a.padded - f32.NR); j < f32.NR; j++ {
		for c := range a.D {
			last[c*f32.NR+j] = 0
		}
	}
}

// score computes softmax(q·kᵀ + bias) for n queries from first on.
func (a *Attention) score(s *attentionScratch, first, n, q, head, kind int) {
	place := s.begin(n, 1)
	for i := range n {
		s.rows[place.at] = &a.src.Data[s.at[first+i]*a.src.Stride+q]
		place.next()
	}
	s.allPanels(a.level, a.most, s.keys, a.D, a.padded, s.scores, a.added(kind, head, first))
	softmax(a.level, &s.soft, s.scores, a.padded, a.tokens, n)
}

// gather multiplies n queries' weights by the values and puts the results where they belong.
func (a *Attention) gather(s *attentionScratch, first, n, head int) {
	s.spaced(s.scores, a.padded, 0, n, 1)
	width := roundUp(a.D, f32.NR)
	s.allPanels(a.level, a.most, s.values, a.tokens, width, s.out, nil)
	for i := range n {
		copy(a.dst.Data[s.at[first+i]*a.dst.Stride+head*a.D:][:a.D], s.out[i*width:])
	}
}

// softmax computes that of n rows in place, of so many channels each and stride elements apart; t is the caller's, to be
// overwritten.
func softmax(l *f32.Level, t *f32.Rows, x []float32, stride, channels, n int) {
	*t = f32.Rows{Out: &x[0], In: &x[0], LDO: 4 * stride, LDI: 4 * stride, C: channels, RowsLeft: n, Mask: mask8(channels), Lo: 1}
	l.Softmax(t)
}
