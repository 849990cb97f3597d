// Package draw turns points into plots, as SVG and as PNG.
//
// Contract: a chart ([Scatter], [Lines], [Ladder], [Forest], [Bars], [Roofline], [Sheet]) is plain data. Its Figure method
// lays it out, and [Figure.SVG] and [Figure.PNG] write the same drawing; [Reliability] writes its own. All plots of
// the program take their colours from [Palette], which readers with any colour vision can tell apart. No text lies
// over another and none leaves the figure: names are shortened, lines are folded, and a legend that is too long ends
// early. Values are finite, and above zero on a logarithmic axis; texts have no control characters. The same points
// give the same bytes.
//
// It leaves to its callers what points mean and what files are called: it knows no record, no network and no verdict.
package draw

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"zoobench/reports/text"
)

// A Caption is what is written around a plot: above it its title and what all of its points share, beneath it what is not
// in it.
type Caption struct {
	Title, Subtitle, Note string
}

// A Figure is one plot, ready to be drawn: its caption, a data area, and a legend beside it.
type Figure struct {
	Caption
	Width, Height vg.Length

	families []string
	look     look  // of the families' markers in the legend
	keys     []key // the legend beneath the families
	body     func(c vgdraw.Canvas, styles map[string]Style)
}

// A sign draws what is beside a line of the legend.
type sign func(c vgdraw.Canvas, at vg.Point)

// A key is an entry of the legend. Its text may have several lines; the sign is beside the first one.
type key struct {
	text string
	sign sign      // nil for none
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

// maxFamily bounds a family's name in the legend, in runes.
const maxFamily = 20

// maxName bounds a name beside a plot or in its legend, in runes.
const maxName = 44

// Draw puts the figure onto c.
func (f *Figure) Draw(c vgdraw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = vgdraw.Crop(c, edge, -edge, edge, -edge)
	c = writeDown(c, bold(15), f.Title, 3)
	c = writeDown(c, sans(10.5, faint()), f.Subtitle, 12)
	if f.Note != "" {
		c = writeUp(c, sans(8.5, faint()), f.Note)
	}
	styles := Styles(f.families)
	c = f.legend(c, styles)
	f.body(c, styles)
}

// legend draws the families that occur and the keys along the right of c and returns what is left of c.
func (f *Figure) legend(c vgdraw.Canvas, styles map[string]Style) vgdraw.Canvas {
	s := sans(9.5, ink())
	names := slices.Compact(slices.Sorted(slices.Values(f.families)))
	wide := vg.Length(0)
	for _, name := range names {
		wide = max(wide, s.Width(text.Shorten(name, maxFamily)))
	}
	for _, k := range f.keys {
		for line := range strings.SplitSeq(k.text, "\n") {
			wide = max(wide, s.Width(line))
		}
	}
	if wide == 0 {
		return c
	}
	line := s.FontExtents().Height + 2.5
	left := c.Max.X - wide - signWidth - 4
	y := c.Max.Y - line/2
	write := func(txt string, high vg.Length, sign sign) {
		step := max(line, high+3)
		if y-step/2 < c.Min.Y {
			return // no room: the points are labelled by name anyway
		}
		y -= (step - line) / 2
		if sign != nil {
			sign(c, vg.Point{X: left + signWidth/2, Y: y})
		}
		center(c, s, vg.Point{X: left + signWidth + 4, Y: y}, txt)
		y -= (step + line) / 2
	}
	for _, name := range names {
		write(text.Shorten(name, maxFamily), 0, markerSign(styles[name], dot, f.look))
	}
	y -= line / 2
	for _, k := range f.keys {
		first, more, _ := strings.Cut(k.text, "\n")
		write(first, k.high, k.sign)
		for more != "" {
			first, more, _ = strings.Cut(more, "\n")
			write(first, 0, nil)
		}
	}
	c.Max.X = left - 14
	return c
}

// legendLines counts the lines of the legend.
func (f *Figure) legendLines() int {
	n := len(slices.Compact(slices.Sorted(slices.Values(f.families))))
	for _, k := range f.keys {
		n += 1 + strings.Count(k.text, "\n")
	}
	return n
}

// SVG writes the figure as SVG. Fonts are named with fallbacks of the same metrics, not embedded.
func (f *Figure) SVG(w io.Writer) error {
	c := vgsvg.New(f.Width, f.Height)
	f.Draw(vgdraw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	// A title is what a screen reader says.
	head, body, _ := strings.Cut(b.String(), ">\n<g")
	body = strings.ReplaceAll(body, "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arimo,Arial,Helvetica,sans-serif;")
	_, err := fmt.Fprintf(w, "%s>\n<title>%s</title>\n<g%s", head, html.EscapeString(f.Title), body)
	return err
}

// PNG writes the figure as PNG.
func (f *Figure) PNG(w io.Writer) error {
	c := vgimg.NewWith(vgimg.UseWH(f.Width, f.Height), vgimg.UseDPI(pngDPI))
	f.Draw(vgdraw.New(c))
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}
