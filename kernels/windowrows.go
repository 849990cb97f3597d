package kernels

import (
	"iter"

	"zoobench/kernels/internal/f32"
)

// samePixels reports whether output pixel i reads input pixel i and no other.
func (s *ConvShape) samePixels() bool {
	return s.taps() == 1 && s.SH == 1 && s.SW == 1 && s.Top == 0 && s.Left == 0 && s.OH == s.H && s.OW == s.W
}

// fillRows fills in, for n output pixels from pixel row on, the address of the input for every position of the window: in
// data, whose pixels are stride elements apart, or padding.
func fillRows[T any](s *ConvShape, p *rowTable[T], data []T, stride, row, n int, padding *T) {
	taps := s.taps()
	place, pixel := p.begin(n, taps), s.pixel(row)
	for range n {
		y0, x0 := pixel.y*s.SH-s.Top, pixel.x*s.SW-s.Left
		rows := p.rows[place.at:][:(taps-1)*f32.MR+1]
		if y0 >= 0 && x0 >= 0 && y0+(s.KH-1)*s.DH < s.H && x0+(s.KW-1)*s.DW < s.W {
			at, tap := ((pixel.image*s.H+y0)*s.W+x0)*stride, 0
			for range s.KH {
				for kx, from := 0, at; kx < s.KW; kx, from = kx+1, from+s.DW*stride {
					rows[tap] = &data[from]
					tap += f32.MR
				}
				at += s.DH * s.W * stride
			}
		} else {
			edgeRow(s, rows, data[pixel.image*s.H*s.W*stride:], stride, y0, x0, padding)
		}
		place.next()
		pixel.next(s)
	}
}

// edgeRow fills in one row's addresses where the window, which begins at row y0 and column x0 of an image, hangs over an edge.
func edgeRow[T any](s *ConvShape, rows []*T, image []T, stride, y0, x0 int, padding *T) {
	tap := 0
	for ky := range s.KH {
		y := y0 + ky*s.DH
		for kx := range s.KW {
			x := x0 + kx*s.DW
			if uint(y) < uint(s.H) && uint(x) < uint(s.W) {
				rows[tap] = &image[(y*s.W+x)*stride]
			} else {
				rows[tap] = padding
			}
			tap += f32.MR
		}
	}
}

// paddedSize is the width and the height of an image with its padding, as far as any window reaches.
func (s *ConvShape) paddedSize() (width, height int) {
	width = max((s.OW-1)*s.SW+s.KW, s.Left+s.W)
	return width, max(s.Top, 0) + max(s.H, (s.OH-1)*s.SH-s.Top+(s.KH-1)*s.DH+1)
}

// paddedRuns are the runs of n output pixels, from pixel row on, that lie in one row of the output each: where the first one's
// window begins in the padded images, and how many they are.
func (s *ConvShape) paddedRuns(row, n int) iter.Seq2[int, int] {
	return func(yield func(at, n int) bool) {
		width, height := s.paddedSize()
		pixel := s.pixel(row)
		for left := n; left > 0; {
			run := min(left, s.OW-pixel.x)
			if !yield(((pixel.image*height+pixel.y*s.SH-s.Top+max(s.Top, 0))*width+pixel.x*s.SW)*s.C, run) {
				return
			}
			left -= run
			if pixel.x, pixel.y = 0, pixel.y+1; pixel.y == s.OH {
				pixel.y, pixel.image = 0, pixel.image+1
			}
		}
	}
}

// copyPadded copies row of the images in data, whose pixels are stride elements apart, to its place in padded images.
func copyPadded[T any](s *ConvShape, padded, data []T, stride, row int) {
	width, height := s.paddedSize()
	image, y := row/s.H, row%s.H
	out := padded[((image*height+y+max(s.Top, 0))*width+s.Left)*s.C:][:s.W*s.C]
	if stride == s.C {
		copy(out, data[row*s.W*s.C:])
		return
	}
	for x := range s.W {
		copy(out[x*s.C:][:s.C], data[(row*s.W+x)*stride:])
	}
}
