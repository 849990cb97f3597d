package kernels

import "zoobench/kernels/par"

// Pointwise is an element-wise layer that no matrix product could take along: dst = act(src·Scale + Shift), then times
// a gate, plus other tensors.
type Pointwise struct {
	Scale, Shift []float32 // (C) each, a batch norm of its own; nil for none
	Act          Act       // applied last

	dst, src Tensor
	gate     Tensor   // one pixel an image, or of src's shape; Data is nil for none
	add      []Tensor // of src's shape
}

// Run computes dst = act(src·Scale + Shift)·gate + add[0] + …; dst may be src.
func (e *Pointwise) Run(pool *par.Pool, dst, src, gate Tensor, add []Tensor) {
	src.check("kernels: pointwise: short source")
	dst.check("kernels: pointwise: short destination")
	same := func(t Tensor) bool { return t.C == src.C && t.Pixels() == src.Pixels() }
	if !same(dst) || e.Scale != nil && (len(e.Scale) != src.C || len(e.Shift) != src.C) {
		panic("kernels: pointwise: tensors of another shape")
	}
	if gate.Data != nil {
		gate.check("kernels: pointwise: short gate")
		if !same(gate) && (gate.C != src.C || gate.Pixels() != src.N) {
			panic("kernels: pointwise: gate of another shape")
		}
	}
	for _, t := range add {
		t.check("kernels: pointwise: short summand")
		if !same(t) {
			panic("kernels: pointwise: summand of another shape")
		}
	}
	e.dst, e.src, e.gate, e.add = dst, src, gate, add
	pool.Run(src.N*src.H, e)
	e.dst, e.src, e.gate, e.add = Tensor{}, Tensor{}, Tensor{}, nil
}

// Do computes one row of pixels.
func (e *Pointwise) Do(_, row int) {
	c := e.src.C
	for p := row * e.src.W; p < (row+1)*e.src.W; p++ {
		out := e.dst.Data[p*e.dst.Stride:][:c]
		in := e.src.Data[p*e.src.Stride:][:c]
		if e.Scale != nil {
			scale, shift := e.Scale[:c], e.Shift[:c]
			for i, v := range in {
				out[i] = v*scale[i] + shift[i]
			}
			in = out
		}
		if e.gate.Data != nil {
			at := p
			if e.gate.Pixels() == e.src.N {
				at = row / e.src.H
			}
			gate := e.gate.Data[at*e.gate.Stride:][:c]
			for i, v := range in {
				out[i] = v * gate[i]
			}
			in = out
		}
		for _, t := range e.add {
			other := t.Data[p*t.Stride:][:c]
			for i, v := range in {
				out[i] = v + other[i]
			}
			in = out
		}
		if e.Scale == nil && e.gate.Data == nil && len(e.add) == 0 {
			copy(out, in)
		}
		e.Act.apply(out)
	}
}
