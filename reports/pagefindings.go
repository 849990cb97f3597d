package reports

import (
	"bytes"
	"encoding/base64"
	"html/template"

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
	Theme     findings.Theme    `json:"theme"`
	Claim     string            `json:"claim"`
	Verdict   findings.Verdict  `json:"verdict"`
	Look      verdictLook       `json:"-"`
	Summary   string            `json:"summary,omitempty"`
	Tier      findings.Tier     `json:"tier"`
	Source    string            `json:"source"`
	Needs     string            `json:"needs"`
	Confirms  string            `json:"confirms"`
	Refutes   string            `json:"refutes"`
	Published string            `json:"published,omitempty"`
	Note      string            `json:"note,omitempty"`
	Remedy    findings.Remedy   `json:"remedy,omitempty"` // of one that is not testable
	Missing   []string          `json:"missing,omitempty"`
	Heads     []string          `json:"heads,omitempty"`
	Rows      [][]string        `json:"rows,omitempty"`
	More      int               `json:"-"` // rows left out
	Plot      map[string]string `json:"-"` // the axes that show it
	Images    []pageImage       `json:"-"`
	Forest    *pageForest       `json:"-"`
	Reason    string            `json:"-"` // why it can have no verdict
}

// A pageGroup is findings under one heading.
type pageGroup struct {
	Name     string
	Findings []pageFinding
}

// A verdictLook is a verdict's key in the page, the class that colours it and the symbol that makes it differ without its
// colour.
type verdictLook struct{ Key, Class, Symbol string }

func lookOf(v findings.Verdict) verdictLook {
	return map[findings.Verdict]verdictLook{
		findings.Confirmed:  {"confirmed", "yes", "✓"},
		findings.Refuted:    {"refuted", "no", "✗"},
		findings.Unresolved: {"unresolved", "unclear", "≈"},
		findings.Holds:      {"holds", "yes", "✓"},
		findings.Fails:      {"fails", "no", "✗"},
		findings.Described:  {"described", "told", "·"},
		findings.Passed:     {"passed", "yes", "✓"},
		findings.Broken:     {"broken", "no", "✗"},
		findings.Untestable: {"untested", "untested", "–"},
	}[v]
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
		"efficientnet-time":             axes("macs", "latency_p50_ns"),
		"mnasnet-time":                  axes("macs", "latency_p50_ns"),
		"nasnet-time":                   axes("macs", "latency_p50_ns"),
		"mobilenet-v3-accuracy":         axes("macs", "top1"),
		"lightweight-trade":             axes("latency_p50_ns", "top1"),
		"depth-pays":                    axes("macs", "top1"),
		"resnet-beats-vgg":              axes("macs", "top1"),
		"searched-against-hand-made":    axes("macs", "top1"),
		"compound-scaling":              axes("params", "macs"),
		"years":                         axes("year", "macs"),
		"batch-curve":                   axes("batch", "images_per_s"),
		"resolution-curve":              axes("img_size", "latency_p50_ns"),
	}
}

// pageImages are the figures that show findings, by the finding, but for the estimates, which the page lays out itself; those
// beyond maxPageImageBytes are left to their files.
func pageImages(figures []figure) (map[string][]pageImage, error) {
	images, left := map[string][]pageImage{}, maxPageImageBytes
	for i := range figures {
		f := &figures[i]
		if f.finding == "" || f.name == forestName(f.finding) {
			continue
		}
		uri, err := pageURI(f)
		if err != nil {
			return nil, err
		}
		if left -= len(uri); left < 0 {
			break
		}
		images[f.finding] = append(images[f.finding], pageImage{f.Title, uri})
	}
	return images, nil
}

// pageURI is a figure as the page has it in itself.
func pageURI(f *figure) (template.URL, error) {
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		return "", err
	}
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// pageFindings are the findings with their plots.
func pageFindings(all []findings.Finding, images map[string][]pageImage) []pageFinding {
	axes := findingAxes()
	var out []pageFinding
	for _, f := range all {
		p := pageFinding{
			ID: f.ID, Theme: f.Theme, Claim: f.Text, Verdict: f.Verdict, Look: lookOf(f.Verdict), Summary: sentence(f.Summary), Tier: f.Tier,
			Source: f.Source, Needs: f.Needs, Confirms: f.Confirms, Refutes: f.Refutes, Published: f.Published, Note: f.Note, Heads: f.Heads,
			Images: images[f.ID], Forest: pageForestOf(f), Reason: f.Reason(),
		}
		for _, m := range f.Lacking() {
			p.Missing = append(p.Missing, sentence(m))
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
		if f.Verdict == findings.Untestable {
			p.Remedy = f.Remedy
		} else {
			p.Plot = axes[f.ID]
		}
		out = append(out, p)
	}
	return out
}

// pageGroups are groups with their findings as the page has them.
func pageGroups(groups []findings.Group, images map[string][]pageImage) (out []pageGroup) {
	for _, g := range groups {
		out = append(out, pageGroup{g.Name, pageFindings(g.Findings, images)})
	}
	return out
}
