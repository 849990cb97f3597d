package draw

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"zoobench/reports/text"
)

// An Estimate is a figure with its 95 % interval, both ends of which are the figure where there is none.
type Estimate struct {
	Name        string
	Mid, Lo, Hi float64
	Text        string // the figures beside it
	Group       int    // index among the forest's groups
}

// A Group is a kind of estimate.
type Group struct {
	Name string
	Style
}

// A Forest shows estimates one under the other, and the marks that they are compared with.
type Forest struct {
	XLabel    string
	X         Scale // Log or Linear
	Groups    []Group
	Estimates []Estimate
	Marks     []float64
	MarkText  string // what the marks are, for the legend
}

// maxEstimate bounds a name beside a forest, in runes.
const maxEstimate = 64

// Figure makes the forest a figure. There is at least one estimate.
func (t *Forest) Figure(c Caption) Figure {
	f := Figure{Caption: c, Width: pageWidth}
	for _, g := range t.Groups {
		f.keys = append(f.keys, key{text: g.Name, sign: markerSign(g.Style, dot, solid)})
	}
	intervals := false
	for _, e := range t.Estimates {
		intervals = intervals || e.Hi > e.Lo
	}
	if intervals {
		f.keys = append(f.keys, intervalKey())
	}
	if len(t.Marks) > 0 {
		f.keys = append(f.keys, key{text: t.MarkText, sign: lineSign(dashed())})
	}
	lines := max(len(t.Estimates), f.legendLines()+1)
	f.Height = rungHeight*vg.Length(lines) + 120 + 14*vg.Length(len(c.Subtitle)/120) + 18*vg.Length(len(c.Title)/90)
	f.body = func(c vgdraw.Canvas, _ map[string]Style) { t.draw(c) }
	return f
}

// axis is the range of the axis, its scale and its label.
func (t *Forest) axis() (lo, hi float64, scale Scale, label string) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, e := range t.Estimates {
		lo, hi = min(lo, e.Lo), max(hi, e.Hi)
	}
	for _, m := range t.Marks {
		lo, hi = min(lo, m), max(hi, m)
	}
	if t.X != Log || lo <= 0 {
		room := max(0.06*(hi-lo), 0.5)
		return lo - room, hi + room, Linear, t.XLabel
	}
	room := max(math.Pow(hi/lo, 0.05), 1.05)
	if hi/lo < 1.3 {
		room = 1.2
	}
	return lo / room, hi * room, Log, t.XLabel + ", log scale"
}

// Place returns the axis' label and, for each value, how far along the axis it lies: 0 at the beginning, 1 at the end. There is at
// least one estimate.
func (t *Forest) Place(values ...float64) (label string, at []float64) {
	lo, hi, scale, label := t.axis()
	along := func(v float64) float64 { return v }
	if scale == Log {
		along = math.Log
	}
	for _, v := range values {
		at = append(at, (along(v)-along(lo))/(along(hi)-along(lo)))
	}
	return label, at
}

func (t *Forest) draw(c vgdraw.Canvas) {
	font := sans(9, ink())
	font.XAlign = vgdraw.XRight
	names, figures := vg.Length(0), vg.Length(0)
	for _, e := range t.Estimates {
		names = max(names, font.Width(text.Shorten(e.Name, maxEstimate)))
		figures = max(figures, font.Width(e.Text))
	}
	p := blank()
	lo, hi, scale, label := t.axis()
	dress(&p.X, lo, hi, scale)
	if scale == Log && hi/lo < 3 {
		p.X.Tick.Marker = plot.TickerFunc(linearTicks) // on an axis so short, whole digits are too few
	}
	data := listAxes(p, vgdraw.Crop(c, names+8, -figures-12, 0, 0), len(t.Estimates), 0.7, label)
	trX, trY := p.Transforms(&data)
	for _, m := range t.Marks {
		data.StrokeLine2(dashed(), trX(m), data.Min.Y, trX(m), data.Max.Y)
	}
	for i, e := range t.Estimates {
		y := trY(float64(len(t.Estimates) - 1 - i))
		data.StrokeLine2(vgdraw.LineStyle{Color: rule(), Width: 0.4}, data.Min.X, y, data.Max.X, y)
		if from, to := trX(e.Lo), trX(e.Hi); to-from > 2*rungDot {
			bracket(data, from, to, y)
		}
		coveringMarker(data, t.Groups[e.Group].Style, vg.Point{X: trX(e.Mid), Y: y}, rungDot, solid)
		center(c, font, vg.Point{X: data.Min.X - 6, Y: y}, text.Shorten(e.Name, maxEstimate))
		center(c, font, vg.Point{X: c.Max.X, Y: y}, e.Text)
	}
}
