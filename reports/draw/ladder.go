package draw

import (
	"math"

	vgtext "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"zoobench/reports/text"
)

// A Rung is one line of a ladder: the middle of a distribution with its interval and its tail.
type Rung struct {
	Name, Family string
	Mid, Lo, Hi  float64  // Lo and Hi are 0 where there is no interval
	Tail         float64  // a high percentile, 0 where there is none
	Cells        []string // the figures beside it, one for each of the ladder's heads
	Suspect      bool     // not to be trusted: crossed out
}

// A Ladder shows distributions one under the other, on a logarithmic axis.
type Ladder struct {
	Rungs             []Rung
	Heads             []string // of the figures beside it
	XLabel            string
	MidText, TailText string // what Mid and Tail are, for the legend
}

// rungHeight is from one line of a list to the next, in points.
const rungHeight = 13.5

// rungDot is the radius of a marker in a list.
const rungDot = 3.2

// Figure makes the ladder a figure. There is at least one rung.
func (l *Ladder) Figure(c Caption) Figure {
	f := Figure{Caption: c, Width: pageWidth}
	tails, suspect, intervals := false, false, false
	for _, r := range l.Rungs {
		f.families = append(f.families, familyName(r.Family))
		tails = tails || r.Tail > 0
		suspect = suspect || r.Suspect
		intervals = intervals || l.visible(&r)
	}
	f.keys = append(f.keys, key{text: l.MidText, sign: markerSign(gray(), rungDot, solid)})
	if intervals {
		f.keys = append(f.keys, intervalKey())
	}
	if tails {
		sign := func(c vgdraw.Canvas, at vg.Point) { tail(c, gray(), at.X-10, at.X+8, at.Y) }
		f.keys = append(f.keys, key{text: l.TailText, sign: sign})
	}
	if suspect {
		f.keys = append(f.keys, suspectKey(rungDot))
	}
	lines := max(len(l.Rungs), f.legendLines()) + 1
	f.Height = rungHeight*vg.Length(lines) + 130 + 11*vg.Length(len(c.Note)/150)
	f.body = l.draw
	return f
}

func (l *Ladder) draw(c vgdraw.Canvas, styles map[string]Style) {
	font := sans(9, ink())
	font.XAlign = vgdraw.XRight
	wide := make([]vg.Length, len(l.Heads)) // of the columns of figures
	names, figures := vg.Length(0), vg.Length(0)
	for j, head := range l.Heads {
		wide[j] = font.Width(head)
		for _, r := range l.Rungs {
			wide[j] = max(wide[j], font.Width(r.Cells[j]))
		}
		figures += wide[j] + 12
	}
	for _, r := range l.Rungs {
		names = max(names, font.Width(text.Shorten(r.Name, maxName)))
	}
	p := blank()
	lo, hi := l.ends()
	dress(&p.X, lo, hi, Log)
	data := listAxes(p, vgdraw.Crop(c, names+8, -figures, 0, -rungHeight), len(l.Rungs), 0.5, l.XLabel)
	trX, trY := p.Transforms(&data)

	// column writes a line of the table of figures.
	column := func(y vg.Length, txt []string, s vgtext.Style) {
		x := data.Max.X
		for j := range txt {
			x += wide[j] + 12
			center(c, s, vg.Point{X: x, Y: y}, txt[j])
		}
	}
	small := sans(8.5, faint())
	small.XAlign = vgdraw.XRight
	column(data.Max.Y+rungHeight/2, l.Heads, small)
	for i, r := range l.Rungs {
		y := trY(float64(len(l.Rungs) - 1 - i))
		style := styles[familyName(r.Family)]
		data.StrokeLine2(vgdraw.LineStyle{Color: rule(), Width: 0.4}, data.Min.X, y, data.Max.X, y)
		if r.Tail > 0 {
			tail(data, style, trX(r.Mid), trX(r.Tail), y)
		}
		if l.visible(&r) {
			bracket(data, trX(r.Lo), trX(r.Hi), y)
		}
		coveringMarker(data, style, vg.Point{X: trX(r.Mid), Y: y}, rungDot, lookOf(r.Suspect, solid))
		center(c, font, vg.Point{X: data.Min.X - 6, Y: y}, text.Shorten(r.Name, maxName))
		column(y, r.Cells, font)
	}
}

// ends returns the ends of the axis.
func (l *Ladder) ends() (lo, hi float64) {
	lo, hi = math.Inf(1), 0
	for _, r := range l.Rungs {
		lo = min(lo, r.Mid)
		hi = max(hi, r.Mid, r.Tail, r.Hi)
		if r.Lo > 0 {
			lo = min(lo, r.Lo)
		}
	}
	room := max(math.Pow(hi/lo, 0.03), 1.05)
	if hi/lo < 2 {
		room = 1.5
	}
	return lo / room, hi * room
}

// visible reports whether the rung's interval is wider than its marker: within it a bracket would only be dirt. The
// figures beside the ladder have it in any case.
func (l *Ladder) visible(r *Rung) bool {
	const width = 400 // of the data area, about
	lo, hi := l.ends()
	return r.Lo > 0 && width*math.Log(r.Hi/r.Lo)/math.Log(hi/lo) > 2*dot
}
