package draw

import (
	"math"

	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// A Work is one point under a roof: a piece of work.
type Work struct {
	Intensity, Rate float64 // operations a byte, and billions of them a second
	Kind            int     // index among the roofline's kinds
}

// A Roofline shows how fast work was done against the operations that it does for each byte, under the most that the
// machine can do. Both axes are logarithmic.
type Roofline struct {
	Works          []Work
	Kinds          []string // as many as the palette has colours, at most
	Peak, Read     float64  // the roofs: billions of operations, and of bytes, a second
	XLabel, YLabel string
	RoofText       string // what the roofs are, for the legend
}

// Figure makes the roofline a figure. There is at least one piece of work.
func (r *Roofline) Figure(c Caption) Figure {
	f := Figure{Caption: c, Width: pageWidth, Height: pageHeight}
	used := make([]bool, len(r.Kinds))
	for _, w := range r.Works {
		used[w.Kind] = true
	}
	for i, name := range r.Kinds {
		if used[i] {
			f.keys = append(f.keys, key{text: name, sign: markerSign(SeriesStyle(i), dot, solid)})
		}
	}
	f.keys = append(f.keys, key{text: r.RoofText, sign: lineSign(roofLine())})
	f.body = func(c vgdraw.Canvas, _ map[string]Style) { r.draw(c) }
	return f
}

func roofLine() vgdraw.LineStyle {
	return vgdraw.LineStyle{Color: ink(), Width: 1.2, Dashes: []vg.Length{6, 3}}
}

func (r *Roofline) draw(c vgdraw.Canvas) {
	ridge := r.Peak / r.Read
	xLo, xHi, yLo, yHi := ridge/2, ridge*2, r.Peak, r.Peak
	for _, w := range r.Works {
		xLo, xHi, yLo, yHi = min(xLo, w.Intensity), max(xHi, w.Intensity), min(yLo, w.Rate), max(yHi, w.Rate)
	}
	p := blank()
	xRoom, yRoom := math.Pow(xHi/xLo, 0.04), math.Pow(yHi/yLo, 0.05)
	dress(&p.X, xLo/xRoom, xHi*xRoom, Log)
	dress(&p.Y, yLo/yRoom, yHi*yRoom, Log)
	c = drawAxes(p, c, r.XLabel, r.YLabel)
	trX, trY := p.Transforms(&c)
	for _, w := range r.Works {
		marker(c, SeriesStyle(w.Kind), vg.Point{X: trX(w.Intensity), Y: trY(w.Rate)}, 2.4, solid)
	}
	left := max(p.X.Min, p.Y.Min/r.Read)
	c.StrokeLines(roofLine(), []vg.Point{
		{X: trX(left), Y: trY(left * r.Read)}, {X: trX(ridge), Y: trY(r.Peak)}, {X: trX(p.X.Max), Y: trY(r.Peak)},
	})
}
