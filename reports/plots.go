package reports

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"zoobench/reports/findings"
)

// maxRungs bounds the ladder; a plot that does not show every row says so.
const maxRungs = 120

func faintNRGBA() color.NRGBA { return color.NRGBA{0x60, 0x60, 0x60, 0xff} }

func join(parts []string) string { return strings.Join(parts, " · ") }

// plotNames are the names of all figures that a run may have.
func plotNames() []string {
	names := []string{"latency", "latency_macs", "breakdown", "roofline", "batch_curve", "resolution_curve"}
	for _, source := range []string{"accuracy_", "published_accuracy_"} {
		for _, against := range []string{"macs", "latency", "params", "years"} {
			names = append(names, source+against)
		}
	}
	for _, c := range findings.Claims() {
		names = append(names, forestName(c.ID))
	}
	return names
}

// figures returns the plots that the run's rows and its findings carry. Measured and published accuracies never share one.
func (r *run) figures(found []findings.Finding) []figure {
	where := clean(r.machine.Class())
	var all []figure
	if f, ok := r.latencyFigure(where); ok {
		all = append(all, f)
	}
	chosen := r.chosen()
	all = append(all, r.accuracyFigures(chosen, where)...)
	for _, of := range []func([]row, string) (figure, bool){r.breakdown, r.roofline, r.batchCurve, r.resolutionCurve} {
		if f, ok := of(chosen, where); ok {
			all = append(all, f)
		}
	}
	if f, ok := r.mispredicted(chosen, where, found); ok {
		all = append(all, f)
	}
	for _, f := range found {
		if len(f.Plot.Estimates) > 0 {
			all = append(all, newForest(f, where).figure())
		}
	}
	return all
}

// accuracyFigures are the plots of accuracy against costs and years.
func (r *run) accuracyFigures(chosen []row, where string) (all []figure) {
	clocked := slices.DeleteFunc(slices.Clone(chosen), func(one row) bool { _, _, _, why := one.median(); return why != "" })
	how := settingsText(clocked)
	for _, source := range []struct {
		prefix, yLabel, title, data string // data has the images as %s
		look                        look
		accuracy                    func(*row) (y, lo, hi float64, ok bool)
		over                        func(*row) (id, name string)
	}{
		{"accuracy_", "top-1 accuracy measured here (%), bars: 95 % interval", "Measured top-1 accuracy against %s", "top-1 over %s", solid, measuredTop1, measuredOver},
		{
			"published_accuracy_", "published top-1 accuracy (%), not measured here", "Published top-1 accuracy (not measured here) against %s",
			"accuracies are figures from the literature, on %s", hollow, publishedTop1, publishedOver,
		},
	} {
		if source.look == hollow && !r.lacksAccuracy() {
			continue // everything was measured: published figures would add nothing
		}
		some, images, note := oneSet(chosen, source.over)
		macs, timed, out := r.points(some, source.accuracy)
		if source.look == hollow && len(out) > 0 {
			note = strings.TrimSpace(note + " Left out, because the published accuracy is of another input size: " + list(out, 8) + ".")
		}
		subtitle, data := "", fmt.Sprintf(source.data, images)
		if source.look == hollow {
			subtitle, data = data, ""
		}
		if len(macs) > 0 {
			s := scatter{points: macs, xLabel: "multiply-accumulates of one image (G), log scale", yLabel: source.yLabel, bubbles: true, look: source.look}
			all = append(all, s.figure(source.prefix+"macs", fmt.Sprintf(source.title, "MACs"), join(nonEmpty(subtitle, "area: parameters; MACs and parameters counted from the graph", tagText(macs), data)), note))
		}
		if len(timed) > 0 {
			s := scatter{points: timed, xLabel: "median latency of " + call(clocked) + " (ms), log scale", yLabel: source.yLabel, look: source.look}
			all = append(all, s.figure(source.prefix+"latency", fmt.Sprintf(source.title, "measured latency"), join(nonEmpty(subtitle, where, how, tagText(timed), data)), note))
		}
		if dated := byYear(macs); len(dated) > 0 {
			s := scatter{points: dated, xLabel: "year of publication; networks of one year stand side by side", yLabel: source.yLabel, look: source.look, years: true}
			all = append(all, s.figure(source.prefix+"years", strings.ReplaceAll(fmt.Sprintf(source.title, "years"), "against years", "over years, by family"), join(nonEmpty(subtitle, tagText(dated), data)), note))
		}
		if sized := byParams(macs); len(sized) > 0 {
			s := scatter{points: sized, xLabel: "parameters (M), log scale", yLabel: source.yLabel, look: source.look}
			all = append(all, s.figure(source.prefix+"params", fmt.Sprintf(source.title, "parameters"), join(nonEmpty(subtitle, "parameters counted from the graph", tagText(sized), data)), note))
		}
	}
	return all
}

// byParams returns points that have parameters with those across, in millions.
func byParams(points []point) []point {
	var some []point
	for _, q := range points {
		if q.params > 0 {
			q.x = q.params / 1e6
			q.xLo, q.xHi = q.x, q.x
			some = append(some, q)
		}
	}
	return some
}

// byYear returns points that have a year with that across.
func byYear(points []point) []point {
	var some []point
	for _, q := range points {
		if q.year > 0 {
			q.x = float64(q.year)
			some = append(some, q)
		}
	}
	spread(some)
	return some
}

// mispredicted is latency against multiply-accumulates, with lines between the networks whose order is the other way
// round.
func (r *run) mispredicted(rows []row, where string, found []findings.Finding) (figure, bool) {
	const id = "macs-mispredict-latency"
	seen := map[string]bool{} // a network's other sizes follow its own or are a curve's
	var points []point
	var clocked []row
	for i := range rows {
		one := &rows[i]
		p50, lo, hi, why := one.median()
		c := one.counts()
		if why != "" || c == nil || c.MACs <= 0 || seen[one.model()] {
			continue
		}
		seen[one.model()] = true
		macs := float64(c.MACs) / 1e9
		clocked = append(clocked, *one)
		points = append(points, point{
			model: clean(one.model()), family: clean(one.any().Family), size: one.set.size, x: macs, xLo: macs, xHi: macs,
			y: ms(p50), yLo: ms(cmp.Or(lo, p50)), yHi: ms(cmp.Or(hi, p50)), suspect: one.invalid() != "",
		})
	}
	if len(points) < 3 {
		return figure{}, false
	}
	nameAll(points)
	s := scatter{points: points, xLabel: "multiply-accumulates of one image (G), log scale", yLabel: "median latency of " + call(clocked) + " (ms), log scale", costs: true}
	for _, f := range found {
		if f.ID == id {
			s.joined = f.Pairs
		}
	}
	f := s.figure("latency_macs", "Measured latency against MACs", join(nonEmpty(where, settingsText(clocked), "bars: 95 % interval")), "")
	f.finding = id
	return f, true
}

func nonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// latencyFigure is the ladder over all timed rows, in the order of the tables: a network
// under several settings stays together.
func (r *run) latencyFigure(where string) (figure, bool) {
	type id struct {
		model string
		settings
	}
	var rows []row
	seen := map[id]bool{}
	for _, one := range r.rows {
		if k := (id{one.model(), one.set}); one.latency != nil && !seen[k] {
			seen[k] = true
			rows = append(rows, one)
		}
	}
	var l ladder
	var clocked []row
	var without []string
	varying := varyingAxes(rows)
	for i := range rows {
		name := join(append([]string{clean(rows[i].model())}, varying(&rows[i])...))
		p50, lo, hi, why := rows[i].median()
		if why != "" {
			if !slices.Contains(without, name) {
				without = append(without, name)
			}
			continue
		}
		clocked = append(clocked, rows[i])
		t := rows[i].latency.Timing
		l.rungs = append(l.rungs, rung{
			name: name, family: clean(rows[i].latency.Family),
			p50: ms(p50), lo: ms(lo), hi: ms(hi), p90: ms(t.P90), suspect: rows[i].invalid() != "",
		})
	}
	if len(l.rungs) == 0 {
		return figure{}, false
	}
	var notes []string
	if n := len(l.rungs); n > maxRungs {
		l.rungs = l.rungs[:maxRungs]
		notes = append(notes, fmt.Sprintf("The first %d of %d rows; all of them stand in latency.csv.", maxRungs, n))
	}
	if len(without) > 0 {
		notes = append(notes, "Without a median (report.md says why): "+list(without, 12)+".")
	}
	l.xLabel = "latency of " + call(clocked) + " (ms), log scale"
	return l.figure("latency", "Latency by network", join(nonEmpty(where, settingsText(clocked))), strings.Join(notes, " ")), true
}

// call names what one latency is of.
func call(rows []row) string {
	batches := distinct(rows, func(r *row) string { return fmt.Sprint(r.set.batch) })
	if len(batches) == 1 && batches[0] == "1" {
		return "one image"
	}
	return "a batch"
}

func ms(ns int64) float64 { return float64(ns) / 1e6 }

// varyingAxes returns what names a row's settings where rows differ in them.
func varyingAxes(rows []row) func(*row) []string {
	var some []axis
	sizes := axis{"px", "%s px", func(r *row) string { return fmt.Sprint(r.set.size) }}
	for _, a := range append([]axis{sizes}, axes()[:5]...) {
		// Networks have their own input size: it tells rows apart only within one.
		if a.head == "px" && !repeats(rows) {
			continue
		}
		if len(distinct(rows, a.value)) > 1 {
			some = append(some, a)
		}
	}
	return func(r *row) (parts []string) {
		for _, a := range some {
			if v := a.value(r); v != "" {
				parts = append(parts, fmt.Sprintf(a.caption, v))
			}
		}
		return parts
	}
}

// repeats reports whether a network stands in rows at two sizes.
func repeats(rows []row) bool {
	size := map[string]int{}
	for i := range rows {
		if s, ok := size[rows[i].model()]; ok && s != rows[i].set.size {
			return true
		}
		size[rows[i].model()] = rows[i].set.size
	}
	return false
}

// chosen returns the rows of the settings under which the most networks were timed, of
// equals those that come first, and every row that was not timed: points of one scatter
// plot have one set of settings.
func (r *run) chosen() []row {
	models := map[settings]map[string]bool{}
	at := func(one *row) settings {
		s := one.set
		s.size = 0
		return s
	}
	var best settings
	for i := range r.rows {
		one := &r.rows[i]
		if _, _, _, why := one.median(); why != "" {
			continue
		}
		k := at(one)
		if models[k] == nil {
			models[k] = map[string]bool{}
		}
		models[k][one.model()] = true
	}
	for i := range r.rows {
		if k := at(&r.rows[i]); len(models[k]) > len(models[best]) {
			best = k
		}
	}
	var rows []row
	for _, one := range r.rows {
		if _, _, _, why := one.median(); why != "" || at(&one) == best {
			rows = append(rows, one)
		}
	}
	return rows
}

func measuredTop1(r *row) (y, lo, hi float64, ok bool) {
	a, why := r.top1()
	if why != "" {
		return 0, 0, 0, false
	}
	return a.Top1, a.Top1Lo, a.Top1Hi, true
}

func publishedTop1(r *row) (y, lo, hi float64, ok bool) {
	p := r.published()
	if p == nil || p.ImgSize > 0 && r.set.size > 0 && p.ImgSize != r.set.size {
		return 0, 0, 0, false
	}
	return p.Top1, p.Top1, p.Top1, true
}

// points returns a point a network, size and accuracy for the plots against MACs and
// against latency, and the networks whose published accuracy is of another size.
func (r *run) points(rows []row, accuracy func(*row) (y, lo, hi float64, ok bool)) (macs, timed []point, out []string) {
	type id struct {
		name string
		size int
		y    float64
	}
	counted, clocked := map[id]bool{}, map[id]bool{}
	in := map[string]bool{}
	for i := range rows {
		one := &rows[i]
		y, lo, hi, ok := accuracy(one)
		if !ok {
			continue
		}
		in[one.model()] = true
		q := point{family: clean(one.any().Family), year: one.any().Year, y: y, yLo: lo, yHi: hi, model: clean(one.model()), size: one.set.size}
		if one.eval != nil {
			q.tag = clean(weightsOf(one.eval))
		}
		k := id{one.name(), one.set.size, y}
		c := one.counts()
		if c != nil {
			q.params = float64(c.Params)
		}
		wrong := one.eval != nil && one.eval.Accuracy != nil && lo != hi && !one.eval.Verdict.Valid
		if c != nil && c.MACs > 0 && !counted[k] {
			counted[k] = true
			q.x = float64(c.MACs) / 1e9
			q.xLo, q.xHi, q.suspect = q.x, q.x, wrong
			macs = append(macs, q)
		}
		if p50, plo, phi, why := one.median(); why == "" && !clocked[k] {
			clocked[k] = true
			q.x, q.xLo, q.xHi = ms(p50), ms(cmp.Or(plo, p50)), ms(cmp.Or(phi, p50))
			q.suspect = wrong || one.invalid() != ""
			timed = append(timed, q)
		}
	}
	for i := range rows {
		// One that had no accuracy at all is not left out for its size.
		if name := clean(rows[i].model()); rows[i].published() != nil && !in[rows[i].model()] && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	nameAll(macs)
	nameAll(timed)
	return macs, timed, out
}

// nameAll names points as shortly as tells them apart: the checkpoint's tag where tags
// differ, the size where a network has several.
func nameAll(points []point) {
	tags, sizes := map[string]bool{}, map[string]map[int]bool{}
	for _, q := range points {
		tags[q.tag] = true
		if sizes[q.model] == nil {
			sizes[q.model] = map[int]bool{}
		}
		sizes[q.model][q.size] = true
	}
	for i := range points {
		q := &points[i]
		q.name = q.model
		if len(tags) > 1 && q.tag != "" {
			q.name += "." + q.tag
		}
		if len(sizes[q.model]) > 1 {
			q.name += fmt.Sprintf(" %d px", q.size)
		}
	}
}

// tagText names the one checkpoint tag that all points share.
func tagText(points []point) string {
	tag := points[0].tag
	if tag == "" || slices.ContainsFunc(points, func(q point) bool { return q.tag != tag }) {
		return ""
	}
	return "checkpoints " + tag
}

// lacksAccuracy reports whether a row has no measured accuracy.
func (r *run) lacksAccuracy() bool {
	return slices.ContainsFunc(r.rows, func(one row) bool { _, why := one.top1(); return why != "" })
}
