package reports

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A point is one network in a scatter plot.
type point struct {
	name, family string
	model, tag   string // of which the name is made, see nameAll
	size         int
	x, y         float64
	year         int     // 0 where it is not known
	xLo, xHi     float64 // 95 % interval, both x where there is none
	yLo, yHi     float64
	params       float64 // drawn as area where the scatter has bubbles
	suspect      bool    // a measurement that is not to be trusted
}

// A scatter plots accuracy, or a cost, against a cost on a logarithmic axis, or against years on a linear one.
type scatter struct {
	points         []point
	xLabel, yLabel string
	bubbles        bool
	look           look        // of the points that are to be trusted
	years          bool        // x is years
	costs          bool        // y is a cost too, on a logarithmic axis; there is no front then
	joined         [][2]string // pairs of models between which a line is drawn
}

// Sizes of markers in points.
const (
	dot       = 4.2
	maxBubble = 20.0 // radius of the network with the most parameters
	minBubble = 1.8
	crowd     = 70 // points; more of them are labelled only where there is room beside them
)

// figure makes the scatter a figure. There is at least one point.
func (s *scatter) figure(name, title, subtitle, note string) figure {
	f := figure{name: name, title: title, subtitle: subtitle, note: note, width: pageWidth, height: pageHeight, look: s.look}
	if len(s.points) > crowd {
		f.note = strings.TrimSpace(f.note + " Names are left out where there is no room; report.md has every row.")
	}
	most, suspect := 0.0, false
	for _, p := range s.points {
		f.families = append(f.families, familyName(p.family))
		most = max(most, p.params)
		suspect = suspect || p.suspect
	}
	gray := style{color: faintNRGBA()}
	if s.bubbles {
		f.keys = append(f.keys, key{text: "area: parameters", sign: func(draw.Canvas, vg.Point) {}})
		for _, params := range sizes(most) {
			r := bubble(params, most)
			f.keys = append(f.keys, key{
				text: fmt.Sprintf("%g M", params/1e6), high: 2 * r,
				sign: func(c draw.Canvas, at vg.Point) { marker(c, gray, at, r, s.look) },
			})
		}
	}
	if s.look == hollow {
		f.keys = append(f.keys, key{text: "published, not", sign: func(c draw.Canvas, at vg.Point) { marker(c, gray, at, dot, hollow) }},
			key{text: "measured here", sign: func(draw.Canvas, vg.Point) {}})
	}
	if suspect {
		f.keys = append(f.keys, key{text: "not valid", sign: func(c draw.Canvas, at vg.Point) { marker(c, gray, at, dot, crossed) }})
	}
	if text := s.frontText(); text != "" {
		f.keys = append(f.keys, key{text: text, sign: func(c draw.Canvas, at vg.Point) {
			c.StrokeLine2(frontLine(), at.X-12, at.Y, at.X+12, at.Y)
		}})
	}
	if len(s.joined) > 0 {
		f.keys = append(f.keys, key{text: "fewer MACs,", sign: func(c draw.Canvas, at vg.Point) {
			c.StrokeLine2(joinLine(), at.X-12, at.Y, at.X+12, at.Y)
		}}, key{text: "more time", sign: func(draw.Canvas, vg.Point) {}})
	}
	f.body = func(c draw.Canvas, styles map[string]style) { s.draw(c, styles, most) }
	return f
}

// frontText names the front in the legend, "" where there is none.
func (s *scatter) frontText() string {
	switch {
	case len(s.front()) < 2:
		return ""
	case s.years:
		return "best so far"
	}
	return "Pareto front"
}

// familyName returns the family as the legend names it.
func familyName(family string) string { return cmp.Or(family, "no family") }

// sizes returns the parameter counts that explain the bubbles, least first.
func sizes(most float64) []float64 {
	var some []float64
	for _, v := range []float64{1e6, 5e6, 25e6, 100e6, 400e6, 1.6e9} {
		if v <= most*1.2 {
			some = append(some, v)
		}
	}
	return some[max(len(some)-3, 0):]
}

// bubble returns the radius of a network with params parameters; areas are in proportion.
func bubble(params, most float64) vg.Length {
	if params <= 0 || most <= 0 {
		return minBubble
	}
	return vg.Length(max(maxBubble*math.Sqrt(params/most), minBubble))
}

func frontLine() draw.LineStyle {
	return draw.LineStyle{Color: faint(), Width: 0.8, Dashes: []vg.Length{4, 3}}
}

func joinLine() draw.LineStyle { return draw.LineStyle{Color: palette()[1], Width: 1.1} }

func (s *scatter) draw(c draw.Canvas, styles map[string]style, most float64) {
	p := plot.New()
	p.BackgroundColor = nil
	xLo, xHi, yLo, yHi := s.ranges()
	dress(&p.X, xLo, xHi, !s.years)
	dress(&p.Y, yLo, yHi, s.costs)
	if s.years {
		p.X.Tick.Marker = plot.TickerFunc(yearTicks)
	}
	p.Add(grid{})
	c = drawAxes(p, c, s.xLabel, s.yLabel)
	trX, trY := p.Transforms(&c)

	points := slices.Clone(s.points)
	// Big bubbles first, so that small ones are not hidden.
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(b.params, a.params) })
	targets, radii := make([]target, len(points)), make([]vg.Length, len(points))
	var bars []segment // what labels had better not cross
	font := sans(8, ink())
	for i, q := range points {
		st := styles[familyName(q.family)]
		r := vg.Length(dot)
		if s.bubbles {
			r = bubble(q.params, most)
		}
		radii[i] = r
		targets[i] = target{
			at: vg.Point{X: trX(q.x), Y: trY(q.y)}, half: st.shape.radius(r),
			width: font.Width(shorten(q.name, 30)), height: font.FontExtents().Height * 0.86,
		}
		pale := st.color
		pale.A = 0x90
		line := draw.LineStyle{Color: pale, Width: 0.9}
		for _, bar := range []segment{
			{vg.Point{X: trX(q.x), Y: trY(q.yLo)}, vg.Point{X: trX(q.x), Y: trY(q.yHi)}},
			{vg.Point{X: trX(q.xLo), Y: trY(q.y)}, vg.Point{X: trX(q.xHi), Y: trY(q.y)}},
		} {
			// A bar that its marker hides would only look like dirt on it.
			if bar.length() > 2*r {
				c.StrokeLine2(line, bar.from.X, bar.from.Y, bar.to.X, bar.to.Y)
				bars = append(bars, bar)
			}
		}
	}
	front := s.front()
	for i := 1; i < len(front); i++ {
		a, b := front[i-1], front[i]
		// A step, not a slope: there is no network in between.
		corner := vg.Point{X: trX(b.x), Y: trY(a.y)}
		from, to := vg.Point{X: trX(a.x), Y: corner.Y}, vg.Point{X: corner.X, Y: trY(b.y)}
		c.StrokeLines(frontLine(), []vg.Point{from, corner, to})
		bars = append(bars, segment{from, corner}, segment{corner, to})
	}
	for _, pair := range s.joined {
		i := slices.IndexFunc(points, func(q point) bool { return q.model == pair[0] })
		j := slices.IndexFunc(points, func(q point) bool { return q.model == pair[1] })
		if i >= 0 && j >= 0 {
			a, b := targets[i].at, targets[j].at
			c.StrokeLine2(joinLine(), a.X, a.Y, b.X, b.Y)
			bars = append(bars, segment{a, b})
		}
	}
	for i, q := range points {
		l := s.look
		if q.suspect {
			l = crossed
		}
		marker(c, styles[familyName(q.family)], targets[i].at, radii[i], l)
	}
	s.label(c, points, targets, bars, front)
}

// label writes the names of the points beside them, those on the front first, with a
// line from a name that had to move away.
func (s *scatter) label(c draw.Canvas, points []point, targets []target, bars []segment, front []point) {
	first := map[string]bool{}
	for _, q := range front {
		first[q.name] = true
	}
	index := make([]int, len(points))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int {
		switch fa, fb := first[points[a].name], first[points[b].name]; {
		case fa == fb:
			return 0
		case fa:
			return -1
		}
		return 1
	})
	ordered := make([]target, len(index))
	for i, j := range index {
		ordered[i] = targets[j]
	}
	reach := labelSteps
	if len(points) > crowd {
		reach = 1
	}
	font := sans(8, ink())
	for i, at := range place(ordered, bars, c.Rectangle, reach) {
		if !at.ok {
			continue
		}
		end := nearest(at.box, ordered[i].at)
		dx, dy := float64(end.X-ordered[i].at.X), float64(end.Y-ordered[i].at.Y)
		if length := math.Hypot(dx, dy); vg.Length(length) > ordered[i].half+labelStep {
			start := float64(ordered[i].half) / length
			c.StrokeLine2(draw.LineStyle{Color: faint(), Width: 0.4},
				ordered[i].at.X+vg.Length(dx*start), ordered[i].at.Y+vg.Length(dy*start), end.X, end.Y)
		}
		c.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xb0})
		c.Fill(at.box.Path())
		center(c, font, vg.Point{X: at.box.Min.X, Y: (at.box.Min.Y + at.box.Max.Y) / 2}, shorten(points[index[i]].name, 30))
	}
}

// ranges returns the axes' ends: some room around the points and their intervals.
func (s *scatter) ranges() (xLo, xHi, yLo, yHi float64) {
	xLo, xHi, yLo, yHi = math.Inf(1), 0, math.Inf(1), math.Inf(-1)
	for _, p := range s.points {
		xLo, xHi = min(xLo, p.xLo), max(xHi, p.xHi)
		yLo, yHi = min(yLo, p.yLo), max(yHi, p.yHi)
	}
	room := math.Pow(xHi/xLo, 0.07) // of the axis's length on either side
	if xHi/xLo < 2 {
		room = 2
	}
	if s.costs {
		above := max(math.Pow(yHi/yLo, 0.07), 1.1)
		return xLo / room, xHi * room, yLo / above, yHi * above
	}
	pad := max(0.07*(yHi-yLo), 1)
	if s.years {
		return math.Floor(xLo) - 0.6, math.Ceil(xHi) + 0.6, max(yLo-pad, 0), min(yHi+pad, 100)
	}
	return xLo / room, xHi * room, max(yLo-pad, 0), min(yHi+pad, 100)
}

// front returns the points than which no other is both cheaper and more accurate, by
// cost. Points that are not to be trusted are on no front.
func (s *scatter) front() []point {
	if s.costs {
		return nil
	}
	points := slices.DeleteFunc(slices.Clone(s.points), func(p point) bool { return p.suspect })
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(b.y, a.y)) })
	var front []point
	best := math.Inf(-1)
	for _, p := range points {
		if p.y > best {
			front, best = append(front, p), p.y
		}
	}
	return front
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

// spread puts points of one year side by side, the most accurate first.
func spread(points []point) {
	byYear := map[float64][]*point{}
	for i := range points {
		byYear[points[i].x] = append(byYear[points[i].x], &points[i])
	}
	for year, some := range byYear {
		slices.SortStableFunc(some, func(a, b *point) int { return cmp.Compare(b.y, a.y) })
		for i, q := range some {
			q.x = year + 0.7*(float64(i)+0.5)/float64(len(some)) - 0.35
			q.xLo, q.xHi = q.x, q.x
		}
	}
}

// A grid draws a faint line at each labelled tick.
type grid struct{}

// Plot implements plot.Plotter.
func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	line := draw.LineStyle{Color: rule(), Width: 0.6}
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
