package draw

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// A Style is how markers of one kind look: seven colours that readers with any colour vision can tell apart, and a shape,
// so that kin may share a colour.
type Style struct {
	Color color.NRGBA
	Shape Shape
}

// A Shape is a regular polygon by its corners and its turn, a circle where it has none.
type Shape struct {
	Corners int
	Turn    float64 // radians from a corner to the right
}

// Palette returns Okabe and Ito's colours less yellow, which white swallows.
// Source: M. Okabe, K. Ito, Color Universal Design, 2008.
func Palette() []color.NRGBA {
	return []color.NRGBA{
		{0x00, 0x72, 0xb2, 0xff}, // blue
		{0xd5, 0x5e, 0x00, 0xff}, // vermillion
		{0x00, 0x9e, 0x73, 0xff}, // bluish green
		{0xe6, 0x9f, 0x00, 0xff}, // orange
		{0x56, 0xb4, 0xe9, 0xff}, // sky blue
		{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
		{0x30, 0x30, 0x30, 0xff}, // black, a little lighter
	}
}

// Shades of grey: of text, of what steps back, and of the grid.
func ink() color.NRGBA   { return color.NRGBA{0x20, 0x20, 0x20, 0xff} }
func faint() color.NRGBA { return color.NRGBA{0x60, 0x60, 0x60, 0xff} }
func rule() color.NRGBA  { return color.NRGBA{0xe2, 0xe2, 0xe2, 0xff} }

// gray is the style of markers that stand for any colour.
func gray() Style { return Style{Color: faint()} }

func shapes() []Shape {
	up, flat := math.Pi/2, math.Pi/4
	return []Shape{
		{0, 0},      // circle
		{4, flat},   // square
		{3, up},     // triangle
		{4, 0},      // diamond
		{3, -up},    // triangle on its point
		{6, 0},      // hexagon
		{5, up},     // pentagon
		{8, up / 4}, // octagon
	}
}

// families lists, a colour of the palette each, the families that share it, a shape each. The order is fixed, so that a
// family looks the same in every plot.
func families() [][]string {
	return [][]string{
		{"resnet", "resnext", "wide_resnet", "seresnet", "resnetv2", "senet", "regnet", "sknet"},
		{"vgg", "repvgg", "shufflenetv2"},
		{"mobilenetv2", "mobilenetv1", "mobilenetv3", "ghostnet", "mnasnet"},
		{"efficientnet", "efficientnetv2", "nasnet", "pnasnet", "hardcorenas"},
		{"densenet", "squeezenet", "convnext", "dpn"},
		{"inception", "googlenet", "inception_v4", "inception_resnet", "xception"},
		{"alexnet", "vit", "deit", "swin", "coatnet"},
	}
}

// precisions are what a plot can have in place of families, a colour and a shape each.
func precisions() []string { return []string{"float32", "bf16", "int8"} }

// Styles gives each of the families a style, or each of the precisions. Those that no list knows take what is free, in alphabetical
// order.
func Styles(names []string) map[string]Style {
	colors, forms := Palette(), shapes()
	styles := map[string]Style{}
	taken := map[Style]bool{}
	var unknown []string
	for _, name := range names {
		if _, ok := styles[name]; ok || slices.Contains(unknown, name) {
			continue
		}
		known := false
		if i := slices.Index(precisions(), name); i >= 0 {
			styles[name], taken[SeriesStyle(i)], known = SeriesStyle(i), true, true
		}
		for i, kin := range families() {
			if j := slices.Index(kin, name); j >= 0 {
				s := Style{colors[i], forms[j]}
				styles[name], taken[s], known = s, true, true
			}
		}
		if !known {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	next := 0
	for _, name := range unknown {
		var s Style
		for try := range len(colors) * len(forms) {
			// Colours change faster than shapes.
			k := next + try
			s = Style{colors[k%len(colors)], forms[k/len(colors)%len(forms)]}
			if !taken[s] {
				break
			}
		}
		next++
		styles[name], taken[s] = s, true
	}
	return styles
}

// Answers are the styles of what speaks for a claim, against it, and neither.
func Answers() (yes, no, unclear Style) {
	colors, forms := Palette(), shapes()
	return Style{colors[2], forms[0]}, Style{colors[1], forms[3]}, Style{faint(), forms[1]}
}

// SeriesStyle gives series i a colour and a shape: no two of as many series as a plot has are alike, see MaxLines.
func SeriesStyle(i int) Style {
	colors, forms := Palette(), shapes()
	round, of := i/len(colors), i%len(colors)
	return Style{colors[of], forms[(of+3*round)%len(forms)]}
}

// radius returns the distance from the centre to a corner of a marker with the area of a circle of radius r.
func (s Shape) radius(r vg.Length) vg.Length {
	if s.Corners == 0 {
		return r
	}
	n := float64(s.Corners)
	return r * vg.Length(math.Sqrt(2*math.Pi/(n*math.Sin(2*math.Pi/n))))
}

// path returns the outline of the marker around at, with the area of a circle of radius r.
func (s Shape) path(at vg.Point, r vg.Length) vg.Path {
	var p vg.Path
	if s.Corners == 0 {
		p.Move(vg.Point{X: at.X + r, Y: at.Y})
		p.Arc(at, r, 0, 2*math.Pi)
		p.Close()
		return p
	}
	far := s.radius(r)
	for i := range s.Corners {
		a := s.Turn + 2*math.Pi*float64(i)/float64(s.Corners)
		corner := vg.Point{X: at.X + far*vg.Length(math.Cos(a)), Y: at.Y + far*vg.Length(math.Sin(a))}
		if i == 0 {
			p.Move(corner)
		} else {
			p.Line(corner)
		}
	}
	p.Close()
	return p
}
