package choose

import (
	"encoding/base64"
	"fmt"
	"html"
	"io"

	"zoobench/bench/choose/heads"
	"zoobench/reports/draw"
)

// A chart is a plot as a block of a page.
type chart struct{ draw.Figure }

// markdown leaves the chart out: the tables have its figures.
func (c *chart) markdown(io.Writer) {}

func (c *chart) html(w io.Writer) {
	fmt.Fprint(w, `<img src="data:image/svg+xml;base64,`)
	text := base64.NewEncoder(base64.StdEncoding, w)
	_ = c.SVG(text) // it fails only where w does, which keeps its first error
	_ = text.Close()
	fmt.Fprintf(w, "\" alt=\"%s; the table above has its figures\">\n", html.EscapeString(c.Title))
}

// scatter is latency against the metric, for every network that may be picked; nil where there is none.
func (r *Result) scatter() *chart {
	s := draw.Scatter{
		XLabel: "latency (ms), log scale", YLabel: r.Metric.words() + " (%), bars: 95 % interval", Y: draw.Percent,
		Front: "front", RingText: "the pick",
	}
	for _, row := range r.Rows {
		if row.competes() {
			ms, y := float64(row.Latency)/1e6, percentages(r.Metric.of(row.Score))
			s.Points = append(s.Points, draw.Point{
				Name: row.Name, Family: row.Head, X: ms, XLo: ms, XHi: ms, Y: y.Value, YLo: y.Lo, YHi: y.Hi, Ring: row == r.Pick,
			})
		}
	}
	if len(s.Points) == 0 {
		return nil
	}
	c := draw.Caption{Title: "Latency against " + r.Metric.words()}
	if s.Crowded() {
		c.Note = "Names are left out where there is no room."
	}
	return &chart{s.Figure(c)}
}

// curves are the learning curves; nil where there is none.
func (r *Result) curves() *chart {
	l := draw.Lines{
		XLabel: "images of a class that the probe learned from, log scale", YLabel: "accuracy (%), bars: 95 % interval", Y: draw.Percent,
		RingText: "the pick",
	}
	c := draw.Caption{Title: "Accuracy of the linear probe against the number of images that it learned from"}
	curves := r.Curves
	if n := len(curves); n > draw.MaxLines {
		curves = curves[:draw.MaxLines]
		c.Note = fmt.Sprintf("The first %d of %d networks; the table above has all.", draw.MaxLines, n)
	}
	for _, curve := range curves {
		line := draw.Line{Name: curve.Name, Ring: -1}
		for _, p := range curve.Points {
			y := percentages(p.Accuracy)
			line.Values = append(line.Values, draw.Value{X: float64(p.PerClass), Y: y.Value, Lo: y.Lo, Hi: y.Hi})
		}
		if curve.Name == r.PickName {
			line.Ring = len(line.Values) - 1
		}
		l.Lines = append(l.Lines, line)
	}
	if len(l.Lines) == 0 {
		return nil
	}
	return &chart{l.Figure(c)}
}

// percentages returns an estimate of a share in percent.
func percentages(e heads.Estimate) heads.Estimate {
	e.Value, e.Lo, e.Hi = 100*e.Value, 100*e.Lo, 100*e.Hi
	return e
}
