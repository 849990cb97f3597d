package reports

import (
	"fmt"

	"zoobench/bench/record"
	"zoobench/reports/draw"
	"zoobench/reports/findings"
)

// A curveKind is a plot of one network's values over a setting.
type curveKind struct {
	name, finding  string
	title          string
	xLabel, yLabel string
	at             func(*record.Record) float64 // the setting
	without        func(*settings)              // takes it out of what curves are named by
	scale          float64                      // turns nanoseconds into the label's unit
}

// batchCurve is the time of an image over the batch that it is in.
func (r *run) batchCurve(_ []row, where string) (figure, bool) {
	return curveKind{
		name: "batch_curve", finding: "batch-curve", title: "Time of an image by batch size",
		xLabel: "images in a batch, log scale", yLabel: "median time of one image (ms), log scale",
		at:      func(c *record.Record) float64 { return float64(c.Batch) },
		without: func(s *settings) { s.Batch = 0 }, scale: 1e-6,
	}.figure(findings.BatchCurves(r.sound), where)
}

// resolutionCurve is the time of a multiply-accumulate over the input's size.
func (r *run) resolutionCurve(_ []row, where string) (figure, bool) {
	return curveKind{
		name: "resolution_curve", finding: "resolution-curve", title: "Time of a multiply-accumulate by input size",
		xLabel: "pixels of the input per side, log scale", yLabel: "median time of one multiply-accumulate (ps), log scale",
		at:      func(c *record.Record) float64 { return float64(c.ImgSize) },
		without: func(s *settings) { s.ImgSize = 0 }, scale: 1e3,
	}.figure(findings.ResolutionCurves(r.sound), where)
}

// figure draws the curves, false where there are none.
func (k curveKind) figure(curves []findings.Curve, where string) (figure, bool) {
	if len(curves) == 0 {
		return figure{}, false
	}
	note := ""
	if n := len(curves); n > draw.MaxLines {
		curves = curves[:draw.MaxLines]
		note = fmt.Sprintf("Only the first %d of %d curves are shown; latency.csv has all of them.", draw.MaxLines, n)
	}
	var firsts []row
	for _, c := range curves {
		set := settingsOf(c.Records[0])
		k.without(&set)
		firsts = append(firsts, row{latency: c.Records[0], set: set})
	}
	varying := varyingAxes(firsts)
	l := draw.Lines{XLabel: k.xLabel, YLabel: k.yLabel, RingText: "knee: reaches 90 % of the best"}
	for i, c := range curves {
		name := join(append([]string{clean(c.Records[0].Model)}, varying(&firsts[i])...))
		l.Lines = append(l.Lines, draw.Line{Name: name, Values: k.values(c), Ring: c.Knee})
	}
	subtitle := join(nonEmpty(where, settingsText(firsts), "bars: 95 % interval"))
	return figure{Figure: l.Figure(draw.Caption{Title: k.title, Subtitle: subtitle, Note: note}), name: k.name, finding: k.finding}, true
}

// values are the curve's points, with the medians' intervals where they have them.
func (k curveKind) values(c findings.Curve) (values []draw.Value) {
	for i, rec := range c.Records {
		y := c.Values[i] * k.scale
		v := draw.Value{X: k.at(rec), Y: y, Lo: y, Hi: y, Suspect: !rec.Verdict.Valid}
		if rec.P50Lo > 0 {
			v.Lo, v.Hi = y*float64(rec.P50Lo)/float64(rec.P50), y*float64(rec.P50Hi)/float64(rec.P50)
		}
		values = append(values, v)
	}
	return values
}
