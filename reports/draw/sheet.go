package draw

import (
	"image"

	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// A Sheet is images in rows and columns, all of one size.
type Sheet struct {
	Rows, Columns []string      // names
	Images        []image.Image // row by row
}

// Figure makes the sheet a figure. There is an image for each row and column.
func (s *Sheet) Figure(c Caption) Figure {
	const side = 52 // of an image with its gap
	rows, columns := vg.Length(len(s.Rows)), vg.Length(len(s.Columns))
	f := Figure{Caption: c, Width: max(2*edge+s.margin()+side*columns, pageWidth/2), Height: 2*edge + 62 + side*rows}
	f.body = func(c vgdraw.Canvas, _ map[string]Style) { s.draw(c, side) }
	return f
}

// margin is the width of the rows' names.
func (s *Sheet) margin() vg.Length {
	style, wide := sans(9.5, ink()), vg.Length(0)
	for _, name := range s.Rows {
		wide = max(wide, style.Width(name))
	}
	return wide + 10
}

func (s *Sheet) draw(c vgdraw.Canvas, side vg.Length) {
	style := sans(9.5, ink())
	left, top := c.Min.X+s.margin(), c.Max.Y-16
	for i, name := range s.Columns {
		center(c, style, vg.Point{X: left + vg.Length(i)*side + (side-2-style.Width(name))/2, Y: top + 8}, name)
	}
	for j, name := range s.Rows {
		y := top - vg.Length(j+1)*side
		center(c, style, vg.Point{X: c.Min.X, Y: y + side/2}, name)
		for i := range s.Columns {
			at := vg.Point{X: left + vg.Length(i)*side, Y: y}
			c.DrawImage(vg.Rectangle{Min: at, Max: vg.Point{X: at.X + side - 2, Y: at.Y + side - 2}}, enlarged(s.Images[j*len(s.Columns)+i]))
		}
	}
}

// enlarged shows each pixel of an image as a square of several, so that a smooth enlargement keeps its edges.
func enlarged(img image.Image) image.Image {
	const times = 3
	b := img.Bounds()
	big := image.NewRGBA(image.Rect(0, 0, times*b.Dx(), times*b.Dy()))
	for y := range big.Bounds().Dy() {
		for x := range big.Bounds().Dx() {
			big.Set(x, y, img.At(b.Min.X+x/times, b.Min.Y+y/times))
		}
	}
	return big
}
