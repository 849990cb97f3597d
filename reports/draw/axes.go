package draw

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	vgtext "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// A Scale is how an axis is divided.
type Scale int

const (
	Log     Scale = iota // equal distances are equal ratios
	Linear               // equal distances are equal differences
	Percent              // linear, and never beyond 0 to 100
	Years                // linear, with a tick a year
)

// dress gives an axis its range, its scale and the look of every figure.
func dress(a *plot.Axis, lo, hi float64, scale Scale) {
	a.Min, a.Max = lo, hi
	a.Padding = 0
	a.Label.TextStyle = axisText()
	a.Label.Padding = 4
	a.LineStyle.Color, a.LineStyle.Width = faint(), 0.7
	a.Tick.LineStyle.Color, a.Tick.LineStyle.Width = faint(), 0.7
	a.Tick.Length = 4
	x, y := a.Tick.Label.XAlign, a.Tick.Label.YAlign
	a.Tick.Label = sans(9.5, ink())
	a.Tick.Label.XAlign, a.Tick.Label.YAlign = x, y
	switch scale {
	case Log:
		a.Scale = plot.LogScale{}
		a.Tick.Marker = plot.TickerFunc(logTicks)
	case Years:
		a.Tick.Marker = plot.TickerFunc(yearTicks)
	default:
		a.Tick.Marker = plot.TickerFunc(linearTicks)
	}
}

// blank is a plot without anything in it.
func blank() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	return p
}

// drawAxes draws p's grid and its axes with their labels and returns the data area. The labels are not left to p: on a
// logarithmic axis p reserves their room in the wrong place.
func drawAxes(p *plot.Plot, c vgdraw.Canvas, xLabel, yLabel string) vgdraw.Canvas {
	s := axisText()
	high := s.FontExtents().Height
	left := vg.Length(0)
	if yLabel != "" {
		left = high + 6
	}
	area := vgdraw.Crop(c, left, 0, high+2, 0)
	p.Add(grid{})
	p.Draw(area)
	data := p.DataCanvas(area)
	c.FillText(s, vg.Point{X: data.Center().X, Y: c.Min.Y}, xLabel)
	if yLabel != "" {
		s.Rotation, s.YAlign = math.Pi/2, vgdraw.YTop
		c.FillText(s, vg.Point{X: c.Min.X, Y: data.Center().Y}, yLabel)
	}
	return data
}

func axisText() vgtext.Style {
	s := sans(10.5, ink())
	s.XAlign, s.YAlign = vgdraw.XCenter, vgdraw.YBottom
	return s
}

// listAxes draws p's axis across beneath n lines, the first one at the top, and returns the data area; pad is the room
// above the first and beneath the last, in lines.
func listAxes(p *plot.Plot, c vgdraw.Canvas, n int, pad float64, xLabel string) vgdraw.Canvas {
	p.Y.Min, p.Y.Max = -pad, float64(n-1)+pad
	p.HideY()
	p.Y.Tick.Marker = plot.ConstantTicks(nil)
	return drawAxes(p, c, xLabel, "")
}

// A grid draws a faint line at each labelled tick.
type grid struct{}

// Plot implements plot.Plotter.
func (grid) Plot(c vgdraw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	line := vgdraw.LineStyle{Color: rule(), Width: 0.6}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if t.Label != "" {
			c.StrokeLine2(line, trX(t.Value), c.Min.Y, trX(t.Value), c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if t.Label != "" {
			c.StrokeLine2(line, c.Min.X, trY(t.Value), c.Max.X, trY(t.Value))
		}
	}
}

// logTicks marks 1, 2 and 5 of each decade, fewer or more where the axis is long or short, and the other whole digits
// without a label.
func logTicks(lo, hi float64) []plot.Tick {
	label := map[int]bool{1: true, 2: true, 5: true}
	switch decades := math.Log10(hi / lo); {
	case decades > 4:
		label = map[int]bool{1: true}
	case decades < 0.7:
		label = map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true}
	}
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for d := 1; d <= 9; d++ {
			// A quotient of whole powers is the decimal number itself, a product of their inverses is not.
			v := float64(d) * math.Pow(10, e)
			if e < 0 {
				v = float64(d) / math.Pow(10, -e)
			}
			if v < lo || v > hi {
				continue
			}
			t := plot.Tick{Value: v}
			if label[d] {
				t.Label = fmt.Sprintf("%g", v)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// linearTicks marks about six whole steps of 1, 2 or 5 times a power of ten.
func linearTicks(lo, hi float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/6)))
	for _, m := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(step*m) <= 7.5 {
			step *= m
			break
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(lo / step); i*step <= hi+step*1e-9; i++ {
		v := i * step
		if v == 0 {
			v = 0 // and not -0
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.6g", v)})
	}
	return ticks
}

// yearTicks marks every year, and labels each or, of many, every second one.
func yearTicks(lo, hi float64) []plot.Tick {
	step := 1
	if hi-lo > 16 {
		step = 2
	}
	var ticks []plot.Tick
	for y := int(math.Ceil(lo)); float64(y) <= hi; y++ {
		t := plot.Tick{Value: float64(y)}
		if y%step == 0 {
			t.Label = fmt.Sprint(y)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// valueTicks marks the values themselves, with labels as long as there is room.
func valueTicks(values []float64, ratio float64) plot.ConstantTicks {
	const gap = 0.045 // of the axis between two labels
	var ticks plot.ConstantTicks
	last := math.Inf(-1)
	for _, v := range values {
		t := plot.Tick{Value: v}
		if at := math.Log(v) / max(math.Log(ratio), 0.1); at-last >= gap {
			t.Label, last = fmt.Sprintf("%g", v), at
		}
		ticks = append(ticks, t)
	}
	return ticks
}
