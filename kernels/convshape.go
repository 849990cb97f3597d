package kernels

import "zoobench/kernels/internal/f32"

// ConvShape is a convolution: its geometry for one image, its weights while it is being made, and what is done
// on the way out.
type ConvShape struct {
	C, H, W      int // input
	OC, OH, OW   int // output
	KH, KW       int
	SH, SW       int // stride
	DH, DW       int // dilation
	Top, Left    int // padding before the first row and column, cropped if negative; OH and OW say where the others end
	Groups       int
	Weight, Bias []float32 // (OC, C/Groups, KH, KW) and (OC) or nil; read while the operation is made only

	// Filter, where it is set, stands for Weight: it writes (C/Groups, KH, KW) of output channel oc, and of those behind it
	// as far as dst goes, into dst, so that the weights need not be in memory beside their packed form. It is called from
	// several goroutines at once.
	Filter func(oc int, dst []float32)

	Act   Act
	Exact bool // sums in shorter blocks: some speed for some digits
	BF16  bool // products of bf16 numbers, where there is one group alone; see BF16
	Int8  bool // for Algorithms: those of a Conv8, all of whose results are the same bits

	Scratch *Scratch // shared with operations that run at other times; nil for memory of its own
}

// taps is the number of positions of the window.
func (s *ConvShape) taps() int { return s.KH * s.KW }

// depth is the number of elements of an output channel's filter.
func (s *ConvShape) depth() int { return s.C / s.Groups * s.taps() }

// filter is output channel oc's weights; buffer has room for them.
func (s *ConvShape) filter(oc int, buffer []float32) []float32 {
	if s.Filter == nil {
		return s.Weight[oc*s.depth():][:s.depth()]
	}
	s.Filter(oc, buffer)
	return buffer
}

// turnedElems is how many elements of filters are turned at a time: sixteen channels of 3×3 ones, 9 KiB, which stay in L1.
const turnedElems = 16 * 9

// packWork is a goroutine's memory while it packs filters.
type packWork struct {
	filters   []float32                     // f32.NR of them, one behind the other, with room for a line
	lines     [turnedElems * f32.NR]float32 // some elements of all of them, side by side
	turning   f32.Rows
	transform f32.Filters
}

// read reads n filters from output channel oc on, f32.NR at the most; those that are missing are zeros.
func (w *packWork) read(s *ConvShape, oc, n int) {
	depth := s.depth()
	if len(w.filters) < f32.NR*(depth+1) {
		w.filters = make([]float32, f32.NR*(depth+1))
	}
	if into := w.filters[:n*depth]; s.Filter != nil {
		s.Filter(oc, into)
	} else {
		copy(into, s.Weight[oc*depth:])
	}
	clear(w.filters[n*depth:])
}

// turn puts elements [first, first+n) of the filters side by side, turnedElems at the most.
func (w *packWork) turn(s *ConvShape, l *f32.Level, first, n int) {
	w.turning = f32.Rows{In: &w.filters[first], LDI: 4 * s.depth(), Out: &w.lines[0], LDO: 4 * f32.NR, C: roundUp(n, 8), RowsLeft: f32.NR}
	l.Turn(&w.turning)
}

// inside is the range of output columns whose windows read no padding at their sides.
func (s *ConvShape) inside() (first, last int) {
	first = max(0, min((s.Left+s.SW-1)/s.SW, s.OW))
	if room := s.W - 1 - (s.KW-1)*s.DW + s.Left; room >= 0 {
		last = min(room/s.SW+1, s.OW)
	}
	return first, max(last, first)
}

// forget lets the weights go once they are packed.
func (s *ConvShape) forget() { s.Weight, s.Bias, s.Filter = nil, nil, nil }

// check panics unless groups and weights fit the shape.
func (s *ConvShape) check() {
	if s.Groups < 1 || s.C%s.Groups != 0 || s.OC%s.Groups != 0 {
		panic("kernels: conv: groups do not divide channels")
	}
	if s.Filter == nil && len(s.Weight) != s.OC*s.depth() || s.Bias != nil && len(s.Bias) != s.OC {
		panic("kernels: conv: weights of another shape")
	}
}

// checkTensors panics unless the tensors have the convolution's shape.
func (s *ConvShape) checkTensors(dst, src, res Tensor) {
	src.check("kernels: conv: short source")
	dst.check("kernels: conv: short destination")
	if src.C != s.C || src.H != s.H || src.W != s.W || dst.C != s.OC || dst.H != s.OH || dst.W != s.OW || dst.N != src.N {
		panic("kernels: conv: tensors of another shape")
	}
	if res.Data != nil {
		res.check("kernels: conv: short residual")
		if res.C != dst.C || res.Pixels() != dst.Pixels() {
			panic("kernels: conv: residual of another shape")
		}
	}
}

// outPixel is a pixel of the output.
type outPixel struct{ image, y, x int }

// pixel is pixel i of all images' output.
func (s *ConvShape) pixel(i int) outPixel {
	return outPixel{i / (s.OH * s.OW), i / s.OW % s.OH, i % s.OW}
}

// next moves to the next pixel.
func (p *outPixel) next(s *ConvShape) {
	if p.x++; p.x < s.OW {
		return
	}
	p.x = 0
	if p.y++; p.y == s.OH {
		p.y = 0
		p.image++
	}
}
