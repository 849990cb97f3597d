package reports

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"zoobench/reports/findings"
)

// A forest shows the estimates that decide a finding, one under the other, with what they are held against.
type forest struct {
	findings.Finding
	where  string
	groups []string // each once, in the order in which they occur
	more   int      // estimates left out
}

// maxEstimates bounds a forest's lines.
const maxEstimates = 60

// maxEstimate bounds a name beside it, in runes.
const maxEstimate = 64

func forestName(id string) string { return "finding_" + id }

func newForest(f findings.Finding, where string) *forest {
	t := &forest{Finding: f, where: where}
	t.more = max(len(f.Plot.Estimates)-maxEstimates, 0)
	t.Plot.Estimates = t.Plot.Estimates[:len(f.Plot.Estimates)-t.more]
	for _, e := range t.Plot.Estimates {
		if !slices.Contains(t.groups, e.Group) {
			t.groups = append(t.groups, e.Group)
		}
	}
	return t
}

// style is a group's marker: what it says of the claim has a colour and a shape of its own.
func (t *forest) style(group string) style {
	colors, forms := palette(), shapes()
	switch group {
	case "as claimed":
		return style{colors[2], forms[0]}
	case "against the claim":
		return style{colors[1], forms[3]}
	case "unclear":
		return style{faintNRGBA(), forms[1]}
	}
	i := slices.Index(t.groups, group)
	return style{colors[i%len(colors)], forms[i%len(forms)]}
}

func (t *forest) figure() figure {
	f := figure{
		name: forestName(t.ID), title: clean(t.Text), finding: t.ID, width: pageWidth,
		subtitle: join(nonEmpty(string(t.Verdict), clean(t.Summary), t.where)),
	}
	if t.more > 0 {
		f.note = fmt.Sprintf("%d further estimates stand in report.html.", t.more)
	}
	intervals := false
	for _, group := range t.groups {
		s := t.style(group)
		f.keys = append(f.keys, key{text: group, sign: func(c draw.Canvas, at vg.Point) { marker(c, s, at, dot, solid) }})
	}
	for _, e := range t.Plot.Estimates {
		intervals = intervals || e.Hi > e.Lo
	}
	if intervals {
		f.keys = append(f.keys, key{text: "95 % interval", sign: func(c draw.Canvas, at vg.Point) { bracket(c, at.X-9, at.X+9, at.Y) }})
	}
	if len(t.Plot.Marks) > 0 {
		f.keys = append(f.keys, key{text: "held against", sign: func(c draw.Canvas, at vg.Point) { c.StrokeLine2(frontLine(), at.X-12, at.Y, at.X+12, at.Y) }})
	}
	lines := max(len(t.Plot.Estimates), len(f.keys)+1)
	f.height = rungHeight*vg.Length(lines) + 120 + 14*vg.Length(len(f.subtitle)/120) + 18*vg.Length(len(f.title)/90)
	f.body = func(c draw.Canvas, _ map[string]style) { t.draw(c) }
	return f
}

func (t *forest) draw(c draw.Canvas) {
	font := sans(9, ink())
	names, figures := vg.Length(0), vg.Length(0)
	texts := make([]string, len(t.Plot.Estimates))
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, e := range t.Plot.Estimates {
		d := digits(e.Mid)
		if !t.Plot.Log {
			d = min(d, 2) // percent and points of it
		}
		texts[i] = fixed(e.Mid, d)
		if e.Hi > e.Lo {
			texts[i] += " [" + fixed(e.Lo, d) + ", " + fixed(e.Hi, d) + "]"
		}
		names = max(names, font.Width(shorten(clean(e.Name), maxEstimate)))
		figures = max(figures, font.Width(texts[i]))
		lo, hi = min(lo, e.Lo), max(hi, e.Hi)
	}
	for _, m := range t.Plot.Marks {
		lo, hi = min(lo, m), max(hi, m)
	}
	log := t.Plot.Log && lo > 0
	label := t.Plot.What
	if log {
		label += ", log scale"
		room := max(math.Pow(hi/lo, 0.05), 1.05)
		if hi/lo < 1.3 {
			room = 1.2
		}
		lo, hi = lo/room, hi*room
	} else {
		room := max(0.06*(hi-lo), 0.5)
		lo, hi = lo-room, hi+room
	}
	p := plot.New()
	p.BackgroundColor = nil
	dress(&p.X, lo, hi, log)
	if log && hi/lo < 3 {
		p.X.Tick.Marker = plot.TickerFunc(linearTicks) // on an axis so short, whole digits are too few
	}
	p.Y.Min, p.Y.Max = -0.7, float64(len(t.Plot.Estimates))-0.3
	p.HideY()
	p.Y.Tick.Marker = plot.ConstantTicks(nil)
	p.Add(grid{})
	data := drawAxes(p, draw.Crop(c, names+8, -figures-12, 0, 0), label, "")
	trX, trY := p.Transforms(&data)
	for _, m := range t.Plot.Marks {
		data.StrokeLine2(frontLine(), trX(m), data.Min.Y, trX(m), data.Max.Y)
	}
	for i, e := range t.Plot.Estimates {
		y := trY(float64(len(t.Plot.Estimates) - 1 - i))
		data.StrokeLine2(draw.LineStyle{Color: rule(), Width: 0.4}, data.Min.X, y, data.Max.X, y)
		at := vg.Point{X: trX(e.Mid), Y: y}
		if from, to := trX(e.Lo), trX(e.Hi); to-from > 2*rungDot {
			bracket(data, from, to, y)
		}
		s := t.style(e.Group)
		data.SetColor(color.White)
		data.Fill(s.shape.path(at, rungDot))
		marker(data, s, at, rungDot, solid)
		font.XAlign = draw.XRight
		center(c, font, vg.Point{X: data.Min.X - 6, Y: y}, shorten(clean(e.Name), maxEstimate))
		center(c, font, vg.Point{X: c.Max.X, Y: y}, texts[i])
	}
}
