package kernels

import (
	"iter"

	"zoobench/kernels/internal/f32"
)

// gradRows is the gradient of weights three taps wide, straight from tensors as they lie: pixels of a row of the output, with
// what a row of the window sees of the input, for eight filters and sixteen channels at once. It needs whole eights and sixteens.
type gradRows struct {
	before, behind int // 1 where the first pixel's first tap is padding, or the last pixel's last one
	blocks         [][]f32.GradRow
	arg            f32.RowGrad

	// A 3×3 window over few channels, as of images, has whole rows of its own in the taps' place, sixteen elements from each
	// row's first on: an image is copied with its padding, and the sums of what lies behind the window's three pixels are none.
	// Images are copied for depthwise filters too, so that every window has all its taps.
	//
	// A window of one pixel has panels of sixteen channels in the taps' place. The last pixels, from which a panel would reach
	// beyond the tensor, are copied.
	padded []float32
	width  int // elements of a row of padded
}

// rowsFit reports whether the shape has the form that gradRows computes.
func (g *ConvGrad) rowsFit() bool {
	return g.level.RowGrad[3] != nil && g.KW == 3 && g.DW == 1 && g.C/g.Groups%f32.NR == 0 && g.OC/g.Groups%f32.RowFilters == 0 &&
		(g.Left == 0 || g.Left == 1) && g.beyond() <= 1 && g.OW > 1
}

// beyond is how many columns of padding the last window reads on the right.
func (g *ConvGrad) beyond() int { return (g.OW-1)*g.SW + 3 - g.Left - g.W }

// windowsFit reports whether a 3×3 window's rows fit into the place of taps.
func (g *ConvGrad) windowsFit() bool {
	return g.level.RowGrad[3] != nil && g.KH == 3 && g.KW == 3 && g.DH == 1 && g.DW == 1 && g.Groups == 1 && 3*g.C <= f32.NR &&
		g.OC%f32.RowFilters == 0 && g.Left >= 0 && g.Top >= 0
}

// newGradPadded makes ready a worker's copy of an image.
func (g *ConvGrad) newGradPadded() *gradRows {
	width, height := g.paddedSize()
	return &gradRows{blocks: [][]f32.GradRow{make([]f32.GradRow, 0, g.blockRows())}, width: width * g.C,
		padded: make([]float32, height*width*g.C+f32.NR)}
}

// windowsOf sums the products of images [from, to), one after the other.
func (g *ConvGrad) windowsOf(r *gradRows, sums []float32, from, to int) {
	for image := from; image < to; image++ {
		for rows := range g.paddedBlocks(r, image) {
			for oc := 0; oc < g.OC; oc += f32.RowFilters {
				r.arg = f32.RowGrad{
					Rows: &rows[0], N: len(rows), DY: 4 * oc, XPixel: 4 * g.SW * g.C, XTap: 4 * r.width, DYPixel: 4 * g.dy.Stride,
					Middle: g.OW, Sums: &sums[oc*g.taps()*g.width], LDS: 4 * g.taps() * g.width, Tap: 4 * g.width,
				}
				g.level.RowGrad[3](&r.arg)
			}
		}
	}
}

// paddedBlocks copies an image with its padding, and cuts the output into blocks of rows, each with the window's first row.
func (g *ConvGrad) paddedBlocks(r *gradRows, image int) iter.Seq[[]f32.GradRow] {
	for row := range g.H {
		copyPadded(&g.ConvShape, r.padded, g.x.Data[image*g.H*g.W*g.x.Stride:], g.x.Stride, row)
	}
	return func(yield func([]f32.GradRow) bool) {
		for y := 0; y < g.OH; {
			rows := r.blocks[0][:0]
			for ; y < g.OH && len(rows) < g.blockRows(); y++ {
				rows = append(rows, f32.GradRow{
					X: &r.padded[y*g.SH*r.width], DY: &g.dy.Data[(image*g.OH+y)*g.OW*g.dy.Stride],
				})
			}
			if !yield(rows) {
				return
			}
		}
	}
}

// newGradRows makes ready a worker's blocks of rows: of as many pixels as are summed in float32 from zero.
func (g *ConvGrad) newGradRows() *gradRows {
	r := &gradRows{before: g.Left, behind: max(0, g.beyond()), blocks: make([][]f32.GradRow, g.KH)}
	for ky := range r.blocks {
		r.blocks[ky] = make([]f32.GradRow, 0, g.blockRows())
	}
	return r
}

// blockRows is the rows of the output in a block.
func (g *ConvGrad) blockRows() int { return max(1, gradBlock/g.OW) }

// rowsOf sums the products of images [from, to), a block of rows after the other.
func (g *ConvGrad) rowsOf(r *gradRows, sums []float32, from, to int) {
	each := g.blockRows()
	for first := from * g.OH; first < to*g.OH; first += each {
		r.begin(g, first, min(each, to*g.OH-first))
		for group := range g.Groups {
			for _, p := range g.groupPanels(group) {
				for ky, rows := range r.blocks {
					if len(rows) > 0 {
						r.filters(g, sums[ky*3*g.width+p.left:], p, rows)
					}
				}
			}
		}
	}
}

// begin finds the rows of a block: for each row of the window those of the output for which it is on the input.
func (r *gradRows) begin(g *ConvGrad, first, n int) {
	for ky := range r.blocks {
		rows := r.blocks[ky][:0]
		for i := first; i < first+n; i++ {
			y := i%g.OH*g.SH - g.Top + ky*g.DH
			if uint(y) < uint(g.H) {
				rows = append(rows, f32.GradRow{
					X: &g.x.Data[(i/g.OH*g.H+y)*g.W*g.x.Stride], DY: &g.dy.Data[i*g.OW*g.dy.Stride],
				})
			}
		}
		r.blocks[ky] = rows
	}
}

// filters adds rows' products with a panel of the input to the sums of its group's filters.
func (r *gradRows) filters(g *ConvGrad, sums []float32, p panel, rows []f32.GradRow) {
	outputs := g.OC / g.Groups
	for oc := p.group * outputs; oc < (p.group+1)*outputs; oc += f32.RowFilters {
		r.arg = f32.RowGrad{
			Rows: &rows[0], N: len(rows), X: 4 * (p.col - g.Left*g.x.Stride), DY: 4 * oc,
			XPixel: 4 * g.SW * g.x.Stride, XTap: 4 * g.x.Stride, DYPixel: 4 * g.dy.Stride,
			Middle: g.OW - r.before - r.behind, Before: r.before, Behind: r.behind,
			Sums: &sums[oc*g.taps()*g.width], LDS: 4 * g.taps() * g.width, Tap: 4 * g.width,
		}
		g.level.RowGrad[3](&r.arg)
	}
}
