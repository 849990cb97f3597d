package kernels

import "zoobench/kernels/par"

// Move8 is Move for bytes; what it clears becomes the zero point.
type Move8 struct {
	MoveShape

	dst, src Tensor8 // the run under way
}

// NewMove8 makes a move.
func NewMove8(s MoveShape) *Move8 { return &Move8{MoveShape: s} }

// Run copies the rectangle of every image; a source of one image is copied to every image of the destination.
func (m *Move8) Run(pool *par.Pool, dst, src Tensor8) {
	src.check(dst.Quant, "kernels: move8: short source", "kernels: move8: a source of another scale")
	dst.check(dst.Quant, "kernels: move8: short destination", "")
	m.MoveShape.check(dst.N, dst.H, dst.W, dst.C, src.N, src.H, src.W, src.C)
	m.dst, m.src = dst, src
	pool.Run(dst.N*dst.H, m)
	m.dst, m.src = Tensor8{}, Tensor8{}
}

// Do copies one row of the destination's pixels.
func (m *Move8) Do(_, task int) {
	dst, src, c := &m.dst, &m.src, m.dst.C
	image, y := task/dst.H, task%dst.H
	if m.Clear {
		for x := range dst.W {
			fill(dst.Data[(task*dst.W+x)*dst.Stride:][:c], dst.Zero)
		}
	}
	if y < m.Top || y >= m.Top+m.Rows {
		return
	}
	if src.N == 1 {
		image = 0
	}
	in, out := (image*src.H+y-m.Top)*src.W+m.X, task*dst.W+m.Left
	if m.Shuffle == 0 && src.Stride == c && dst.Stride == c {
		copy(dst.Data[out*c:(out+m.Columns)*c], src.Data[in*c:])
		return
	}
	for x := range m.Columns {
		from, to := src.Data[(in+x)*src.Stride:][:c], dst.Data[(out+x)*dst.Stride:][:c]
		if m.Shuffle == 0 {
			copy(to, from)
		} else {
			deal(to, from, m.Shuffle)
		}
	}
}
