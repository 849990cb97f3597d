package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/internal/i8"
)

// band is rows [y, y+rows) of the output, which one call of a kernel computes.
type band[T f32.Band | i8.Band] struct {
	y, rows int
	run     func(*T)
}

// cutBands cuts the output's rows into bands, or returns nil where the convolution has no kernel for them.
func (s *ConvShape) cutBands(l *f32.Level) []band[f32.Band] {
	if !s.bandsFit() || s.Left < 0 || s.Left >= s.KW {
		return nil
	}
	return bandsOf(s.OH, l.Bands[(s.KH-3)/2][s.SH-1][:])
}

// bandsFit reports whether there may be kernels of bands for the shape: by the window's side and the stride.
func (s *ConvShape) bandsFit() bool {
	k, stride := s.KH, s.SH
	return s.Groups == s.C && s.OC == s.C && s.KW == k && k >= 3 && k <= 7 && k%2 == 1 && s.SW == stride && stride <= 2 &&
		s.DH == 1 && s.DW == 1
}

// bandsOf cuts rows into bands of as many as the kernels, by their number of rows, take; none where there is no kernel.
func bandsOf[T f32.Band | i8.Band](rows int, kernels []func(*T)) (all []band[T]) {
	most := len(kernels) - 1
	for most > 0 && kernels[most] == nil {
		most--
	}
	for y := 0; y < rows && most > 0; {
		n := min(most, rows-y)
		all = append(all, band[T]{y, n, kernels[n]})
		y += n
	}
	return all
}

// inputs is the number of rows of input that a band's windows span.
func (d *Depthwise) inputs(b band[f32.Band]) int { return (b.rows-1)*d.SH + d.KH }

// computeBand computes a band of an image of src, as pixels of dst from at on. src has all rows of its images, or a
// ring of the latest ones, of which a band reads no more than fit: row y is the image's row y%src.H.
func (d *Depthwise) computeBand(worker int, b band[f32.Band], src Tensor, image int, dst Tensor, at int) {
	s := &d.work[worker]
	for r := range d.inputs(b) {
		s.rows[r] = nil
		if y := b.y*d.SH - d.Top + r; uint(y) < uint(d.H) {
			s.rows[r] = &src.Data[(image*src.H+y%src.H)*d.W*src.Stride]
		}
	}
	out := dst.Data[at*dst.Stride:]
	a := &s.band
	*a = f32.Band{
		In: &s.rows[0], W: &d.packed[0], Bias: &d.bias[0], Out: &out[0],
		InPixel: 4 * src.Stride, OutRow: 4 * d.OW * dst.Stride, OutPixel: 4 * dst.Stride,
		Cols: min(d.W, (d.OW-1)*d.SW+d.KW-d.Left), Left: d.Left, Skip: (d.KW-1)/d.SW - (d.Left+d.SW-1)/d.SW,
		OW: d.OW, C: d.C, Mask: mask8(d.C), Lo: d.lo, Hi: d.hi,
	}
	b.run(a)
	if !d.Act.isClamp() {
		d.Act.apply(d.level, &s.act, out, dst.Stride, d.C, b.rows*d.OW)
	}
}
