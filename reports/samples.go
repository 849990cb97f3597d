package reports

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"zoobench/bench/stat"
	"zoobench/reports/draw"
)

// WriteReliability draws a network's reliability diagram as SVG.
func WriteReliability(w io.Writer, name string, c stat.Calibration) error {
	images := 0
	for _, b := range c.Bins {
		images += b.N
	}
	diagram := draw.Reliability{
		Title: fmt.Sprintf("%s, %d images", clean(name), images), Bins: c.Bins,
		Subtitle: fmt.Sprintf("expected calibration error %.1f %%, by chance %.1f to %.1f %%", 100*c.ECE, 100*c.Perfect.Lo, 100*c.Perfect.Hi),
	}
	return diagram.SVG(w)
}

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
	Probability float64 // 0 where the file lacks it
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
<p>They give different answers to {{.Differ}} of {{.Common}} images; here are the {{len .Images}} about which both are surest.</p>
<main>
{{range .Images}}<figure>
{{with source .}}<img src="{{.}}" alt="">{{end}}
<figcaption><strong>{{range $i, $c := .Right}}{{if $i}}, {{end}}{{$c}}{{end}}</strong><br>
<span class="{{if .A.Right}}right{{else}}wrong{{end}}">{{if .A.Right}}✓{{else}}✗{{end}} {{/*
*/}}{{$.A}}: {{.A.Class}} {{percent .A.Probability}}</span><br>
<span class="{{if .B.Right}}right{{else}}wrong{{end}}">{{if .B.Right}}✓{{else}}✗{{end}} {{/*
*/}}{{$.B}}: {{.B.Class}} {{percent .B.Probability}}</span><br>
<small>{{.File}}</small></figcaption>
</figure>
{{end}}</main>
</html>
`))
