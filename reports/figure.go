package reports

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A figure is one plot: a heading, a data area with a legend beside it, and a note
// beneath that says what is not in it.
type figure struct {
	name          string // of its files, without extension
	title         string
	subtitle      string
	note          string
	finding       string // the claim that it shows, "" for none
	width, height vg.Length
	families      []string
	look          look  // of the families' markers in the legend
	keys          []key // the legend beneath the families
	body          func(c draw.Canvas, styles map[string]style)
}

// A key is a line of the legend: what draws its sign, and its text.
type key struct {
	text string
	sign func(c draw.Canvas, at vg.Point)
	high vg.Length // height of the sign, 0 for a line of text
}

// Sizes in points and pixels: a page wide, and readable on a screen.
const (
	pageWidth  = 820
	pageHeight = 590
	pngDPI     = 144
	edge       = 14 // around everything
	signWidth  = 30 // of the legend's signs
)

func ink() color.Color   { return color.Gray{0x20} }
func faint() color.Color { return color.Gray{0x60} }
func rule() color.Color  { return color.Gray{0xe2} }

// sans returns a style for sans-serif text.
func sans(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		XAlign:  draw.XLeft,
		YAlign:  draw.YTop,
		Handler: plot.DefaultTextHandler,
	}
}

func bold(size vg.Length) text.Style {
	s := sans(size, ink())
	s.Font.Weight = xfont.WeightBold
	return s
}

// draw puts the figure onto c.
func (f *figure) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, edge, -edge, edge, -edge)
	c = writeDown(c, bold(15), f.title, 3)
	c = writeDown(c, sans(10.5, faint()), f.subtitle, 12)
	if f.note != "" {
		c = writeUp(c, sans(8.5, faint()), f.note)
	}
	styles := stylesOf(f.families)
	c = f.legend(c, styles)
	f.body(c, styles)
}

// center writes txt with the middle of its small letters at the height of at; the font's
// own middle lies lower.
func center(c draw.Canvas, s text.Style, at vg.Point, txt string) {
	s.YAlign = draw.YCenter
	at.Y += 0.13 * s.Font.Size
	c.FillText(s, at, txt)
}

// writeDown writes a paragraph along the top of c and returns what is left of c.
func writeDown(c draw.Canvas, s text.Style, txt string, below vg.Length) draw.Canvas {
	for _, line := range fold(s, txt, c.Max.X-c.Min.X) {
		c.FillText(s, vg.Point{X: c.Min.X, Y: c.Max.Y}, line)
		c.Max.Y -= s.FontExtents().Height
	}
	c.Max.Y -= below
	return c
}

// writeUp writes a paragraph along the bottom of c and returns what is left of c.
func writeUp(c draw.Canvas, s text.Style, txt string) draw.Canvas {
	lines := fold(s, txt, c.Max.X-c.Min.X)
	high := s.FontExtents().Height
	for i, line := range lines {
		c.FillText(s, vg.Point{X: c.Min.X, Y: c.Min.Y + high*vg.Length(len(lines)-i)}, line)
	}
	c.Min.Y += high*vg.Length(len(lines)) + 8
	return c
}

// legend draws the families that occur and the keys along the right of c and returns
// what is left of c.
func (f *figure) legend(c draw.Canvas, styles map[string]style) draw.Canvas {
	s := sans(9.5, ink())
	names := slices.Sorted(slices.Values(f.families))
	names = slices.Compact(names)
	wide := vg.Length(0)
	for _, name := range names {
		wide = max(wide, s.Width(shorten(name, maxFamily)))
	}
	for _, k := range f.keys {
		wide = max(wide, s.Width(k.text))
	}
	if wide == 0 {
		return c
	}
	line := s.FontExtents().Height + 2.5
	left := c.Max.X - wide - signWidth - 4
	y := c.Max.Y - line/2
	write := func(txt string, high vg.Length, sign func(draw.Canvas, vg.Point)) {
		step := max(line, high+3)
		if y-step/2 < c.Min.Y {
			return // no room: the points are labelled by name anyway
		}
		y -= (step - line) / 2
		sign(c, vg.Point{X: left + signWidth/2, Y: y})
		center(c, s, vg.Point{X: left + signWidth + 4, Y: y}, txt)
		y -= (step + line) / 2
	}
	for _, name := range names {
		write(shorten(name, maxFamily), 0, func(c draw.Canvas, at vg.Point) { marker(c, styles[name], at, dot, f.look) })
	}
	y -= line / 2
	for _, k := range f.keys {
		write(k.text, k.high, k.sign)
	}
	c.Max.X = left - 14
	return c
}

// maxFamily bounds a family's name in the legend, in runes.
const maxFamily = 20

// A look is how a marker is filled: measured ones are, published ones are not, those not
// to be trusted are crossed out.
type look int

const (
	solid look = iota
	hollow
	crossed
)

// marker draws a family's marker with the area of a circle of radius r.
func marker(c draw.Canvas, s style, at vg.Point, r vg.Length, l look) {
	outline := s.shape.path(at, r)
	fill := s.color
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
	c.SetLineStyle(draw.LineStyle{Color: s.color, Width: 1.1})
	c.Stroke(outline)
	if l == crossed {
		d := min(r, 4) * 0.8
		c.StrokeLine2(draw.LineStyle{Color: ink(), Width: 0.9}, at.X-d, at.Y-d, at.X+d, at.Y+d)
		c.StrokeLine2(draw.LineStyle{Color: ink(), Width: 0.9}, at.X-d, at.Y+d, at.X+d, at.Y-d)
	}
}

// svg writes the figure as SVG. Fonts are named with fallbacks of the same metrics, not
// embedded.
func (f *figure) svg(w io.Writer) error {
	c := vgsvg.New(f.width, f.height)
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	// A title is what a screen reader says.
	head, body, _ := strings.Cut(b.String(), ">\n<g")
	body = strings.ReplaceAll(body, "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arimo,Arial,Helvetica,sans-serif;")
	_, err := fmt.Fprintf(w, "%s>\n<title>%s</title>\n<g%s", head, html.EscapeString(f.title), body)
	return err
}

// png writes the figure as PNG.
func (f *figure) png(w io.Writer) error {
	c := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(pngDPI))
	f.draw(draw.New(c))
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// fold breaks txt at blanks to lines no wider than width.
func fold(s text.Style, txt string, width vg.Length) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(txt) {
		longer := line + " " + word
		if line == "" {
			longer = word
		}
		if line != "" && s.Width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// logTicks marks 1, 2 and 5 of each decade, fewer or more where the axis is long or
// short, and the other whole digits without a label.
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
			// A quotient of whole powers is the decimal number itself, a product of
			// their inverses is not.
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

// drawAxes draws p's axes with their labels and returns the data area. The labels are not
// left to p: on a logarithmic axis p reserves their room in the wrong place.
func drawAxes(p *plot.Plot, c draw.Canvas, xLabel, yLabel string) draw.Canvas {
	s := axisText()
	high := s.FontExtents().Height
	left := vg.Length(0)
	if yLabel != "" {
		left = high + 6
	}
	area := draw.Crop(c, left, 0, high+2, 0)
	p.Draw(area)
	data := p.DataCanvas(area)
	c.FillText(s, vg.Point{X: data.Center().X, Y: c.Min.Y}, xLabel)
	if yLabel != "" {
		s.Rotation, s.YAlign = math.Pi/2, draw.YTop
		c.FillText(s, vg.Point{X: c.Min.X, Y: data.Center().Y}, yLabel)
	}
	return data
}

func axisText() text.Style {
	s := sans(10.5, ink())
	s.XAlign, s.YAlign = draw.XCenter, draw.YBottom
	return s
}

// dress gives an axis its range, its scale and the look of every figure.
func dress(a *plot.Axis, lo, hi float64, log bool) {
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
	a.Tick.Marker = plot.TickerFunc(linearTicks)
	if log {
		a.Scale = plot.LogScale{}
		a.Tick.Marker = plot.TickerFunc(logTicks)
	}
}
