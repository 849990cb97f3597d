package reports

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"zoobench/bench/stat"
)

// WriteReliability draws a reliability diagram as SVG: for each bin of confidence the share of right answers, a bar, and
// the diagonal on which a calibrated network's bars end. The dot on each bar is at the bin's mean confidence; a bar's
// ink is the deeper the more images it stands for.
func WriteReliability(w io.Writer, name string, ece float64, bins []stat.CalibrationBin) error {
	const side, left, top = 320.0, 56.0, 48.0
	type bar struct{ X, Y, Width, Height, Opacity, DotX float64 }
	type tick struct {
		At   float64
		Text string
	}
	most, images := 1, 0
	for _, b := range bins {
		most, images = max(most, b.N), images+b.N
	}
	var bars []bar
	for _, b := range bins {
		if b.N == 0 {
			continue
		}
		bars = append(bars, bar{
			X: left + side*b.Lo, Y: top + side*(1-b.Accuracy), Width: side * (b.Hi - b.Lo), Height: side * b.Accuracy,
			Opacity: 0.25 + 0.75*float64(b.N)/float64(most), DotX: left + side*b.Confidence,
		})
	}
	var xs, ys []tick
	for i := range 6 {
		share := float64(i) / 5
		xs = append(xs, tick{left + side*share, fmt.Sprintf("%.1f", share)})
		ys = append(ys, tick{top + side*(1-share), fmt.Sprintf("%.1f", share)})
	}
	return reliabilityPage.Execute(w, map[string]any{
		"Name": clean(name), "ECE": fmt.Sprintf("expected calibration error %.2f %%, %d images", 100*ece, images),
		"Bars": bars, "Xs": xs, "Ys": ys, "Left": left, "Top": top, "Side": side, "Right": left + side, "Bottom": top + side,
		"Middle": left + side/2, "Centre": top + side/2,
	})
}

var reliabilityPage = template.Must(template.New("reliability").Parse(`<svg xmlns="http://www.w3.org/2000/svg" width="420" height="430" viewBox="0 0 420 430" font-family="sans-serif" font-size="12">
<title>{{.Name}}: {{.ECE}}</title>
<rect width="420" height="430" fill="#fff"/>
<text x="{{.Left}}" y="22" font-weight="bold" font-size="13">{{.Name}}</text>
<text x="{{.Left}}" y="39" fill="#606060">{{.ECE}}</text>
{{range .Bars}}<rect x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="{{.Height}}" fill="#0072b2" fill-opacity="{{.Opacity}}" stroke="#fff"/>
{{end}}<line x1="{{.Left}}" y1="{{.Bottom}}" x2="{{.Right}}" y2="{{.Top}}" stroke="#606060" stroke-dasharray="4 4"/>
{{range .Bars}}<circle cx="{{.DotX}}" cy="{{.Y}}" r="3" fill="#d55e00"/>
{{end}}<rect x="{{.Left}}" y="{{.Top}}" width="{{.Side}}" height="{{.Side}}" fill="none" stroke="#202020"/>
{{range .Xs}}<text x="{{.At}}" y="386" text-anchor="middle">{{.Text}}</text>
{{end}}{{range .Ys}}<text x="50" y="{{.At}}" dy="4" text-anchor="end">{{.Text}}</text>
{{end}}<text x="{{.Middle}}" y="410" text-anchor="middle">confidence of the best class</text>
<text x="16" y="{{.Centre}}" text-anchor="middle" transform="rotate(-90 16 {{.Centre}})">share of right answers</text>
</svg>
`))

// A Gallery is the images on which two networks disagree most.
type Gallery struct {
	A, B   string // the networks
	Images []GalleryImage
	Common int // images that both have
	Differ int // those to which they gave different best classes
}

// A GalleryImage is one image with both networks' answers.
type GalleryImage struct {
	File  string
	Data  []byte   // the file; nil where it could not be read
	Type  string   // its media type, "image/jpeg"
	Right []string // the right classes' names
	A, B  GalleryAnswer
}

// A GalleryAnswer is a network's best class.
type GalleryAnswer struct {
	Class       string
	Probability float64 // 0 where the file does not tell
	Right       bool
}

// WriteGallery writes a page of HTML that holds all of its images, so that it can be moved and mailed.
func WriteGallery(w io.Writer, g Gallery) error {
	return galleryPage.Execute(w, g)
}

var galleryPage = template.Must(template.New("gallery").Funcs(template.FuncMap{
	"source": func(i GalleryImage) template.URL {
		if len(i.Data) == 0 {
			return ""
		}
		return template.URL("data:" + i.Type + ";base64," + base64.StdEncoding.EncodeToString(i.Data))
	},
	"percent": func(p float64) string {
		if p == 0 {
			return ""
		}
		return fmt.Sprintf("%.0f %%", 100*p)
	},
}).Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.A}} and {{.B}}: where they disagree</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(15em, 1fr)); gap: 1.5em; }
figure { margin: 0; }
img { width: 100%; height: 13em; object-fit: contain; background: #eee; }
figcaption { overflow-wrap: anywhere; }
.right { color: #006b4f; } .wrong { color: #a33b00; }
small { color: #606060; }
</style>
<h1>{{.A}} and {{.B}}: where they disagree most</h1>
<p>They give different answers to {{.Differ}} of {{.Common}} images; here are the {{len .Images}} on which both are surest.</p>
<main>
{{range .Images}}<figure>
{{with source .}}<img src="{{.}}" alt="">{{end}}
<figcaption><strong>{{range $i, $c := .Right}}{{if $i}}, {{end}}{{$c}}{{end}}</strong><br>
<span class="{{if .A.Right}}right{{else}}wrong{{end}}">{{if .A.Right}}✓{{else}}✗{{end}} {{$.A}}: {{.A.Class}} {{percent .A.Probability}}</span><br>
<span class="{{if .B.Right}}right{{else}}wrong{{end}}">{{if .B.Right}}✓{{else}}✗{{end}} {{$.B}}: {{.B.Class}} {{percent .B.Probability}}</span><br>
<small>{{.File}}</small></figcaption>
</figure>
{{end}}</main>
</html>
`))
