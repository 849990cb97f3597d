package reports

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A rung is one line of the latency ladder, in milliseconds.
type rung struct {
	name, family string
	p50, lo, hi  float64 // lo and hi are 0 where the samples carry no interval
	p90          float64 // 0 where the samples do not carry it
	suspect      bool
}

// A ladder shows the latency of networks one under the other.
type ladder struct {
	rungs  []rung
	xLabel string
}

// rungHeight is from one rung to the next, in points.
const rungHeight = 13.5

// rungDot is the radius of its marker.
const rungDot = 3.2

// figure makes the ladder a figure. There is at least one rung.
func (l *ladder) figure(name, title, subtitle, note string) figure {
	f := figure{
		name: name, title: title, subtitle: subtitle, note: note,
		width: pageWidth,
	}
	tails, suspect, intervals := false, false, false
	for _, r := range l.rungs {
		f.families = append(f.families, familyName(r.family))
		tails = tails || r.p90 > 0
		suspect = suspect || r.suspect
		intervals = intervals || l.visible(&r)
	}
	gray := style{color: faintNRGBA()}
	f.keys = append(f.keys, key{text: "median", sign: func(c draw.Canvas, at vg.Point) { marker(c, gray, at, rungDot, solid) }})
	if intervals {
		f.keys = append(f.keys, key{text: "95 % interval", sign: func(c draw.Canvas, at vg.Point) { bracket(c, at.X-9, at.X+9, at.Y) }})
	}
	if tails {
		f.keys = append(f.keys, key{text: "90th percentile", sign: func(c draw.Canvas, at vg.Point) { tail(c, gray, at.X-10, at.X+8, at.Y) }})
	}
	if suspect {
		f.keys = append(f.keys, key{text: "not valid", sign: func(c draw.Canvas, at vg.Point) { marker(c, gray, at, rungDot, crossed) }})
	}
	// The legend may need more lines than there are rungs.
	lines := max(len(l.rungs)+1, len(slices.Compact(slices.Sorted(slices.Values(f.families))))+len(f.keys)+1)
	f.height = rungHeight*vg.Length(lines) + 130 + 11*vg.Length(len(note)/150)
	f.body = l.draw
	return f
}

func (l *ladder) draw(c draw.Canvas, styles map[string]style) {
	font := sans(9, ink())
	heads := []string{"median", "95 % interval", "p90"}
	texts := make([][]string, len(l.rungs))
	wide := make([]vg.Length, len(heads)) // of the columns of figures
	names := vg.Length(0)
	for j, head := range heads {
		wide[j] = font.Width(head)
	}
	for i, r := range l.rungs {
		names = max(names, font.Width(shorten(r.name, maxRung)))
		texts[i] = r.figures()
		for j, txt := range texts[i] {
			wide[j] = max(wide[j], font.Width(txt))
		}
	}
	figures := vg.Length(0)
	for _, w := range wide {
		figures += w + 12
	}
	p := plot.New()
	p.BackgroundColor = nil
	lo, hi := l.ends()
	dress(&p.X, lo, hi, true)
	p.Y.Min, p.Y.Max = -0.5, float64(len(l.rungs))-0.5
	p.HideY()
	p.Y.Tick.Marker = plot.ConstantTicks(nil)
	p.Add(grid{})
	data := drawAxes(p, draw.Crop(c, names+8, -figures, 0, -rungHeight), l.xLabel, "")
	trX, trY := p.Transforms(&data)

	// column writes a line of the table of figures.
	column := func(y vg.Length, txt []string, s text.Style) {
		s.XAlign = draw.XRight
		x := data.Max.X
		for j := range txt {
			x += wide[j] + 12
			center(c, s, vg.Point{X: x, Y: y}, txt[j])
		}
	}
	small := sans(8.5, faint())
	column(data.Max.Y+rungHeight/2, heads, small)
	for i, r := range l.rungs {
		y := trY(float64(len(l.rungs) - 1 - i))
		st := styles[familyName(r.family)]
		data.StrokeLine2(draw.LineStyle{Color: rule(), Width: 0.4}, data.Min.X, y, data.Max.X, y)
		if r.p90 > 0 {
			tail(data, st, trX(r.p50), trX(r.p90), y)
		}
		if l.visible(&r) {
			bracket(data, trX(r.lo), trX(r.hi), y)
		}
		look := solid
		if r.suspect {
			look = crossed
		}
		at := vg.Point{X: trX(r.p50), Y: y}
		data.SetColor(color.White) // the tail must not shine through
		data.Fill(st.shape.path(at, rungDot))
		marker(data, st, at, rungDot, look)
		font.XAlign = draw.XRight
		center(c, font, vg.Point{X: data.Min.X - 6, Y: y}, shorten(r.name, maxRung))
		column(y, texts[i], font)
	}
}

// figures returns the rung's median, its interval and its 90th percentile as text.
func (r *rung) figures() []string {
	d := digits(r.p50)
	interval, p90 := "–", "–"
	if r.lo > 0 {
		interval = fixed(r.lo, d) + " to " + fixed(r.hi, d)
	}
	if r.p90 > 0 {
		p90 = fixed(r.p90, d)
	}
	return []string{fixed(r.p50, d), interval, p90}
}

// maxRung bounds a name beside the ladder, in runes.
const maxRung = 44

// ends returns the ends of the axis.
func (l *ladder) ends() (lo, hi float64) {
	lo, hi = math.Inf(1), 0
	for _, r := range l.rungs {
		lo = min(lo, r.p50)
		hi = max(hi, r.p50, r.p90, r.hi)
		if r.lo > 0 {
			lo = min(lo, r.lo)
		}
	}
	room := max(math.Pow(hi/lo, 0.03), 1.05)
	if hi/lo < 2 {
		room = 1.5
	}
	return lo / room, hi * room
}

// visible reports whether the rung's interval is wider than its marker: within it a
// bracket would only be dirt. The figures beside the ladder have it in any case.
func (l *ladder) visible(r *rung) bool {
	const width = 400 // of the data area, about
	lo, hi := l.ends()
	return r.lo > 0 && width*math.Log(r.hi/r.lo)/math.Log(hi/lo) > 2*dot
}

// bracket draws an interval with caps.
func bracket(c draw.Canvas, from, to, y vg.Length) {
	line := draw.LineStyle{Color: ink(), Width: 0.9}
	c.StrokeLine2(line, from, y, to, y)
	c.StrokeLine2(line, from, y-3, from, y+3)
	c.StrokeLine2(line, to, y-3, to, y+3)
}

// tail draws the way from the median to a high percentile.
func tail(c draw.Canvas, s style, from, to, y vg.Length) {
	line := draw.LineStyle{Color: s.color, Width: 1.6}
	c.StrokeLine2(line, from, y, to, y)
	c.StrokeLine2(line, to, y-3.5, to, y+3.5)
}

// settingsText names the settings that all of the rows share, for a subtitle.
func settingsText(rows []row) string {
	var parts []string
	for _, a := range axes()[:5] {
		if values := distinct(rows, a.value); len(values) == 1 {
			parts = append(parts, fmt.Sprintf(a.caption, values[0]))
		}
	}
	return join(parts)
}
