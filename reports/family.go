package reports

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// A style is how a family's markers look: seven colours that readers with any colour
// vision can tell apart, and a shape, so that kin may share a colour.
type style struct {
	color color.NRGBA
	shape shape
}

// A shape is a regular polygon by its corners and its turn, a circle where it has none.
type shape struct {
	corners int
	turn    float64 // radians from a corner to the right
}

// palette returns Okabe and Ito's colours less yellow, which white swallows.
// Source: M. Okabe, K. Ito, Color Universal Design, 2008.
func palette() []color.NRGBA {
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

func shapes() []shape {
	up, flat := math.Pi/2, math.Pi/4
	return []shape{
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

// families lists, a colour of the palette each, the families that share it, a shape each.
// The order is fixed, so that a family looks the same in every report.
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

// stylesOf gives each of the families a style. Those that the list does not know take
// what is free, in alphabetical order.
func stylesOf(names []string) map[string]style {
	colors, forms := palette(), shapes()
	styles := map[string]style{}
	taken := map[style]bool{}
	var unknown []string
	for _, name := range names {
		if _, ok := styles[name]; ok || slices.Contains(unknown, name) {
			continue
		}
		known := false
		for i, kin := range families() {
			if j := slices.Index(kin, name); j >= 0 {
				s := style{colors[i], forms[j]}
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
		var s style
		for try := range len(colors) * len(forms) {
			// Colours change faster than shapes.
			k := next + try
			s = style{colors[k%len(colors)], forms[k/len(colors)%len(forms)]}
			if !taken[s] {
				break
			}
		}
		next++
		styles[name], taken[s] = s, true
	}
	return styles
}

// radius returns the distance from the centre to a corner of a marker with the area of a
// circle of radius r.
func (s shape) radius(r vg.Length) vg.Length {
	if s.corners == 0 {
		return r
	}
	n := float64(s.corners)
	return r * vg.Length(math.Sqrt(2*math.Pi/(n*math.Sin(2*math.Pi/n))))
}

// path returns the outline of the marker around at, with the area of a circle of radius r.
func (s shape) path(at vg.Point, r vg.Length) vg.Path {
	var p vg.Path
	if s.corners == 0 {
		p.Move(vg.Point{X: at.X + r, Y: at.Y})
		p.Arc(at, r, 0, 2*math.Pi)
		p.Close()
		return p
	}
	far := s.radius(r)
	for i := range s.corners {
		a := s.turn + 2*math.Pi*float64(i)/float64(s.corners)
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
