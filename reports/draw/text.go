package draw

import (
	"image/color"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	vgtext "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// sans returns a style for sans-serif text.
func sans(size vg.Length, c color.Color) vgtext.Style {
	return vgtext.Style{
		Color:   c,
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		XAlign:  vgdraw.XLeft,
		YAlign:  vgdraw.YTop,
		Handler: plot.DefaultTextHandler,
	}
}

func bold(size vg.Length) vgtext.Style {
	s := sans(size, ink())
	s.Font.Weight = xfont.WeightBold
	return s
}

// center writes txt with the middle of its small letters at the height of at; the font's own middle lies lower.
func center(c vgdraw.Canvas, s vgtext.Style, at vg.Point, txt string) {
	s.YAlign = vgdraw.YCenter
	at.Y += 0.13 * s.Font.Size
	c.FillText(s, at, txt)
}

// writeDown writes a paragraph along the top of c and returns what is left of c.
func writeDown(c vgdraw.Canvas, s vgtext.Style, txt string, below vg.Length) vgdraw.Canvas {
	for _, line := range fold(s, txt, c.Max.X-c.Min.X) {
		c.FillText(s, vg.Point{X: c.Min.X, Y: c.Max.Y}, line)
		c.Max.Y -= s.FontExtents().Height
	}
	c.Max.Y -= below
	return c
}

// writeUp writes a paragraph along the bottom of c and returns what is left of c.
func writeUp(c vgdraw.Canvas, s vgtext.Style, txt string) vgdraw.Canvas {
	lines := fold(s, txt, c.Max.X-c.Min.X)
	high := s.FontExtents().Height
	for i, line := range lines {
		c.FillText(s, vg.Point{X: c.Min.X, Y: c.Min.Y + high*vg.Length(len(lines)-i)}, line)
	}
	c.Min.Y += high*vg.Length(len(lines)) + 8
	return c
}

// fold breaks txt at blanks to lines no wider than width.
func fold(s vgtext.Style, txt string, width vg.Length) []string {
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
