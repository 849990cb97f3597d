package kernels

import "zoobench/kernels/internal/f32"

// depthwiseFits reports whether every channel has a filter of its own, of a width that there are kernels of.
func (g *ConvGrad) depthwiseFits() bool {
	return g.Groups == g.C && g.OC == g.C && g.DW == 1 && g.Left >= 0 && g.Top >= 0 && g.depthGrad() != nil
}

// depthGrad is the kernel of depthwise filters; nil where there is none.
func (g *ConvGrad) depthGrad() func(*f32.RowGrad) {
	if k := (g.KW - 3) / 2; g.KW >= 3 && g.KW%2 == 1 && k < len(g.level.DepthGrad) {
		return g.level.DepthGrad[k]
	}
	return nil
}

// depthwiseOf sums the products of images [from, to), one after the other, for sixteen channels at once.
func (g *ConvGrad) depthwiseOf(r *gradRows, sums []float32, from, to int) {
	kernel := g.depthGrad()
	for image := from; image < to; image++ {
		for rows := range g.paddedBlocks(r, image) {
			for c := 0; c < g.C; c += f32.NR {
				for ky := range g.KH {
					r.arg = f32.RowGrad{
						Rows: &rows[0], N: len(rows), X: 4 * (ky*g.DH*r.width + c), DY: 4 * c, XPixel: 4 * g.SW * g.C, XTap: 4 * g.C,
						DYPixel: 4 * g.dy.Stride, Middle: g.OW, Sums: &sums[(c*g.KH/f32.NR+ky)*g.KW*f32.NR], Tap: 4 * f32.NR,
						Mask: maskOf(min(f32.NR, g.C-c)),
					}
					kernel(&r.arg)
				}
			}
		}
	}
}

// pointsFit reports whether the window is one pixel and channels come in whole eights and sixteens, or in whole eights over every
// pixel.
func (g *ConvGrad) pointsFit() bool {
	return g.level.RowGrad[3] != nil && g.taps() == 1 && g.Top == 0 && g.Left == 0 && g.OC/g.Groups%f32.RowFilters == 0 &&
		(g.OW-1)*g.SW < g.W && (g.OH-1)*g.SH < g.H && (g.C/g.Groups%f32.NR == 0 || g.merged && g.Groups == 1)
}

// newGradPoints makes ready a worker's rows, and its copy of the last pixels.
func (g *ConvGrad) newGradPoints() *gradRows {
	r := g.newGradRows()
	r.before, r.behind = 0, 0
	if g.merged {
		r.behind = parts(roundUp(g.C, f32.NR)-g.C, g.C)
		r.padded = make([]float32, r.behind*g.C+f32.NR)
	}
	return r
}

// pointsOf sums the products of images [from, to), a block of rows after the other, or of blocks of pixels.
func (g *ConvGrad) pointsOf(r *gradRows, sums []float32, from, to int) {
	stride := g.x.Stride
	if !g.merged {
		each := g.blockRows()
		for first := from * g.OH; first < to*g.OH; first += each {
			r.begin(g, first, min(each, to*g.OH-first))
			g.points(r, sums, r.blocks[0], g.SW*stride, g.OW)
		}
		return
	}
	for block := from; block < to; block++ {
		first, end := block*gradBlock, min((block+1)*gradBlock, g.x.W)
		middle := max(first, min(end, g.x.W-r.behind))
		row := func(x []float32, pixel int) []f32.GradRow {
			return append(r.blocks[0][:0], f32.GradRow{X: &x[0], DY: &g.dy.Data[pixel*g.dy.Stride]})
		}
		if middle > first {
			g.points(r, sums, row(g.x.Data[first*stride:], first), stride, middle-first)
		}
		if end > middle {
			for i := range end - middle {
				copy(r.padded[i*g.C:][:g.C], g.x.Data[(middle+i)*stride:])
			}
			g.points(r, sums, row(r.padded, middle), g.C, end-middle)
		}
	}
}

// points adds rows' products to the sums of all filters: n pixels of a row, so many elements apart.
func (g *ConvGrad) points(r *gradRows, sums []float32, rows []f32.GradRow, apart, n int) {
	outputs := g.OC / g.Groups
	for group := range g.Groups {
		panels := g.groupPanels(group)
		for i := range parts(len(panels), 3) {
			first, count := cutPanels(len(panels), 3, i)
			p := panels[first]
			for oc := group * outputs; oc < (group+1)*outputs; oc += f32.RowFilters {
				r.arg = f32.RowGrad{
					Rows: &rows[0], N: len(rows), X: 4 * p.col, DY: 4 * oc, XPixel: 4 * apart, XTap: 4 * f32.NR, DYPixel: 4 * g.dy.Stride,
					Middle: n, Sums: &sums[oc*g.width+p.left], LDS: 4 * g.width, Tap: 4 * f32.NR,
				}
				g.level.RowGrad[count](&r.arg)
			}
		}
	}
}
