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

// styles are the networks' in every chart: colours first, in the order of the rows.
func (r *Result) styles() map[string]draw.Style {
	styles := map[string]draw.Style{}
	for _, row := range r.Rows {
		if _, known := styles[row.Name]; !known {
			styles[row.Name] = draw.SeriesStyle(len(styles))
		}
	}
	return styles
}

// scatter is latency against the metric, for every network that may be picked; nil where there is none.
func (r *Result) scatter() *chart {
	s := draw.Scatter{
		XLabel: "latency (ms), log scale; bars: 95 % interval", YLabel: r.Metric.words() + " (%), bars: 95 % interval", Y: draw.Percent,
		Front: "front", RingText: "the pick", Styles: r.styles(),
		Limit: float64(r.Limits.Latency) / 1e6, LimitText: "the limit on latency",
	}
	for _, row := range r.Rows {
		if row.competes() {
			p := draw.Point{Name: row.Name, Family: row.Name, Ring: row == r.Pick, Hollow: row.Head == headOwn}
			if row.Disturbed {
				p.Name += " " + disturbed
			}
			if p.Hollow {
				s.Hollow = "with its own head"
			}
			p.X = float64(row.Latency) / 1e6
			p.XLo, p.XHi = p.X, p.X
			if c := r.candidate(row.Name); c != nil && c.LatencyLo > 0 {
				p.XLo, p.XHi = float64(c.LatencyLo)/1e6, float64(c.LatencyHi)/1e6
			}
			y := percentages(r.Metric.of(row.Score))
			p.Y, p.YLo, p.YHi = y.Value, y.Lo, y.Hi
			s.Points = append(s.Points, p)
		}
	}
	if len(s.Points) == 0 {
		return nil
	}
	c := draw.Caption{Title: "Latency against " + r.Metric.words(), Subtitle: "better: up and to the left"}
	if s.Crowded() {
		c.Note = "Names are left out where there is no room."
	}
	return &chart{s.Figure(c)}
}

// curves are the learning curves; nil where there is none.
func (r *Result) curves() *chart {
	l := draw.Lines{
		XLabel: "images of a class that the probe learned from, log scale", YLabel: "accuracy (%), bars: 95 % interval", Y: draw.Percent,
		RingText: "the pick", Styles: r.styles(),
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
