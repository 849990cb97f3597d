package draw

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"zoobench/reports/text"
)

// A Line is one series of values.
type Line struct {
	Name   string
	Values []Value
	Ring   int // index of the value with a ring, -1 for none
}

// A Value is one point of a line with its interval, both ends of which are Y where there is none.
type Value struct {
	X, Y, Lo, Hi float64
	Suspect      bool // not to be trusted: crossed out
}

// Lines plots values over a setting.
type Lines struct {
	Lines          []Line
	XLabel, YLabel string
	X              Scale // Log or Linear
	Y              Scale // Log or Percent
	RingText       string
	Styles         map[string]Style // by the lines' names, for plots that share them; nil for styles by the lines' order
}

// MaxLines is how many lines a reader can tell apart.
const MaxLines = 14

// Figure makes the lines a figure. There is at least one line.
func (l *Lines) Figure(c Caption) Figure {
	f := Figure{Caption: c, Width: pageWidth, Height: pageHeight}
	ringed, suspect := false, false
	for i, one := range l.Lines {
		s := l.style(i)
		f.keys = append(f.keys, key{text: text.Shorten(one.Name, maxName), sign: func(c vgdraw.Canvas, at vg.Point) {
			c.StrokeLine2(vgdraw.LineStyle{Color: s.Color, Width: 1.3}, at.X-11, at.Y, at.X+11, at.Y)
			marker(c, s, at, dot, solid)
		}})
		ringed = ringed || one.Ring >= 0
		suspect = suspect || slices.ContainsFunc(one.Values, func(v Value) bool { return v.Suspect })
	}
	if ringed {
		f.keys = append(f.keys, ringKey(l.RingText))
	}
	if suspect {
		f.keys = append(f.keys, suspectKey(dot))
	}
	f.body = func(c vgdraw.Canvas, _ map[string]Style) { l.draw(c) }
	return f
}

// style is that of line i.
func (l *Lines) style(i int) Style {
	if s, ok := l.Styles[l.Lines[i].Name]; ok {
		return s
	}
	return SeriesStyle(i)
}

func (l *Lines) draw(c vgdraw.Canvas) {
	p := blank()
	xLo, xHi, yLo, yHi := math.Inf(1), 0.0, math.Inf(1), 0.0
	var xs []float64
	for _, one := range l.Lines {
		for _, v := range one.Values {
			xLo, xHi, yLo, yHi = min(xLo, v.X), max(xHi, v.X), min(yLo, v.Lo), max(yHi, v.Hi)
			xs = append(xs, v.X)
		}
	}
	slices.Sort(xs)
	if l.X == Linear {
		pad := max(0.06*(xHi-xLo), 0.1)
		dress(&p.X, xLo-pad, xHi+pad, Linear)
	} else {
		room := max(math.Pow(xHi/xLo, 0.06), 1.05)
		dress(&p.X, xLo/room, xHi*room, Log)
		p.X.Tick.Marker = valueTicks(slices.Compact(xs), xHi/xLo)
	}
	if l.Y == Percent {
		pad := max(0.07*(yHi-yLo), 1)
		dress(&p.Y, max(yLo-pad, 0), min(yHi+pad, 100), Percent)
	} else {
		room := max(math.Pow(yHi/yLo, 0.06), 1.1)
		dress(&p.Y, yLo/room, yHi*room, Log)
	}
	c = drawAxes(p, c, l.XLabel, l.YLabel)
	for i, one := range l.Lines {
		one.draw(c, p, l.style(i))
	}
}

func (l *Line) draw(c vgdraw.Canvas, p *plot.Plot, s Style) {
	trX, trY := p.Transforms(&c)
	thin, line := vgdraw.LineStyle{Color: s.Color, Width: 0.9}, vgdraw.LineStyle{Color: s.Color, Width: 1.3}
	var way []vg.Point
	for _, v := range l.Values {
		at := vg.Point{X: trX(v.X), Y: trY(v.Y)}
		way = append(way, at)
		if from, to := trY(v.Lo), trY(v.Hi); to-from > 2*dot {
			c.StrokeLine2(thin, at.X, from, at.X, to)
			c.StrokeLine2(thin, at.X-3, from, at.X+3, from)
			c.StrokeLine2(thin, at.X-3, to, at.X+3, to)
		}
	}
	c.StrokeLines(line, way)
	for j, v := range l.Values {
		coveringMarker(c, s, way[j], dot, lookOf(v.Suspect, solid))
		if j == l.Ring {
			ring(c, way[j])
		}
	}
}
