package choose

import (
	"fmt"
	"html"
	"io"
	"math"

	"zoobench/bench/choose/heads"
)

// A chart is points, and lines where a series has several, over a logarithmic x and accuracies.
type chart struct {
	caption string
	x       string // the axis, with its unit
	series  []series
}

type series struct {
	name   string
	mark   bool // the pick
	points []chartPoint
}

type chartPoint struct {
	x float64
	y heads.Estimate
}

// scatter is latency against the metric, for every network that may be picked.
func (r *Result) scatter() *chart {
	caption := fmt.Sprintf("Latency against %s, with 95 %% intervals. The larger point is the pick.", r.Metric.words())
	c := &chart{caption: caption, x: "latency, ms"}
	for _, row := range r.Rows {
		if row.canBePicked() && row.Latency > 0 {
			name := row.Name
			if row.Head == headOwn {
				name += ", own head"
			}
			c.series = append(c.series, series{name, row == r.Pick, []chartPoint{{float64(row.Latency) / 1e6, r.Metric.of(row.Score)}}})
		}
	}
	if len(c.series) == 0 {
		return nil
	}
	return c
}

// curves are the learning curves.
func (r *Result) curves() *chart {
	const caption = "Accuracy of the linear probe against the number of images of a class that it learns from, with 95 % intervals."
	c := &chart{caption: caption, x: "images of a class"}
	for _, curve := range r.Curves {
		s := series{name: curve.Name, mark: curve.Name == r.PickName}
		for _, p := range curve.Points {
			s.points = append(s.points, chartPoint{float64(p.PerClass), p.Accuracy})
		}
		c.series = append(c.series, s)
	}
	if len(c.series) == 0 {
		return nil
	}
	return c
}

// markdown leaves the chart out: the tables have its figures.
func (c *chart) markdown(io.Writer) {}

// Sizes of a chart in pixels.
const (
	chartWidth, chartHeight       = 960, 380
	chartLeft, chartTop           = 60, 12
	chartPlotWidth, chartPlotHigh = 440, 310
	legendLine                    = 18
)

// palette has colours that are told apart by those who see few, after Okabe and Ito.
var palette = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"}

func (c *chart) html(w io.Writer) {
	x0, x1, y0, y1 := math.Inf(1), math.Inf(-1), 1.0, 0.0
	for _, s := range c.series {
		for _, p := range s.points {
			x0, x1 = min(x0, p.x), max(x1, p.x)
			y0, y1 = min(y0, p.y.Lo), max(y1, p.y.Hi)
		}
	}
	x0, x1 = x0/1.1, x1*1.1
	y0, y1 = math.Floor(20*y0)/20, math.Ceil(20*y1)/20
	px := func(x float64) float64 { return chartLeft + chartPlotWidth*math.Log(x/x0)/math.Log(x1/x0) }
	py := func(y float64) float64 { return chartTop + chartPlotHigh*(y1-y)/max(y1-y0, 0.05) }
	height := max(chartHeight, chartTop+legendLine*(len(c.series)+1))
	fmt.Fprintf(w, "<figure><svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n", chartWidth, height, chartWidth, height, html.EscapeString(c.caption))
	fmt.Fprintf(w, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".4\"/>\n", chartLeft, chartTop, chartPlotWidth, chartPlotHigh)
	step := 0.05
	for (y1-y0)/step > 8 {
		step *= 2
	}
	for y := y0; y < y1+1e-9; y += step {
		fmt.Fprintf(w, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f %%</text>\n", chartLeft-6, py(y)+4, 100*y)
	}
	for decade := math.Pow(10, math.Floor(math.Log10(x0))); decade < x1; decade *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if x := m * decade; x >= x0 && x <= x1 {
				fmt.Fprintf(w, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", px(x), chartTop+chartPlotHigh+18, x)
			}
		}
	}
	fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", chartLeft+chartPlotWidth/2, chartTop+chartPlotHigh+40, html.EscapeString(c.x))
	for i, s := range c.series {
		color, radius := palette[i%len(palette)], 4
		if s.mark {
			radius = 7
		}
		for j, p := range s.points {
			fmt.Fprintf(w, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-opacity=\".5\"/>", px(p.x), px(p.x), py(p.y.Lo), py(p.y.Hi), color)
			if j > 0 {
				q := s.points[j-1]
				fmt.Fprintf(w, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>", px(q.x), py(q.y.Value), px(p.x), py(p.y.Value), color)
			}
			fmt.Fprintf(w, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\"><title>%s: %g, %s</title></circle>\n",
				px(p.x), py(p.y.Value), radius, color, html.EscapeString(s.name), p.x, percent(p.y.Value))
		}
		y := chartTop + legendLine*(i+1)
		fmt.Fprintf(w, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\" fill=\"%s\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
			chartLeft+chartPlotWidth+20, y-4, radius, color, chartLeft+chartPlotWidth+34, y, html.EscapeString(s.name))
	}
	fmt.Fprintf(w, "</svg><figcaption>%s</figcaption></figure>\n", html.EscapeString(c.caption))
}
