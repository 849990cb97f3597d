package kernels

import (
	"math/bits"

	"zoobench/kernels/internal/f32"
)

// band is rows [y, y+rows) of the output, which one call of a kernel computes.
type band struct {
	y, rows int
	run     func(*f32.Band)
}

// cutBands cuts the output's rows into bands, or returns nil where the convolution has no kernel for them.
func (d *Depthwise) cutBands() []band {
	k, s := d.KH, d.SH
	if d.each != 1 || d.KW != k || k < 3 || k > 7 || k%2 == 0 || d.SW != s || s > 2 || d.DH != 1 || d.DW != 1 || d.Left >= k {
		return nil
	}
	kernels := &d.level.Bands[(k-3)/2][s-1]
	most := len(kernels) - 1
	for most > 0 && kernels[most] == nil {
		most--
	}
	var all []band
	for y := 0; y < d.OH && most > 0; {
		rows := min(most, d.OH-y)
		all = append(all, band{y, rows, kernels[rows]})
		y += rows
	}
	return all
}

// runBand computes one band of an image.
func (d *Depthwise) runBand(s *depthwiseScratch, image int, b band) {
	y0 := b.y*d.SH - d.Top
	var rows uint
	for r := range (b.rows-1)*d.SH + d.KH {
		if uint(y0+r) < uint(d.H) {
			rows |= 1 << r
		}
	}
	first := bits.TrailingZeros(rows | 1<<(bits.UintSize-1))
	in := image * d.H * d.W
	if rows != 0 {
		in += (y0 + first) * d.W
	} else {
		first = 0
	}
	out := d.dst.Data[(image*d.OH+b.y)*d.OW*d.dst.Stride:]
	a := &s.band
	*a = f32.Band{
		In: &d.src.Data[in*d.src.Stride], First: first, Rows: int(rows), W: &d.packed[0], Bias: &d.bias[0], Out: &out[0],
		InRow: 4 * d.W * d.src.Stride, InPixel: 4 * d.src.Stride, OutRow: 4 * d.OW * d.dst.Stride, OutPixel: 4 * d.dst.Stride,
		Cols: min(d.W, (d.OW-1)*d.SW+d.KW-d.Left), Left: d.Left, OW: d.OW, C: d.C, Mask: mask8(d.C), Lo: d.lo, Hi: d.hi,
	}
	a.Skip = (d.KW-1)/d.SW - (d.Left+d.SW-1)/d.SW
	b.run(a)
	if !d.Act.isClamp() {
		d.Act.apply(d.level, &s.act, out, d.dst.Stride, d.C, b.rows*d.OW)
	}
}
