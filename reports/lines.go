package reports

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"zoobench/bench/record"
	"zoobench/reports/findings"
)

// A line is one network's values over a setting.
type line struct {
	name   string
	values []value
	knee   int // index, -1 for none
}

// A value is one point of a line with its interval, both ends of which are y where there is none.
type value struct {
	x, y, lo, hi float64
	suspect      bool
}

// lines plots values over a setting, both on logarithmic axes.
type lines struct {
	lines          []line
	xLabel, yLabel string
}

// maxLines is how many lines a reader can tell apart.
const maxLines = 14

// batchCurve is the time of an image over the batch that it travels in.
func (r *run) batchCurve(_ []row, where string) (figure, bool) {
	return r.curve(findings.BatchCurves(r.sound), where, "batch_curve", "batch-curve", "Time of an image by batch size",
		"images in a batch, log scale", "median time of one image (ms), log scale",
		func(c *record.Record) float64 { return float64(c.Batch) }, 1e-6)
}

// resolutionCurve is the time of a multiply-accumulate over the input's size.
func (r *run) resolutionCurve(_ []row, where string) (figure, bool) {
	return r.curve(findings.ResolutionCurves(r.sound), where, "resolution_curve", "resolution-curve", "Time of a multiply-accumulate by input size",
		"pixels to a side of the input, log scale", "median time of one multiply-accumulate (ps), log scale",
		func(c *record.Record) float64 { return float64(c.ImgSize) }, 1e3)
}

// curve makes a figure of curves; scale turns their nanoseconds into the label's unit.
func (r *run) curve(curves []findings.Curve, where, name, finding, title, xLabel, yLabel string, at func(*record.Record) float64, scale float64) (figure, bool) {
	if len(curves) == 0 {
		return figure{}, false
	}
	note := ""
	if n := len(curves); n > maxLines {
		curves = curves[:maxLines]
		note = fmt.Sprintf("The first %d of %d curves; all of them stand in latency.csv.", maxLines, n)
	}
	// What tells curves apart is all but the setting that they run over.
	var firsts []row
	for _, c := range curves {
		set := settingsOf(c.Records[0])
		if finding == "batch-curve" {
			set.batch = 0
		} else {
			set.size = 0
		}
		firsts = append(firsts, row{latency: c.Records[0], set: set})
	}
	varying := varyingAxes(firsts)
	l := lines{xLabel: xLabel, yLabel: yLabel}
	for i, c := range curves {
		one := line{name: join(append([]string{clean(c.Records[0].Model)}, varying(&firsts[i])...)), knee: c.Knee}
		for j, rec := range c.Records {
			y := c.Values[j] * scale
			v := value{x: at(rec), y: y, lo: y, hi: y, suspect: !rec.Verdict.Valid}
			if rec.P50Lo > 0 {
				v.lo, v.hi = y*float64(rec.P50Lo)/float64(rec.P50), y*float64(rec.P50Hi)/float64(rec.P50)
			}
			one.values = append(one.values, v)
		}
		l.lines = append(l.lines, one)
	}
	f := l.figure(name, title, join(nonEmpty(where, settingsText(firsts), "bars: 95 % interval")), note)
	f.finding = finding
	return f, true
}

// lineStyle gives line i a colour first and a shape second.
func lineStyle(i int) style {
	colors, forms := palette(), shapes()
	return style{colors[i%len(colors)], forms[(i+i/len(colors))%len(forms)]}
}

// kneeRing is the radius of the ring around a knee, in points.
const kneeRing = dot + 3.4

// ring marks a knee.
func ring(c draw.Canvas, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: ink(), Width: 1.1})
	c.Stroke(shape{}.path(at, kneeRing))
}

// figure makes the lines a figure. There is at least one line.
func (l *lines) figure(name, title, subtitle, note string) figure {
	f := figure{name: name, title: title, subtitle: subtitle, note: note, width: pageWidth, height: pageHeight}
	knee, suspect := false, false
	for i, one := range l.lines {
		s := lineStyle(i)
		f.keys = append(f.keys, key{text: shorten(one.name, maxRung), sign: func(c draw.Canvas, at vg.Point) {
			c.StrokeLine2(draw.LineStyle{Color: s.color, Width: 1.3}, at.X-11, at.Y, at.X+11, at.Y)
			marker(c, s, at, dot, solid)
		}})
		knee = knee || one.knee >= 0
		suspect = suspect || slices.ContainsFunc(one.values, func(v value) bool { return v.suspect })
	}
	gray := style{color: faintNRGBA()}
	if knee {
		f.keys = append(f.keys, key{text: "knee: within 90 % of the best", high: 2 * kneeRing, sign: func(c draw.Canvas, at vg.Point) {
			marker(c, gray, at, dot, solid)
			ring(c, at)
		}})
	}
	if suspect {
		f.keys = append(f.keys, key{text: "not valid", sign: func(c draw.Canvas, at vg.Point) { marker(c, gray, at, dot, crossed) }})
	}
	f.body = func(c draw.Canvas, _ map[string]style) { l.draw(c) }
	return f
}

func (l *lines) draw(c draw.Canvas) {
	p := plot.New()
	p.BackgroundColor = nil
	xLo, xHi, yLo, yHi := math.Inf(1), 0.0, math.Inf(1), 0.0
	var xs []float64
	for _, one := range l.lines {
		for _, v := range one.values {
			xLo, xHi, yLo, yHi = min(xLo, v.x), max(xHi, v.x), min(yLo, v.lo), max(yHi, v.hi)
			xs = append(xs, v.x)
		}
	}
	slices.Sort(xs)
	xRoom, yRoom := max(math.Pow(xHi/xLo, 0.06), 1.05), max(math.Pow(yHi/yLo, 0.06), 1.1)
	dress(&p.X, xLo/xRoom, xHi*xRoom, true)
	dress(&p.Y, yLo/yRoom, yHi*yRoom, true)
	p.X.Tick.Marker = settingTicks(slices.Compact(xs), xHi/xLo)
	p.Add(grid{})
	c = drawAxes(p, c, l.xLabel, l.yLabel)
	trX, trY := p.Transforms(&c)
	for i, one := range l.lines {
		s := lineStyle(i)
		var way []vg.Point
		for _, v := range one.values {
			at := vg.Point{X: trX(v.x), Y: trY(v.y)}
			way = append(way, at)
			if from, to := trY(v.lo), trY(v.hi); to-from > 2*dot {
				c.StrokeLine2(draw.LineStyle{Color: s.color, Width: 0.9}, at.X, from, at.X, to)
				c.StrokeLine2(draw.LineStyle{Color: s.color, Width: 0.9}, at.X-3, from, at.X+3, from)
				c.StrokeLine2(draw.LineStyle{Color: s.color, Width: 0.9}, at.X-3, to, at.X+3, to)
			}
		}
		c.StrokeLines(draw.LineStyle{Color: s.color, Width: 1.3}, way)
		for j, v := range one.values {
			look := solid
			if v.suspect {
				look = crossed
			}
			c.SetColor(color.White)
			c.Fill(s.shape.path(way[j], dot))
			marker(c, s, way[j], dot, look)
			if j == one.knee {
				ring(c, way[j])
			}
		}
	}
}

// settingTicks marks the values that were measured, with labels as long as there is room.
func settingTicks(values []float64, ratio float64) plot.ConstantTicks {
	const gap = 0.045 // of the axis between two labels
	var ticks plot.ConstantTicks
	last := math.Inf(-1)
	for _, v := range values {
		t := plot.Tick{Value: v}
		if at := math.Log(v) / max(math.Log(ratio), 0.1); at-last >= gap {
			t.Label, last = fmt.Sprintf("%g", v), at
		}
		ticks = append(ticks, t)
	}
	return ticks
}
