package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"zoobench/reports/draw"
	"zoobench/reports/findings"
)

// maxEstimates bounds a finding's plot.
const maxEstimates = 60

func forestName(id string) string { return "finding_" + id }

// estimatesFigure shows the estimates that decide a finding, with what they are compared with.
func estimatesFigure(f findings.Finding, where string) figure {
	caption := draw.Caption{Title: clean(f.Text), Subtitle: join(nonEmpty(string(f.Verdict), clean(f.Summary), where))}
	t, more := forest(f)
	if more > 0 {
		caption.Note = fmt.Sprintf("report.html has %d more estimates.", more)
	}
	return figure{Figure: t.Figure(caption), name: forestName(f.ID), finding: f.ID}
}

// forest is a finding's plot of at most maxEstimates estimates, and how many more it has.
func forest(f findings.Finding) (t draw.Forest, more int) {
	estimates := f.Plot.Estimates
	if more = max(0, len(estimates)-maxEstimates); more > 0 {
		estimates = estimates[:maxEstimates]
	}
	t = draw.Forest{XLabel: f.Plot.What, X: draw.Linear, Marks: f.Plot.Marks, MarkText: "compared with"}
	if f.Plot.Log {
		t.X = draw.Log
	}
	for _, e := range estimates {
		group := slices.IndexFunc(t.Groups, func(g draw.Group) bool { return g.Name == e.Group })
		if group < 0 {
			group = len(t.Groups)
			t.Groups = append(t.Groups, draw.Group{Name: e.Group, Style: groupStyle(e.Group, group)})
		}
		d := digits(e.Mid)
		if !f.Plot.Log {
			d = min(d, 2) // percent and points of it
		}
		if e.Hi == e.Lo && e.Mid == math.Trunc(e.Mid) {
			d = 0 // a count
		}
		text := fixed(e.Mid, d)
		if e.Hi > e.Lo {
			text += " [" + fixed(e.Lo, d) + ", " + fixed(e.Hi, d) + "]"
		}
		t.Estimates = append(t.Estimates, draw.Estimate{Name: clean(e.Name), Mid: e.Mid, Lo: e.Lo, Hi: e.Hi, Text: text, Group: group})
	}
	return t, more
}

// groupStyle is the marker of a finding's i-th group: what it says of the claim has a colour and a shape of its own.
func groupStyle(group string, i int) draw.Style {
	yes, no, unclear := draw.Answers()
	switch group {
	case "as claimed":
		return yes
	case "against the claim":
		return no
	case "unclear":
		return unclear
	}
	return draw.SeriesStyle(i)
}

// A pageForest is a finding's plot as the page lays it out, so that it is read on a telephone too. Places are in percent of the
// axis.
type pageForest struct {
	What      string // is shown, on which scale
	Marks     []float64
	Compared  string // the marks' values
	Intervals bool
	Groups    []pageKey
	Estimates []pageEstimate
	More      int // estimates left out
}

// A pageKey is a group of estimates with the class that gives it its marker.
type pageKey struct{ Name, Class string }

// A pageEstimate is one line of a pageForest; an interval of no width is none.
type pageEstimate struct {
	pageKey
	Group, Text   string
	At, Lo, Width float64
}

// pageForestOf lays a finding's plot out; nil where it has none.
func pageForestOf(f findings.Finding) *pageForest {
	if len(f.Plot.Estimates) == 0 {
		return nil
	}
	t, more := forest(f)
	p := &pageForest{More: more}
	var marks []string
	for _, m := range t.Marks {
		marks = append(marks, fmt.Sprintf("%.4g", m))
	}
	p.Compared = strings.Join(marks, " and ")
	percent := func(at float64) float64 { return math.Round(1e4*at) / 100 }
	label, at := t.Place(t.Marks...)
	p.What = label
	for _, m := range at {
		p.Marks = append(p.Marks, percent(m))
	}
	for i, g := range t.Groups {
		p.Groups = append(p.Groups, pageKey{clean(g.Name), groupClass(g.Name, i)})
	}
	for _, e := range t.Estimates {
		_, at := t.Place(e.Mid, e.Lo, e.Hi)
		g := p.Groups[e.Group]
		p.Estimates = append(p.Estimates, pageEstimate{
			pageKey{e.Name, g.Class}, g.Name, e.Text, percent(at[0]), percent(at[1]), percent(at[2]) - percent(at[1]),
		})
		p.Intervals = p.Intervals || e.Hi > e.Lo
	}
	return p
}

// groupClass is the page's class of a finding's i-th group.
func groupClass(group string, i int) string {
	classes := map[string]string{"as claimed": "yes", "against the claim": "no", "unclear": "unclear"}
	return cmp.Or(classes[group], fmt.Sprint("g", i%2))
}
