package reports

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/reports/draw"
)

// A precisionRow is a row of a network that has rows in several precisions under otherwise the same settings, with its row in
// float32, which is nil where there is none.
type precisionRow struct {
	*row
	whole *row
}

// inPrecisions returns the rows of networks in several precisions, a network after the other in the order of the tables, each
// network's by precision.
func (r *run) inPrecisions() (all []precisionRow) {
	type id struct {
		experiment, name string
		settings
	}
	key := func(one *row) id {
		s := one.set
		s.Precision = ""
		return id{one.experiment(), one.name(), s}
	}
	of := map[id][]*row{}
	var order []id
	for i := range r.rows {
		one := &r.rows[i]
		if one.cost != nil {
			continue
		}
		k := key(one)
		if of[k] == nil {
			order = append(order, k)
		}
		of[k] = append(of[k], one)
	}
	for _, k := range order {
		rows := of[k]
		if !slices.ContainsFunc(rows, func(one *row) bool { return one.set.Precision != rows[0].set.Precision }) {
			continue
		}
		var whole *row
		if at := slices.IndexFunc(rows, func(one *row) bool { return one.set.Precision == "" }); at >= 0 {
			whole = rows[at]
		}
		for _, one := range rows {
			all = append(all, precisionRow{one, whole})
		}
	}
	return all
}

// faster is how many times as fast as in float32 the row is, with its 95 % interval, and a dash where that is not known.
func (p *precisionRow) faster() string {
	if p.whole == nil || p.whole == p.row || p.latency == nil || p.whole.latency == nil || p.invalid()+p.whole.invalid() != "" {
		return "–"
	}
	x, ok := record.LatencyRatio(p.latency, p.whole.latency)
	if !ok || !(x.Times > 0 && x.Lo > 0) {
		return "–"
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", 1/x.Times, 1/x.Hi, 1/x.Lo)
}

// gained is how many points of top-1 the row has more than that in float32, of the same images, and a dash where that is not known.
func (p *precisionRow) gained() string {
	if p.whole == nil || p.whole == p.row {
		return "–"
	}
	x, y, why := accuraciesOf(p.whole, p.row)
	if x == nil || why != "" {
		return "–"
	}
	return fmt.Sprintf("%+.2f", y.Top1-x.Top1)
}

// writePrecisions writes what networks gain and lose by other precisions than float32.
func (r *run) writePrecisions(out *bufio.Writer) {
	all := r.inPrecisions()
	if len(all) == 0 {
		return
	}
	fmt.Fprint(out, "\n## Precision\n\nOne network under one set of settings, in float32 and in others. The findings test the differences. "+
		"A dash is what was not measured.\n\n")
	var plain []row // without the precision, which has a column
	for _, p := range all {
		one := *p.row
		one.set.Precision = ""
		plain = append(plain, one)
	}
	varying := varyingAxes(plain)
	heads := []string{"model", "settings", "precision", "p50 ms", "times as fast", "packed weights MiB", "peak MiB", "J per image", "top-1 %",
		"points gained"}
	fmt.Fprintf(out, "| %s |\n| ---%s |\n", strings.Join(heads, " | "), strings.Repeat(" | ---:", len(heads)-1))
	for i := range all {
		p := &all[i]
		line := []string{
			markdown(p.name()), cmp.Or(markdown(join(varying(&plain[i]))), "–"), markdown(clean(p.set.precision())),
			"–", p.faster(), "–", "–", "–", "–", p.gained(),
		}
		if p50, _, _, why := p.p50(); why == "" {
			line[3] = fixed(ms(p50), digits(ms(p50)))
		}
		if l := p.latency; l != nil && l.Footprint != nil {
			line[5], line[6] = fixed(float64(l.WeightsBytes)/(1<<20), 1), fixed(float64(l.PeakRSSBytes)/(1<<20), 0)
		}
		if l := p.latency; l != nil && l.JoulesPerImage > 0 {
			line[7] = fixed(l.JoulesPerImage, digits(l.JoulesPerImage))
		}
		if a, why := p.top1(); why == "" {
			line[8] = fixed(a.Top1, top1Digits(a.Images))
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(line, " | "))
	}
	writeCalibrations(out, all)
}

// writeCalibrations says where the numbers of rows in int8 come from, once of all rows that say the same.
func writeCalibrations(out *bufio.Writer, all []precisionRow) {
	of := map[string][]string{} // networks
	var order []string
	for _, p := range all {
		for _, r := range []*record.Record{p.latency, p.eval} {
			if r == nil || r.Calibration == nil || r == p.latency && sameNumbers(r, p.eval) {
				continue
			}
			text := calibrationText(r)
			if of[text] == nil {
				order = append(order, text)
			}
			if name := markdown(p.name()); !slices.Contains(of[text], name) {
				of[text] = append(of[text], name)
			}
		}
	}
	if len(order) > 0 {
		fmt.Fprint(out, "\nNumbers in int8:\n\n")
	}
	for _, text := range order {
		fmt.Fprintf(out, "- %s: %s.\n", strings.Join(of[text], ", "), text)
	}
}

// sameNumbers reports whether two rows have one network's same numbers in int8; b may be nil.
func sameNumbers(a, b *record.Record) bool {
	return b != nil && a.Calibration != nil && b.Calibration != nil && a.Calibration.Numbers == b.Calibration.Numbers
}

// calibrationText says where a row's numbers in int8 come from.
func calibrationText(r *record.Record) string {
	c := r.Calibration
	if c.Generated {
		return "ranges from generated images, for the times alone"
	}
	text := fmt.Sprintf("quantised on %d images of %s (seed %d, hash %.16s)", c.Images, cmp.Or(markdown(clean(c.Data)), "an unknown place"),
		c.Seed, c.SHA256)
	if r.Accuracy != nil && c.Shared > 0 {
		text += fmt.Sprintf("; %d of the %d images of the accuracy are among them", c.Shared, r.Images)
	}
	return text
}

// precisionFigure is latency against measured accuracy with a marker for each precision, and lines between the rows of a network.
func (r *run) precisionFigure(_ []row, where string) (figure, bool) {
	all := r.inPrecisions()
	s := draw.Scatter{YLabel: "top-1 accuracy measured here (%), bars: 95 % interval", Y: draw.Percent, Joined: "one network"}
	var points []point
	var clocked []row
	names := map[*row]string{}
	for _, p := range all {
		p50, lo, hi, why := p.p50()
		top1, from, to, ok := measuredTop1(p.row)
		if why != "" || !ok {
			continue
		}
		q := point{model: clean(p.name())}
		q.Name, q.Family, q.Y, q.YLo, q.YHi = join([]string{clean(p.name()), clean(p.set.precision())}), clean(p.set.precision()), top1, from, to
		q.X, q.XLo, q.XHi, q.Suspect = ms(p50), ms(cmp.Or(lo, p50)), ms(cmp.Or(hi, p50)), p.invalid() != ""
		if names[p.row] = q.Name; p.whole != nil && names[p.whole] != "" && p.whole != p.row {
			s.Joins = append(s.Joins, [2]string{names[p.whole], q.Name})
		}
		points, clocked = append(points, q), append(clocked, *p.row)
	}
	if len(s.Joins) == 0 {
		return figure{}, false
	}
	s.XLabel = latencyLabel(clocked)
	return scatterFigure(precisionFigureName, s, points, draw.Caption{
		Title: "Measured top-1 accuracy against measured latency, by precision", Subtitle: join(nonEmpty(where, settingsText(clocked))),
	}), true
}

// precisionFigureName is the figure's.
const precisionFigureName = "precision"
