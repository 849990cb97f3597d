package kernels

import "zoobench/kernels/internal/f32"

// band is rows [y, y+rows) of the output, which one call of a kernel computes.
type band struct {
	y, rows int
	run     func(*f32.Band)
}

// cutBands cuts the output's rows into bands, or returns nil where the convolution has no kernel for them.
func (s *ConvShape) cutBands(l *f32.Level) []band {
	k, stride := s.KH, s.SH
	if s.Groups != s.C || s.OC != s.C || s.KW != k || k < 3 || k > 7 || k%2 == 0 || s.SW != stride || stride > 2 || s.DH != 1 || s.DW != 1 ||
		s.Left < 0 || s.Left >= k {
		return nil
	}
	kernels := &l.Bands[(k-3)/2][stride-1]
	most := len(kernels) - 1
	for most > 0 && kernels[most] == nil {
		most--
	}
	var all []band
	for y := 0; y < s.OH && most > 0; {
		rows := min(most, s.OH-y)
		all = append(all, band{y, rows, kernels[rows]})
		y += rows
	}
	return all
}

// inputs is the number of rows of input that a band's windows span.
func (d *Depthwise) inputs(b band) int { return (b.rows-1)*d.SH + d.KH }

// runBand computes a band from the rows of input that s holds the addresses of, pixels pixel elements apart, into dst.
func (d *Depthwise) runBand(s *depthwiseScratch, b band, pixel int, dst []float32, stride int) {
	a := &s.band
	*a = f32.Band{
		In: &s.rows[0], W: &d.packed[0], Bias: &d.bias[0], Out: &dst[0],
		InPixel: 4 * pixel, OutRow: 4 * d.OW * stride, OutPixel: 4 * stride,
		Cols: min(d.W, (d.OW-1)*d.SW+d.KW-d.Left), Left: d.Left, Skip: (d.KW-1)/d.SW - (d.Left+d.SW-1)/d.SW,
		OW: d.OW, C: d.C, Mask: mask8(d.C), Lo: d.lo, Hi: d.hi,
	}
	b.run(a)
	if !d.Act.isClamp() {
		d.Act.apply(d.level, &s.act, dst, stride, d.C, b.rows*d.OW)
	}
}

// findRows fills in the addresses of a band's rows of input in an image of src.
func (d *Depthwise) findRows(s *depthwiseScratch, src Tensor, image int, b band) {
	for r := range d.inputs(b) {
		s.rows[r] = nil
		if y := b.y*d.SH - d.Top + r; uint(y) < uint(d.H) {
			s.rows[r] = &src.Data[(image*d.H+y)*d.W*src.Stride]
		}
	}
}
