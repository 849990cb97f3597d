package reports

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"html/template"
	"slices"

	"zoobench/reports/findings"
)

// Limits on the findings' part of the page.
const (
	maxPageImageBytes = 700_000
	maxEvidenceRows   = 60
)

// A pageFinding is a finding as the page and its data have it.
type pageFinding struct {
	ID        string            `json:"id"`
	Claim     string            `json:"claim"`
	Verdict   findings.Verdict  `json:"verdict"`
	Class     string            `json:"-"`
	Summary   string            `json:"summary,omitempty"`
	Tier      findings.Tier     `json:"tier"`
	Source    string            `json:"source"`
	Needs     string            `json:"needs"`
	Confirms  string            `json:"confirms"`
	Refutes   string            `json:"refutes"`
	Published string            `json:"published,omitempty"`
	Note      string            `json:"note,omitempty"`
	Missing   []string          `json:"missing,omitempty"`
	Heads     []string          `json:"heads,omitempty"`
	Rows      [][]string        `json:"rows,omitempty"`
	More      int               `json:"-"` // rows left out
	Plot      map[string]string `json:"-"` // the axes that show it
	Images    []pageImage       `json:"-"`
}

// A pageImage is a figure within the page.
type pageImage struct {
	Title string
	URI   template.URL
}

// findingAxes are the page's axes that show a finding.
func findingAxes() map[string]map[string]string {
	axes := func(x, y string) map[string]string { return map[string]string{"x": x, "y": y} }
	return map[string]map[string]string{
		"macs-mispredict-latency":       axes("macs", "latency_p50_ns"),
		"lightweight-on-one-core":       axes("macs", "latency_p50_ns"),
		"efficientnet-front-parameters": axes("params", "top1"),
		"efficientnet-front-macs":       axes("macs", "top1"),
		"efficientnet-front-latency":    axes("latency_p50_ns", "top1"),
		"lightweight-trade":             axes("latency_p50_ns", "top1"),
		"depth-pays":                    axes("macs", "top1"),
		"resnet-beats-vgg":              axes("macs", "top1"),
		"convolution-and-attention":     axes("macs", "top1"),
		"searched-against-hand-made":    axes("macs", "top1"),
		"compound-scaling":              axes("params", "macs"),
		"years":                         axes("year", "macs"),
		"batch-curve":                   axes("batch", "images_per_s"),
		"resolution-curve":              axes("img_size", "latency_p50_ns"),
	}
}

// pageImages are the figures that show findings, by the finding; those beyond maxPageImageBytes are left to their files.
func pageImages(figures []figure) (map[string][]pageImage, error) {
	images, left := map[string][]pageImage{}, maxPageImageBytes
	for i := range figures {
		f := &figures[i]
		if f.finding == "" {
			continue
		}
		var b bytes.Buffer
		if err := f.SVG(&b); err != nil {
			return nil, err
		}
		uri := "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
		if left -= len(uri); left < 0 {
			break
		}
		images[f.finding] = append(images[f.finding], pageImage{f.Title, template.URL(uri)})
	}
	return images, nil
}

// pageFindings are the findings, those with a verdict first within their order.
func pageFindings(all []findings.Finding, images map[string][]pageImage) []pageFinding {
	classes := map[findings.Verdict]string{
		findings.Confirmed: "yes", findings.Refuted: "no", findings.Unresolved: "unclear", findings.Untestable: "untested",
		findings.Described: "told",
	}
	axes := findingAxes()
	var out []pageFinding
	for _, f := range all {
		p := pageFinding{
			ID: f.ID, Claim: f.Text, Verdict: f.Verdict, Class: classes[f.Verdict], Summary: clean(f.Summary), Tier: f.Tier, Source: f.Source,
			Needs: f.Needs, Confirms: f.Confirms, Refutes: f.Refutes, Published: f.Published, Note: f.Note, Heads: f.Heads, Images: images[f.ID],
		}
		for _, m := range f.Missing {
			p.Missing = append(p.Missing, clean(m))
		}
		for i, row := range f.Rows {
			if i == maxEvidenceRows {
				p.More = len(f.Rows) - maxEvidenceRows
				break
			}
			cells := make([]string, len(row))
			for j, c := range row {
				cells[j] = clean(c)
			}
			p.Rows = append(p.Rows, cells)
		}
		if f.Verdict != findings.Untestable {
			p.Plot = axes[f.ID]
		}
		out = append(out, p)
	}
	rank := func(p pageFinding) int {
		if p.Verdict == findings.Untestable {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b pageFinding) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// verdictSymbol makes verdicts differ without their colour.
func verdictSymbol(class string) string {
	return map[string]string{"yes": "✓", "no": "✗", "unclear": "≈", "untested": "–", "told": "·"}[class]
}
