package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zoobench/reports/draw"
	"zoobench/reports/findings"
)

// A point is a network in a scatter plot, with what it may be named and placed by.
type point struct {
	draw.Point
	model, tag string
	size, year int // 0 where it is not known
}

// An accuracySource is where a plot's accuracies come from.
type accuracySource struct {
	prefix, yLabel string
	title          string
	data           string // says over which images, as %s
	hollow         string // what the legend says of its markers, if they are hollow
	accuracy       func(*row) (y, lo, hi float64, ok bool)
	over           func(*row) (id, name string)
}

func accuracySources() (measured, published accuracySource) {
	measured = accuracySource{
		prefix: "accuracy_", yLabel: "top-1 accuracy measured here (%), bars: 95 % interval",
		title: "Measured top-1 accuracy", data: "top-1 on %s", accuracy: measuredTop1, over: measuredOver,
	}
	published = accuracySource{
		prefix: "published_accuracy_", yLabel: "published top-1 accuracy (%), not measured here",
		title: "Published top-1 accuracy (not measured here)", data: "accuracies from the literature, on %s",
		hollow: "published, not\nmeasured here", accuracy: publishedTop1, over: publishedOver,
	}
	return measured, published
}

const macsLabel = "multiply-accumulates of one image (G), log scale"

func latencyLabel(rows []row) string { return "median latency of " + call(rows) + " (ms), log scale" }

// accuracyFigures are the plots of accuracy against costs and years.
func (r *run) accuracyFigures(chosen []row, where string) []figure {
	measured, published := accuracySources()
	all := r.accuracyPlots(measured, chosen, where)
	if r.lacksAccuracy() { // else published figures would add nothing
		all = append(all, r.accuracyPlots(published, chosen, where)...)
	}
	return all
}

func (r *run) accuracyPlots(source accuracySource, chosen []row, where string) (all []figure) {
	some, images, note := oneSet(chosen, source.over)
	macs, timed, out := r.points(some, source.accuracy)
	before, after := "", fmt.Sprintf(source.data, images) // in the subtitle
	if source.hollow != "" {
		before, after = after, ""
		if len(out) > 0 {
			note = strings.TrimSpace(note + " Left out, because the published accuracy is for another input size: " + list(out, 8) + ".")
		}
	}
	add := func(against, title string, points []point, s draw.Scatter, subtitle ...string) {
		if len(points) == 0 {
			return
		}
		c := draw.Caption{Title: source.title + title, Note: note}
		c.Subtitle = join(nonEmpty(append(append([]string{before}, subtitle...), tagText(points), after)...))
		s.YLabel, s.Y, s.Hollow = source.yLabel, draw.Percent, source.hollow
		s.Front = cmp.Or(s.Front, "Pareto front")
		all = append(all, scatterFigure(source.prefix+against, s, points, c))
	}
	clocked := slices.DeleteFunc(slices.Clone(chosen), func(one row) bool { _, _, _, why := one.p50(); return why != "" })
	add("macs", " against MACs", macs, draw.Scatter{XLabel: macsLabel, Bubbles: "area: parameters"},
		"area: parameters; MACs and parameters counted from the graph")
	add("latency", " against measured latency", timed, draw.Scatter{XLabel: latencyLabel(clocked)}, where, settingsText(clocked))
	add("years", " by year of publication", byYear(macs),
		draw.Scatter{XLabel: "year of publication; networks of one year are side by side", X: draw.Years, Front: "best so far"})
	add("params", " against parameters", byParams(macs), draw.Scatter{XLabel: "parameters (M), log scale"},
		"parameters counted from the graph")
	return all
}

// scatterFigure draws the points.
func scatterFigure(name string, s draw.Scatter, points []point, c draw.Caption) figure {
	for _, p := range points {
		p.Hollow = s.Hollow != ""
		s.Points = append(s.Points, p.Point)
	}
	if s.Crowded() {
		c.Note = strings.TrimSpace(c.Note + " Some names are left out, because there is no room for them; report.md has every row.")
	}
	return figure{Figure: s.Figure(c), name: name}
}

// at moves a point across.
func (q point) at(x float64) point {
	q.X, q.XLo, q.XHi = x, x, x
	return q
}

// byParams returns points that have parameters with those across, in millions.
func byParams(points []point) (some []point) {
	for _, q := range points {
		if q.Area > 0 {
			some = append(some, q.at(q.Area/1e6))
		}
	}
	return some
}

// byYear returns points that have a year with that across.
func byYear(points []point) (some []point) {
	for _, q := range points {
		if q.year > 0 {
			some = append(some, q.at(float64(q.year)))
		}
	}
	return some
}

// mispredicted is latency against multiply-accumulates, with lines between the networks that take as many of them and are
// farthest apart in latency.
func (r *run) mispredicted(rows []row, where string, found []findings.Finding) (figure, bool) {
	const id = "macs-mispredict-latency"
	seen := map[string]bool{} // a network's other sizes follow its own or are a curve's
	var points []point
	var clocked []row
	for i := range rows {
		one := &rows[i]
		p50, lo, hi, why := one.p50()
		c := one.counts()
		if why != "" || c == nil || c.MACs <= 0 || seen[one.model()] {
			continue
		}
		seen[one.model()] = true
		clocked = append(clocked, *one)
		q := point{model: clean(one.model()), size: one.set.ImgSize}.at(float64(c.MACs) / 1e9)
		q.Family, q.Suspect = clean(one.any().Family), one.invalid() != ""
		q.Y, q.YLo, q.YHi = ms(p50), ms(cmp.Or(lo, p50)), ms(cmp.Or(hi, p50))
		points = append(points, q)
	}
	if len(points) < 3 {
		return figure{}, false
	}
	nameAll(points)
	s := draw.Scatter{XLabel: macsLabel, YLabel: latencyLabel(clocked), Joined: "as many MACs,\nother time"}
	for _, f := range found {
		if f.ID == id {
			s.Joins = f.Pairs
		}
	}
	f := scatterFigure("latency_macs", s, points, draw.Caption{
		Title: "Measured latency against MACs", Subtitle: join(nonEmpty(where, settingsText(clocked), "bars: 95 % interval")),
	})
	f.finding = id
	return f, true
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
	if p == nil || p.ImgSize > 0 && r.set.ImgSize > 0 && p.ImgSize != r.set.ImgSize {
		return 0, 0, 0, false
	}
	return p.Top1, p.Top1, p.Top1, true
}

// points returns a point a network, size and accuracy for the plots against MACs and against latency, and the networks
// whose published accuracy is of another size.
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
		q := point{model: clean(one.model()), size: one.set.ImgSize, year: one.any().Year}
		q.Family, q.Y, q.YLo, q.YHi = clean(one.any().Family), y, lo, hi
		q.Suspect = one.eval != nil && one.eval.Accuracy != nil && lo != hi && !one.eval.Verdict.Valid
		if one.eval != nil {
			q.tag = clean(weightsOf(one.eval))
		}
		k := id{one.name(), one.set.ImgSize, y}
		c := one.counts()
		if c != nil {
			q.Area = float64(c.Params)
		}
		if c != nil && c.MACs > 0 && !counted[k] {
			counted[k] = true
			macs = append(macs, q.at(float64(c.MACs)/1e9))
		}
		if p50, plo, phi, why := one.p50(); why == "" && !clocked[k] {
			clocked[k] = true
			q.X, q.XLo, q.XHi = ms(p50), ms(cmp.Or(plo, p50)), ms(cmp.Or(phi, p50))
			q.Suspect = q.Suspect || one.invalid() != ""
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

// nameAll gives points the shortest names that differ: the checkpoint's tag where tags differ, the size where a
// network has several.
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
		q.Name = q.model
		if len(tags) > 1 && q.tag != "" {
			q.Name += "." + q.tag
		}
		if len(sizes[q.model]) > 1 {
			q.Name += fmt.Sprintf(" %d px", q.size)
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
