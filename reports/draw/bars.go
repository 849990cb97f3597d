package draw

import (
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"zoobench/reports/text"
)

// A Bar is one line of Bars: parts of a whole, side by side.
type Bar struct {
	Name  string
	Parts []float64 // one for each of the kinds
	Text  string    // the whole, beside it
}

// Bars show what share of its whole each kind of part takes, line by line.
type Bars struct {
	Bars   []Bar
	Kinds  []string // as many as the palette has colours, at most
	Head   string   // of the bars' texts
	XLabel string
}

// Figure makes the bars a figure. There is at least one, and each has a part above zero.
func (b *Bars) Figure(c Caption) Figure {
	f := Figure{Caption: c, Width: pageWidth}
	for i, name := range b.Kinds {
		for _, bar := range b.Bars {
			if bar.Parts[i] > 0 {
				f.keys = append(f.keys, key{text: name, sign: markerSign(Style{Palette()[i], shapes()[1]}, dot, solid)})
				break
			}
		}
	}
	f.Height = rungHeight*vg.Length(max(len(b.Bars), f.legendLines())+1) + 130
	f.body = func(c vgdraw.Canvas, _ map[string]Style) { b.draw(c) }
	return f
}

func (b *Bars) draw(c vgdraw.Canvas) {
	font, small := sans(9, ink()), sans(8.5, faint())
	font.XAlign, small.XAlign = vgdraw.XRight, vgdraw.XRight
	names, figures := vg.Length(0), font.Width(b.Head)
	for _, bar := range b.Bars {
		names, figures = max(names, font.Width(text.Shorten(bar.Name, maxName))), max(figures, font.Width(bar.Text))
	}
	p := blank()
	dress(&p.X, 0, 100, Percent)
	data := listAxes(p, vgdraw.Crop(c, names+8, -figures-16, 0, -rungHeight), len(b.Bars), 0.5, b.XLabel)
	trX, trY := p.Transforms(&data)
	center(c, small, vg.Point{X: c.Max.X, Y: data.Max.Y + rungHeight/2}, b.Head)
	colors := Palette()
	for i, bar := range b.Bars {
		y := trY(float64(len(b.Bars) - 1 - i))
		whole, at := 0.0, 0.0
		for _, part := range bar.Parts {
			whole += part
		}
		for k, part := range bar.Parts {
			share := part * (100 / whole)
			if share <= 0 {
				continue
			}
			box := vg.Rectangle{
				Min: vg.Point{X: trX(at), Y: y - rungHeight*0.38},
				Max: vg.Point{X: trX(min(at+share, 100)), Y: y + rungHeight*0.38},
			}
			fill := colors[k]
			fill.A = 0xd0
			c.SetColor(fill)
			c.Fill(box.Path())
			at += share
		}
		center(c, font, vg.Point{X: data.Min.X - 6, Y: y}, text.Shorten(bar.Name, maxName))
		center(c, font, vg.Point{X: c.Max.X, Y: y}, bar.Text)
	}
}
