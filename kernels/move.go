package kernels

import (
	"math"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// MoveShape is which pixels a Move copies, and where to.
type MoveShape struct {
	Top, Left int // where the source's first pixel lands in the destination
	X         int // the source's first column
	Rows      int // pixels to copy down and across
	Columns   int
	Clear     bool // zero the destination first
	Shuffle   int  // channel j·Shuffle + i of the result is channel i·C/Shuffle + j of the source; 0 keeps their order
}

// Move copies a rectangle of pixels, or deals channels out anew.
type Move struct {
	MoveShape
	level *f32.Level
	work  []f32.Rows // of each worker

	dst, src Tensor // the run under way
}

// NewMove makes a move; workers is the size of the pool that will run it.
func NewMove(s MoveShape, workers int) *Move {
	return &Move{MoveShape: s, level: level, work: make([]f32.Rows, workers)}
}

// check panics unless the rectangle is inside tensors of these sizes.
func (s *MoveShape) check(n, h, w, c, srcN, srcH, srcW, srcC int) {
	if srcC != c || srcN != n && srcN != 1 || s.Rows < 1 || s.Columns < 1 ||
		s.Rows > srcH || s.X+s.Columns > srcW || s.Top+s.Rows > h || s.Left+s.Columns > w ||
		s.Shuffle > 0 && c%s.Shuffle != 0 {
		panic("kernels: move: rectangle outside its tensors")
	}
}

// Run copies the rectangle of every image; a source of one image is copied to every image of the destination.
func (m *Move) Run(pool *par.Pool, dst, src Tensor) {
	src.check("kernels: move: short source")
	dst.check("kernels: move: short destination")
	m.MoveShape.check(dst.N, dst.H, dst.W, dst.C, src.N, src.H, src.W, src.C)
	m.dst, m.src = dst, src
	pool.Run(dst.N*dst.H, m)
	m.dst, m.src = Tensor{}, Tensor{}
}

// Do copies one row of the destination's pixels.
func (m *Move) Do(worker, task int) {
	image, y := task/m.dst.H, task%m.dst.H
	c := m.dst.C
	if m.Clear {
		for x := range m.dst.W {
			clear(m.dst.Data[(task*m.dst.W+x)*m.dst.Stride:][:c])
		}
	}
	if y < m.Top || y >= m.Top+m.Rows {
		return
	}
	if m.src.N == 1 {
		image = 0
	}
	in := (image*m.src.H+y-m.Top)*m.src.W + m.X
	out := task*m.dst.W + m.Left
	if m.Shuffle == 0 && m.src.Stride == c && m.dst.Stride == c {
		copy(m.dst.Data[out*c:(out+m.Columns)*c], m.src.Data[in*c:])
		return
	}
	if m.Shuffle == 2 {
		from := m.src.Data[in*m.src.Stride:]
		t := &m.work[worker]
		*t = f32.Rows{Out: &m.dst.Data[out*m.dst.Stride], In: &from[0], B: &from[c/2], LDO: 4 * m.dst.Stride, LDI: 4 * m.src.Stride,
			LDB: 4 * m.src.Stride, C: c / 2, RowsLeft: m.Columns, Mask: mask8(c / 2)}
		m.level.Zip(t)
		return
	}
	for x := range m.Columns {
		from, to := m.src.Data[(in+x)*m.src.Stride:][:c], m.dst.Data[(out+x)*m.dst.Stride:][:c]
		if m.Shuffle == 0 {
			copy(to, from)
			continue
		}
		deal(to, from, m.Shuffle)
	}
}

// deal shuffles one pixel's channels.
func deal[T any](to, from []T, groups int) {
	each := len(from) / groups
	for i := range groups {
		k := i
		for _, v := range from[i*each : (i+1)*each] {
			to[k] = v
			k += groups
		}
	}
}

// SplitSoftmax is a softmax over Parts equal ranges of channels: of Parts elements for each channel of a range. It
// works on vectors of a few thousand elements, one an image.
type SplitSoftmax struct {
	Parts    int
	dst, src Tensor
}

// Run computes dst from src pixel by pixel.
func (s *SplitSoftmax) Run(pool *par.Pool, dst, src Tensor) {
	src.check("kernels: split softmax: short source")
	dst.check("kernels: split softmax: short destination")
	if dst.C != src.C || dst.Pixels() != src.Pixels() || s.Parts < 1 || src.C%s.Parts != 0 {
		panic("kernels: split softmax: tensors of another shape")
	}
	s.dst, s.src = dst, src
	pool.Run(src.Pixels(), s)
	s.dst, s.src = Tensor{}, Tensor{}
}

// Do computes one pixel.
func (s *SplitSoftmax) Do(_, p int) {
	in, out := s.src.Data[p*s.src.Stride:][:s.src.C], s.dst.Data[p*s.dst.Stride:][:s.dst.C]
	each := s.src.C / s.Parts
	for c := range each {
		most := in[c]
		for k := c + each; k < len(in); k += each {
			most = max(most, in[k])
		}
		sum := 0.0
		for k := c; k < len(in); k += each {
			e := math.Exp(float64(in[k] - most))
			out[k] = float32(e)
			sum += e
		}
		for k := c; k < len(in); k += each {
			out[k] = float32(float64(out[k]) / sum)
		}
	}
}

// ChannelConv is a convolution along the channels of each pixel, zeros beyond the ends. It works on vectors of a few
// thousand elements, one an image.
type ChannelConv struct {
	Weight   []float32 // (k), k odd
	dst, src Tensor
}

// Run computes dst from src pixel by pixel; dst must not be src.
func (v *ChannelConv) Run(pool *par.Pool, dst, src Tensor) {
	src.check("kernels: channel conv: short source")
	dst.check("kernels: channel conv: short destination")
	if dst.C != src.C || dst.Pixels() != src.Pixels() || len(v.Weight)%2 == 0 {
		panic("kernels: channel conv: tensors of another shape")
	}
	v.dst, v.src = dst, src
	pool.Run(src.Pixels(), v)
	v.dst, v.src = Tensor{}, Tensor{}
}

// Do computes one pixel.
func (v *ChannelConv) Do(_, p int) {
	in, out := v.src.Data[p*v.src.Stride:][:v.src.C], v.dst.Data[p*v.dst.Stride:][:v.dst.C]
	half := len(v.Weight) / 2
	for c := range out {
		var sum float32
		for k, w := range v.Weight {
			if i := c + k - half; i >= 0 && i < len(in) {
				sum += w * in[i]
			}
		}
		out[c] = sum
	}
}
