package draw

import (
	"fmt"
	"html/template"
	"image/color"
	"io"

	"zoobench/bench/stat"
)

// A Reliability is a reliability diagram: for each bin of confidence the share of right answers, a bar, and the
// diagonal on which a calibrated network's bars end. The dot on each bar is at the bin's mean confidence, and the line at
// it spans where a perfectly calibrated network's dot would be 95 % of the time; a bar's ink is the deeper the more images are
// in it.
type Reliability struct {
	Title, Subtitle string
	Bins            []stat.CalibrationBin
}

// SVG writes the diagram as SVG.
func (r *Reliability) SVG(w io.Writer) error {
	const side, left, top = 320.0, 56.0, 48.0
	type bar struct{ X, Y, Width, Height, Opacity, DotX, LoY, HiY float64 }
	type tick struct {
		At   float64
		Text string
	}
	most := 1
	for _, b := range r.Bins {
		most = max(most, b.N)
	}
	var bars []bar
	for _, b := range r.Bins {
		if b.N == 0 {
			continue
		}
		bars = append(bars, bar{
			X: left + side*b.Lo, Y: top + side*(1-b.Accuracy), Width: side * (b.Hi - b.Lo), Height: side * b.Accuracy,
			Opacity: 0.25 + 0.75*float64(b.N)/float64(most), DotX: left + side*b.Confidence,
			LoY: top + side*(1-b.Perfect.Lo), HiY: top + side*(1-b.Perfect.Hi),
		})
	}
	var xs, ys []tick
	for i := range 6 {
		share := float64(i) / 5
		xs = append(xs, tick{left + side*share, fmt.Sprintf("%.1f", share)})
		ys = append(ys, tick{top + side*(1-share), fmt.Sprintf("%.1f", share)})
	}
	return reliability.Execute(w, map[string]any{
		"Title": r.Title, "Subtitle": r.Subtitle, "Bar": hex(Palette()[0]), "Dot": hex(Palette()[1]), "Ink": hex(ink()), "Faint": hex(faint()),
		"Bars": bars, "Xs": xs, "Ys": ys, "Left": left, "Top": top, "Side": side, "Right": left + side, "Bottom": top + side,
		"Middle": left + side/2, "Centre": top + side/2,
	})
}

// hex returns a colour as SVG and CSS name it.
func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

var reliability = template.Must(template.New("reliability").Parse(
	`<svg xmlns="http://www.w3.org/2000/svg" width="420" height="430" viewBox="0 0 420 430" font-family="sans-serif" font-size="12">
<title>{{.Title}}: {{.Subtitle}}</title>
<rect width="420" height="430" fill="#fff"/>
<text x="{{.Left}}" y="22" font-weight="bold" font-size="13">{{.Title}}</text>
<text x="{{.Left}}" y="39" fill="{{.Faint}}">{{.Subtitle}}</text>
{{range .Bars}}<rect x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="{{.Height}}" fill="{{$.Bar}}" {{/*
*/}}fill-opacity="{{.Opacity}}" stroke="#fff"/>
{{end}}<line x1="{{.Left}}" y1="{{.Bottom}}" x2="{{.Right}}" y2="{{.Top}}" stroke="{{.Faint}}" stroke-dasharray="4 4"/>
{{range .Bars}}<line x1="{{.DotX}}" y1="{{.LoY}}" x2="{{.DotX}}" y2="{{.HiY}}" stroke="{{$.Ink}}" stroke-width="2" stroke-opacity="0.6"/>
<circle cx="{{.DotX}}" cy="{{.Y}}" r="3" fill="{{$.Dot}}"/>
{{end}}<rect x="{{.Left}}" y="{{.Top}}" width="{{.Side}}" height="{{.Side}}" fill="none" stroke="{{.Ink}}"/>
{{range .Xs}}<text x="{{.At}}" y="386" text-anchor="middle">{{.Text}}</text>
{{end}}{{range .Ys}}<text x="50" y="{{.At}}" dy="4" text-anchor="end">{{.Text}}</text>
{{end}}<text x="{{.Middle}}" y="410" text-anchor="middle">confidence of the best class; lines: 95 % if calibrated</text>
<text x="16" y="{{.Centre}}" text-anchor="middle" transform="rotate(-90 16 {{.Centre}})">share of right answers</text>
</svg>
`))
