package draw

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// dot is the radius of a marker, in points.
const dot = 4.2

// ringRadius is that of the ring around a marker.
const ringRadius = dot + 3.4

// A look is how a marker is filled.
type look int

const (
	solid look = iota
	hollow
	crossed // not to be trusted
)

// lookOf returns the look of a point: crossed out if it is not to be trusted.
func lookOf(suspect bool, otherwise look) look {
	if suspect {
		return crossed
	}
	return otherwise
}

// marker draws a marker with the area of a circle of radius r.
func marker(c vgdraw.Canvas, s Style, at vg.Point, r vg.Length, l look) {
	outline := s.Shape.path(at, r)
	fill := s.Color
	switch {
	case l == hollow && r > dot:
		fill.A = 0 // bubbles overlap
	case l == hollow:
		fill = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	case l == crossed:
		fill.A = 0x18
	case r > dot:
		fill.A = 0x66
	default:
		fill.A = 0xc0
	}
	if fill.A > 0 {
		c.SetColor(fill)
		c.Fill(outline)
	}
	c.SetLineStyle(vgdraw.LineStyle{Color: s.Color, Width: 1.1})
	c.Stroke(outline)
	if l == crossed {
		d := min(r, 4) * 0.8
		line := vgdraw.LineStyle{Color: ink(), Width: 0.9}
		c.StrokeLine2(line, at.X-d, at.Y-d, at.X+d, at.Y+d)
		c.StrokeLine2(line, at.X-d, at.Y+d, at.X+d, at.Y-d)
	}
}

// coveringMarker draws a marker through which no line shines.
func coveringMarker(c vgdraw.Canvas, s Style, at vg.Point, r vg.Length, l look) {
	c.SetColor(color.White)
	c.Fill(s.Shape.path(at, r))
	marker(c, s, at, r, l)
}

// ring draws a ring around a marker.
func ring(c vgdraw.Canvas, at vg.Point) {
	c.SetLineStyle(vgdraw.LineStyle{Color: ink(), Width: 1.1})
	c.Stroke(Shape{}.path(at, ringRadius))
}

// bracket draws an interval with caps.
func bracket(c vgdraw.Canvas, from, to, y vg.Length) {
	line := vgdraw.LineStyle{Color: ink(), Width: 0.9}
	c.StrokeLine2(line, from, y, to, y)
	c.StrokeLine2(line, from, y-3, from, y+3)
	c.StrokeLine2(line, to, y-3, to, y+3)
}

// tail draws the way from the middle of a distribution to its end.
func tail(c vgdraw.Canvas, s Style, from, to, y vg.Length) {
	line := vgdraw.LineStyle{Color: s.Color, Width: 1.6}
	c.StrokeLine2(line, from, y, to, y)
	c.StrokeLine2(line, to, y-3.5, to, y+3.5)
}

func dashed() vgdraw.LineStyle {
	return vgdraw.LineStyle{Color: faint(), Width: 0.8, Dashes: []vg.Length{4, 3}}
}

// Signs of the legend.

func markerSign(s Style, r vg.Length, l look) sign {
	return func(c vgdraw.Canvas, at vg.Point) { marker(c, s, at, r, l) }
}

func lineSign(line vgdraw.LineStyle) sign {
	return func(c vgdraw.Canvas, at vg.Point) { c.StrokeLine2(line, at.X-12, at.Y, at.X+12, at.Y) }
}

// ringKey explains the ring.
func ringKey(text string) key {
	return key{text: text, high: 2 * ringRadius, sign: func(c vgdraw.Canvas, at vg.Point) {
		marker(c, gray(), at, dot, solid)
		ring(c, at)
	}}
}

// suspectKey explains the cross through a marker of radius r.
func suspectKey(r vg.Length) key {
	return key{text: "not valid", sign: markerSign(gray(), r, crossed)}
}

// intervalKey explains the bracket.
func intervalKey() key {
	return key{text: "95 % interval", sign: func(c vgdraw.Canvas, at vg.Point) { bracket(c, at.X-9, at.X+9, at.Y) }}
}
