package reports

import (
	"fmt"
	"slices"

	"zoobench/reports/draw"
	"zoobench/reports/findings"
)

// maxEstimates bounds a finding's plot.
const maxEstimates = 60

func forestName(id string) string { return "finding_" + id }

// estimatesFigure shows the estimates that decide a finding, with what they are compared with.
func estimatesFigure(f findings.Finding, where string) figure {
	caption := draw.Caption{Title: clean(f.Text), Subtitle: join(nonEmpty(string(f.Verdict), clean(f.Summary), where))}
	estimates := f.Plot.Estimates
	if more := len(estimates) - maxEstimates; more > 0 {
		estimates = estimates[:maxEstimates]
		caption.Note = fmt.Sprintf("report.html has %d more estimates.", more)
	}
	t := draw.Forest{XLabel: f.Plot.What, X: draw.Linear, Marks: f.Plot.Marks, MarkText: "compared with"}
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
		text := fixed(e.Mid, d)
		if e.Hi > e.Lo {
			text += " [" + fixed(e.Lo, d) + ", " + fixed(e.Hi, d) + "]"
		}
		t.Estimates = append(t.Estimates, draw.Estimate{Name: clean(e.Name), Mid: e.Mid, Lo: e.Lo, Hi: e.Hi, Text: text, Group: group})
	}
	return figure{Figure: t.Figure(caption), name: forestName(f.ID), finding: f.ID}
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
