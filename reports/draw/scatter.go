package draw

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"zoobench/reports/text"
)

// A Point is one named thing in a scatter plot.
type Point struct {
	Name, Family string
	X, Y         float64
	XLo, XHi     float64 // 95 % interval, both X where there is none
	YLo, YHi     float64
	Area         float64 // of its bubble; points with more are drawn first
	Suspect      bool    // not to be trusted: crossed out, and on no front
	Hollow       bool    // its marker
	Ring         bool    // with a ring around its marker
}

// A Scatter plots points, more of Y being better.
type Scatter struct {
	Points         []Point
	XLabel, YLabel string
	X, Y           Scale // across Log or Years, up Log or Percent

	// Texts of the legend, empty for what the plot does not have.
	Hollow   string // what hollow markers are
	Bubbles  string // what a marker's area is, in millions
	Front    string // what the line is through the points than which no other has both less of X and more of Y
	Joined   string // what the lines are between the pairs of Joins
	RingText string

	Joins [][2]string // names

	Limit     float64 // across, drawn as a line; 0 for none
	LimitText string

	// Styles are the families' in place of their own, for plots that share them. The legend then leaves the families out:
	// the points' names say them.
	Styles map[string]Style
}

// Sizes of markers in points.
const (
	maxBubble = 20.0 // radius of the point with the largest area
	minBubble = 1.8
)

// crowd is how many points are all labelled; of more, only those with room beside them.
const crowd = 70

// maxLabel bounds a point's label, in runes.
const maxLabel = 30

// Crowded reports whether labels may be left out for want of room.
func (s *Scatter) Crowded() bool { return len(s.Points) > crowd }

// Figure makes the scatter a figure. There is at least one point.
func (s *Scatter) Figure(c Caption) Figure {
	shown := *s
	if s.X == Years {
		shown.Points = spread(s.Points)
	}
	f := Figure{Caption: c, Width: pageWidth, Height: pageHeight, look: s.look()}
	most, suspect := 0.0, false
	for _, p := range s.Points {
		if s.Styles == nil {
			f.families = append(f.families, familyName(p.Family))
		}
		most = max(most, p.Area)
		suspect = suspect || p.Suspect
	}
	if s.Bubbles != "" {
		f.keys = append(f.keys, key{text: s.Bubbles})
		for _, area := range sizes(most) {
			r := bubble(area, most)
			f.keys = append(f.keys, key{text: fmt.Sprintf("%g M", area/1e6), high: 2 * r, sign: markerSign(gray(), r, s.look())})
		}
	}
	if s.Hollow != "" {
		f.keys = append(f.keys, key{text: s.Hollow, sign: markerSign(gray(), dot, hollow)})
	}
	if suspect {
		f.keys = append(f.keys, suspectKey(dot))
	}
	if len(shown.front()) >= 2 {
		f.keys = append(f.keys, key{text: s.Front, sign: lineSign(dashed())})
	}
	if len(s.Joins) > 0 {
		f.keys = append(f.keys, key{text: s.Joined, sign: lineSign(joinLine())})
	}
	if s.Limit > 0 {
		f.keys = append(f.keys, key{text: s.LimitText, sign: lineSign(limitLine())})
	}
	if slices.ContainsFunc(s.Points, func(p Point) bool { return p.Ring }) {
		f.keys = append(f.keys, ringKey(s.RingText))
	}
	f.body = func(c vgdraw.Canvas, styles map[string]Style) {
		if s.Styles != nil {
			styles = s.Styles
		}
		shown.draw(c, styles, most)
	}
	return f
}

// look is that of the points in the legend: hollow where all of them are.
func (s *Scatter) look() look {
	if slices.ContainsFunc(s.Points, func(p Point) bool { return !p.Hollow }) {
		return solid
	}
	return hollow
}

// look is that of a point's marker.
func (p *Point) look() look {
	if p.Hollow {
		return lookOf(p.Suspect, hollow)
	}
	return lookOf(p.Suspect, solid)
}

// familyName returns the family as the legend names it.
func familyName(family string) string { return cmp.Or(family, "no family") }

// sizes returns the areas that explain the bubbles, least first.
func sizes(most float64) []float64 {
	var some []float64
	for _, v := range []float64{1e6, 5e6, 25e6, 100e6, 400e6, 1.6e9} {
		if v <= most*1.2 {
			some = append(some, v)
		}
	}
	return some[max(len(some)-3, 0):]
}

// bubble returns the radius of a point's bubble.
func bubble(area, most float64) vg.Length {
	if area <= 0 || most <= 0 {
		return minBubble
	}
	return vg.Length(max(maxBubble*math.Sqrt(area/most), minBubble))
}

func limitLine() vgdraw.LineStyle { return vgdraw.LineStyle{Color: ink(), Width: 1.4} }

func joinLine() vgdraw.LineStyle { return vgdraw.LineStyle{Color: Palette()[1], Width: 1.1} }

// A spot is where a point is drawn.
type spot struct {
	Point
	style Style
	r     vg.Length
	label target
}

func (s *Scatter) draw(c vgdraw.Canvas, styles map[string]Style, most float64) {
	p := blank()
	xLo, xHi, yLo, yHi := s.ranges()
	dress(&p.X, xLo, xHi, s.X)
	dress(&p.Y, yLo, yHi, s.Y)
	c = drawAxes(p, c, s.XLabel, s.YLabel)
	trX, trY := p.Transforms(&c)
	at := func(x, y float64) vg.Point { return vg.Point{X: trX(x), Y: trY(y)} }

	spots := s.spots(styles, most, at)
	bars := drawBars(c, spots, at) // what labels had better not cross
	if s.Limit > 0 {
		x := trX(s.Limit)
		c.StrokeLine2(limitLine(), x, c.Min.Y, x, c.Max.Y)
		bars = append(bars, segment{vg.Point{X: x, Y: c.Min.Y}, vg.Point{X: x, Y: c.Max.Y}})
	}
	front := s.front()
	bars = append(bars, drawFront(c, front, at)...)
	bars = append(bars, s.drawJoins(c, spots)...)
	for _, q := range spots {
		marker(c, q.style, q.label.at, q.r, q.look())
		if q.Ring {
			ring(c, q.label.at)
		}
	}
	s.drawLabels(c, spots, bars, front)
}

// spots places the points, those with big bubbles first, so that small ones are not hidden.
func (s *Scatter) spots(styles map[string]Style, most float64, at func(x, y float64) vg.Point) []spot {
	points := slices.Clone(s.Points)
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(b.Area, a.Area) })
	font := sans(8, ink())
	spots := make([]spot, len(points))
	for i, q := range points {
		style, r := styles[familyName(q.Family)], vg.Length(dot)
		if s.Bubbles != "" {
			r = bubble(q.Area, most)
		}
		half := style.Shape.radius(r)
		if q.Ring {
			half = max(half, ringRadius)
		}
		spots[i] = spot{Point: q, style: style, r: r, label: target{
			at: at(q.X, q.Y), half: half,
			width: font.Width(text.Shorten(q.Name, maxLabel)), height: font.FontExtents().Height * 0.86,
		}}
	}
	return spots
}

// drawBars draws the points' intervals and returns the lines.
func drawBars(c vgdraw.Canvas, spots []spot, at func(x, y float64) vg.Point) (bars []segment) {
	for _, q := range spots {
		pale := q.style.Color
		pale.A = 0x90
		for _, bar := range []segment{{at(q.X, q.YLo), at(q.X, q.YHi)}, {at(q.XLo, q.Y), at(q.XHi, q.Y)}} {
			// A bar that its marker hides would only look like dirt on it.
			if bar.length() > 2*q.r {
				c.StrokeLine2(vgdraw.LineStyle{Color: pale, Width: 0.9}, bar.from.X, bar.from.Y, bar.to.X, bar.to.Y)
				bars = append(bars, bar)
			}
		}
	}
	return bars
}

// drawFront joins the points of the front and returns the lines. They are steps, not slopes: there is no point in
// between.
func drawFront(c vgdraw.Canvas, front []Point, at func(x, y float64) vg.Point) (lines []segment) {
	for i := 1; i < len(front); i++ {
		a, b := front[i-1], front[i]
		from, corner, to := at(a.X, a.Y), at(b.X, a.Y), at(b.X, b.Y)
		c.StrokeLines(dashed(), []vg.Point{from, corner, to})
		lines = append(lines, segment{from, corner}, segment{corner, to})
	}
	return lines
}

// drawJoins draws a line between the points of each pair that are both there, and returns the lines.
func (s *Scatter) drawJoins(c vgdraw.Canvas, spots []spot) (lines []segment) {
	for _, pair := range s.Joins {
		i := slices.IndexFunc(spots, func(q spot) bool { return q.Name == pair[0] })
		j := slices.IndexFunc(spots, func(q spot) bool { return q.Name == pair[1] })
		if i >= 0 && j >= 0 {
			a, b := spots[i].label.at, spots[j].label.at
			c.StrokeLine2(joinLine(), a.X, a.Y, b.X, b.Y)
			lines = append(lines, segment{a, b})
		}
	}
	return lines
}

// drawLabels writes the names of the points beside them, those on the front first, with a line from a name that had
// to move away.
func (s *Scatter) drawLabels(c vgdraw.Canvas, spots []spot, bars []segment, front []Point) {
	last := func(q spot) int {
		if slices.ContainsFunc(front, func(p Point) bool { return p.Name == q.Name }) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(spots, func(a, b spot) int { return cmp.Compare(last(a), last(b)) })
	targets := make([]target, len(spots))
	for i, q := range spots {
		targets[i] = q.label
	}
	reach := labelSteps
	if s.Crowded() {
		reach = 1
	}
	font := sans(8, ink())
	for i, label := range place(targets, bars, c.Rectangle, reach) {
		if !label.ok {
			continue
		}
		marker := targets[i]
		end := nearest(label.box, marker.at)
		dx, dy := float64(end.X-marker.at.X), float64(end.Y-marker.at.Y)
		if length := math.Hypot(dx, dy); vg.Length(length) > marker.half+labelStep {
			start := float64(marker.half) / length
			c.StrokeLine2(vgdraw.LineStyle{Color: faint(), Width: 0.4},
				marker.at.X+vg.Length(dx*start), marker.at.Y+vg.Length(dy*start), end.X, end.Y)
		}
		c.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xb0})
		c.Fill(label.box.Path())
		center(c, font, vg.Point{X: label.box.Min.X, Y: (label.box.Min.Y + label.box.Max.Y) / 2}, text.Shorten(spots[i].Name, maxLabel))
	}
}

// ranges returns the axes' ends: some room around the points and their intervals.
func (s *Scatter) ranges() (xLo, xHi, yLo, yHi float64) {
	xLo, xHi, yLo, yHi = math.Inf(1), 0, math.Inf(1), math.Inf(-1)
	for _, p := range s.Points {
		xLo, xHi = min(xLo, p.XLo), max(xHi, p.XHi)
		yLo, yHi = min(yLo, p.YLo), max(yHi, p.YHi)
	}
	if s.Limit > 0 {
		xLo, xHi = min(xLo, s.Limit), max(xHi, s.Limit)
	}
	if s.X == Years {
		xLo, xHi = math.Floor(xLo)-0.6, math.Ceil(xHi)+0.6
	} else {
		room := math.Pow(xHi/xLo, 0.07) // of the axis's length on either side
		if xHi/xLo < 2 {
			room = 2
		}
		xLo, xHi = xLo/room, xHi*room
	}
	if s.Y == Percent {
		pad := max(0.07*(yHi-yLo), 1)
		yLo, yHi = max(yLo-pad, 0), min(yHi+pad, 100)
	} else {
		room := max(math.Pow(yHi/yLo, 0.07), 1.1)
		yLo, yHi = yLo/room, yHi*room
	}
	return xLo, xHi, yLo, yHi
}

// front returns the points than which no other has both less of X and more of Y, by X. Points that are not to be trusted
// are on no front.
func (s *Scatter) front() []Point {
	if s.Front == "" {
		return nil
	}
	points := slices.DeleteFunc(slices.Clone(s.Points), func(p Point) bool { return p.Suspect })
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(b.Y, a.Y)) })
	var front []Point
	best := math.Inf(-1)
	for _, p := range points {
		if p.Y > best {
			front, best = append(front, p), p.Y
		}
	}
	return front
}

// spread puts points of one year side by side, the one with the most of Y first.
func spread(points []Point) []Point {
	points = slices.Clone(points)
	byYear := map[float64][]*Point{}
	for i := range points {
		byYear[points[i].X] = append(byYear[points[i].X], &points[i])
	}
	for year, some := range byYear {
		slices.SortStableFunc(some, func(a, b *Point) int { return cmp.Compare(b.Y, a.Y) })
		for i, q := range some {
			q.X = year + 0.7*(float64(i)+0.5)/float64(len(some)) - 0.35
			q.XLo, q.XHi = q.X, q.X
		}
	}
	return points
}
