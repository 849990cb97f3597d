package kernels

import "zoobench/kernels/par"

// ConvBack is the gradient of a convolution for its input: a convolution of the result's gradient with the filters turned round.
// With a stride the gradient's pixels stand apart, zeros between them.
type ConvBack struct {
	forward ConvShape
	conv    Repacker
	spread  Tensor // the gradient with its zeros
	dy      Tensor // the run under way
}

// NewConvBack makes ready the gradient for a shape, whose Act and Bias it does not need; workers is the size of the pool.
func NewConvBack(s ConvShape, workers int) *ConvBack {
	b := &ConvBack{forward: s}
	b.forward.forget()
	back := b.forward
	back.C, back.H, back.W = s.OC, (s.OH-1)*s.SH+1, (s.OW-1)*s.SW+1
	back.OC, back.OH, back.OW = s.C, s.H, s.W
	back.SH, back.SW, back.Act = 1, 1, None
	back.Top, back.Left = (s.KH-1)*s.DH-s.Top, (s.KW-1)*s.DW-s.Left
	back.Filter = s.turned()
	b.conv = NewRepacker(back, workers)
	return b
}

// SpreadElems is how many elements an image takes in the memory of its gradient: zeros stand between those of a stride.
func (s *ConvShape) SpreadElems() int {
	if s.SH == 1 && s.SW == 1 {
		return 0
	}
	return ((s.OH-1)*s.SH + 1) * ((s.OW-1)*s.SW + 1) * s.OC
}

// turned gives the filters of the gradient: input channel c's has, for every output channel of its group, the weights that c
// goes through, in reverse order.
func (s *ConvShape) turned() func(first int, dst []float32) {
	weight := s.Weight
	channels, outputs, taps := s.C/s.Groups, s.OC/s.Groups, s.taps()
	return func(first int, dst []float32) {
		for i := range len(dst) / (outputs * taps) {
			c := first + i
			for o := range outputs {
				from, to := ((c/channels*outputs+o)*channels+c%channels)*taps, (i*outputs+o+1)*taps-1
				for tap, v := range weight[from : from+taps] {
					dst[to-tap] = v
				}
			}
		}
	}
}

// Repack takes new weights (OC, C/Groups, KH, KW) of the forward convolution.
func (b *ConvBack) Repack(pool *par.Pool, weight []float32) {
	s := b.forward
	s.Weight = weight
	b.conv.repack(pool, s.turned())
}

// Run computes dx, of the shape of the input, from dy.
func (b *ConvBack) Run(pool *par.Pool, dx, dy Tensor) {
	s := &b.forward
	if s.SH == 1 && s.SW == 1 {
		b.conv.Run(pool, dx, dy, Tensor{})
		return
	}
	dy.check("kernels: convolution's gradient: short source")
	if b.spread.N < dy.N {
		b.spread = Tensor{N: dy.N, H: (s.OH-1)*s.SH + 1, W: (s.OW-1)*s.SW + 1, C: s.OC, Stride: s.OC}
		b.spread.Data = make([]float32, dy.N*s.SpreadElems())
	}
	apart := b.spread
	apart.N = dy.N
	b.dy = dy
	pool.Run(dy.N*s.OH, b)
	b.dy = Tensor{}
	b.conv.Run(pool, dx, apart, Tensor{})
}

// Do copies one row of the gradient to where its pixels stand apart; what is between them stays zero from the start.
func (b *ConvBack) Do(_, row int) {
	s, to := &b.forward, b.spread
	first := (row/s.OH*to.H + row%s.OH*s.SH) * to.W
	for x := range s.OW {
		copy(to.Data[(first+x*s.SW)*to.C:][:to.C], b.dy.Data[(row*s.OW+x)*b.dy.Stride:])
	}
}

// A Repacker is a convolution that takes new weights, as training makes them at every step.
type Repacker interface {
	Convolution
	// Repack takes weights (OC, C/Groups, KH, KW) and bias (OC), nil for none.
	Repack(pool *par.Pool, weight, bias []float32)
	repack(pool *par.Pool, filter func(oc int, dst []float32))
}

// NewRepacker makes a convolution ready, which takes no residual: as a depthwise one, if it is one; by F(4×4, 3×3) where that is
// faster, unless Exact is set; else by a matrix product in short blocks. workers is the size of the pool that will run it.
func NewRepacker(s ConvShape, workers int) Repacker {
	if s.CanDepthwise() {
		return alone{NewDepthwise(s, workers)}
	}
	if !s.Exact && s.PrefersWinograd() {
		return newWinograd(s, workers)
	}
	s.Exact = true
	return NewConv(s, workers)
}

// alone is a depthwise convolution as others are run.
type alone struct{ *Depthwise }

// Run computes dst = act(src convolved with the weights + bias).
func (a alone) Run(pool *par.Pool, dst, src, res Tensor) {
	if res.Data != nil {
		panic("kernels: depthwise: a residual, which it does not take")
	}
	a.Depthwise.Run(pool, dst, src)
}

// repacking are the tasks of packing anew: a panel each.
type repacking struct {
	pack func(panel int, work *packWork)
	work []packWork // by worker
}

// Do packs one panel.
func (r *repacking) Do(worker, panel int) { r.pack(panel, &r.work[worker]) }

// Repack takes new weights and bias.
func (c *Conv) Repack(pool *par.Pool, weight, bias []float32) {
	c.Weight, c.Bias = weight, bias
	c.ConvShape.check()
	c.repack(pool, nil)
}

func (c *Conv) repack(pool *par.Pool, filter func(oc int, dst []float32)) {
	c.Filter = filter
	pool.Run(len(c.panels), &repacking{func(i int, work *packWork) { c.pack(c.panels[i], work) }, make([]packWork, pool.Size())})
	c.forget()
}

// Repack takes new weights and bias.
func (w *winograd) Repack(pool *par.Pool, weight, bias []float32) {
	w.Weight, w.Bias = weight, bias
	w.ConvShape.check()
	copy(w.bias, bias)
	w.repack(pool, nil)
}

func (w *winograd) repack(pool *par.Pool, filter func(oc int, dst []float32)) {
	w.Filter = filter
	pool.Run(w.panels(), &repacking{w.pack, make([]packWork, pool.Size())})
	w.forget()
}
