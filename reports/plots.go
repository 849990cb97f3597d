package reports

import (
	"fmt"
	"slices"
	"strings"

	"zoobench/reports/draw"
	"zoobench/reports/findings"
)

// A figure is a plot with the name of its files.
type figure struct {
	draw.Figure
	name    string // without extension
	finding string // the claim that it shows, "" for none
	small   bool   // whether the page has it in its section on small networks
}

// maxRungs bounds the ladder; a plot that does not show every row says so.
const maxRungs = 120

func join(parts []string) string { return strings.Join(parts, " · ") }

func nonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// plotNames are the names of all figures that a run may have.
func plotNames() []string {
	names := []string{smallFigureName, "latency", "latency_macs", "breakdown", "roofline", "batch_curve", "resolution_curve",
		corruptionCurveName,
		precisionFigureName}
	for _, source := range []string{"accuracy_", "published_accuracy_"} {
		for _, against := range []string{"macs", "latency", "params", "years"} {
			names = append(names, source+against)
		}
	}
	names = append(names, sheetNames()...)
	names = append(names, learningNames()...)
	for _, c := range findings.Claims() {
		names = append(names, forestName(c.ID))
	}
	return names
}

// figures returns the plots that the run's rows and its findings carry. Measured and published accuracies never share
// one.
func (r *run) figures(found []findings.Finding) []figure {
	where := clean(r.machine.Title())
	var all []figure
	if f, ok := r.latencyFigure(where); ok {
		all = append(all, f)
	}
	chosen := r.chosen()
	all = append(all, r.accuracyFigures(chosen, where)...)
	for _, of := range []func([]row, string) (figure, bool){
		r.breakdown, r.roofline, r.batchCurve, r.resolutionCurve, r.corruptionCurve, r.precisionFigure,
	} {
		if f, ok := of(chosen, where); ok {
			all = append(all, f)
		}
	}
	if f, ok := r.smallFigure(where); ok {
		all = append(all, f)
	}
	all = append(all, r.learningCurves()...)
	all = append(all, r.sheetFigures()...)
	if f, ok := r.mispredicted(chosen, where, found); ok {
		all = append(all, f)
	}
	for _, f := range found {
		if len(f.Plot.Estimates) > 0 {
			all = append(all, estimatesFigure(f, where))
		}
	}
	return all
}

// latencyFigure is the ladder over all timed rows, in the order of the tables: a network under several settings stays
// together.
func (r *run) latencyFigure(where string) (figure, bool) {
	rows := r.timed()
	l := draw.Ladder{Heads: []string{"median", "95 % interval", "p90"}, MidText: "median", TailText: "90th percentile"}
	var clocked []row
	var without []string
	varying := varyingAxes(rows)
	for i := range rows {
		one := &rows[i]
		name := join(append([]string{clean(one.model())}, varying(one)...))
		if _, _, _, why := one.p50(); why == "" {
			clocked = append(clocked, *one)
			l.Rungs = append(l.Rungs, rung(one, name))
		} else if !slices.Contains(without, name) {
			without = append(without, name)
		}
	}
	if len(l.Rungs) == 0 {
		return figure{}, false
	}
	var notes []string
	if n := len(l.Rungs); n > maxRungs {
		l.Rungs = l.Rungs[:maxRungs]
		notes = append(notes, fmt.Sprintf("Only the first %d of %d rows are shown; latency.csv has all of them.", maxRungs, n))
	}
	if len(without) > 0 {
		notes = append(notes, "Not shown, because they have no median (report.md says why): "+list(without, 12)+".")
	}
	l.XLabel = "latency of " + call(clocked) + " (ms), log scale"
	c := draw.Caption{Title: "Latency by network", Subtitle: join(nonEmpty(where, settingsText(clocked))), Note: strings.Join(notes, " ")}
	return figure{Figure: l.Figure(c), name: "latency"}, true
}

// timed returns the rows with a latency record, a network and set of settings once.
func (r *run) timed() (rows []row) {
	type id struct {
		model string
		settings
	}
	seen := map[id]bool{}
	for _, one := range r.rows {
		if k := (id{one.model(), one.set}); one.latency != nil && !seen[k] {
			seen[k] = true
			rows = append(rows, one)
		}
	}
	return rows
}

// rung is the latency of a row that has a median.
func rung(r *row, name string) draw.Rung {
	p50, lo, hi, _ := r.p50()
	p90 := r.latency.Timing.P90
	d := digits(ms(p50))
	cells := []string{fixed(ms(p50), d), "–", "–"}
	if lo > 0 {
		cells[1] = fixed(ms(lo), d) + " to " + fixed(ms(hi), d)
	}
	if p90 > 0 {
		cells[2] = fixed(ms(p90), d)
	}
	return draw.Rung{
		Name: name, Family: clean(r.latency.Family), Mid: ms(p50), Lo: ms(lo), Hi: ms(hi), Tail: ms(p90),
		Cells: cells, Suspect: r.invalid() != "",
	}
}

// call names what one latency is of.
func call(rows []row) string {
	batches := distinct(rows, func(r *row) string { return fmt.Sprint(r.set.Batch) })
	if len(batches) == 1 && batches[0] == "1" {
		return "one image"
	}
	return "a batch"
}

func ms(ns int64) float64 { return float64(ns) / 1e6 }

// settingsText names the settings that all of the rows share, for a subtitle.
func settingsText(rows []row) string {
	var parts []string
	for _, a := range axes(rows)[:6] {
		if values := distinct(rows, a.value); len(values) == 1 {
			parts = append(parts, fmt.Sprintf(a.caption, values[0]))
		}
	}
	return join(parts)
}

// varyingAxes returns what names a row's settings where rows differ in them.
func varyingAxes(rows []row) func(*row) []string {
	var some []axis
	sizes := axis{"px", "%s px", func(r *row) string { return fmt.Sprint(r.set.ImgSize) }}
	for _, a := range append([]axis{sizes}, axes(rows)[:6]...) {
		// Networks have their own input size: it names rows only within one.
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

// repeats reports whether a network has rows of two sizes.
func repeats(rows []row) bool {
	size := map[string]int{}
	for i := range rows {
		if s, ok := size[rows[i].model()]; ok && s != rows[i].set.ImgSize {
			return true
		}
		size[rows[i].model()] = rows[i].set.ImgSize
	}
	return false
}

// chosen returns the rows of the settings under which the most networks were timed, of equals those that come first, and
// every row that was not timed: points of one scatter plot have one set of settings.
func (r *run) chosen() []row {
	models := map[settings]map[string]bool{}
	at := func(one *row) settings {
		s := one.set
		s.ImgSize = 0
		return s
	}
	var best settings
	for i := range r.rows {
		one := &r.rows[i]
		if _, _, _, why := one.p50(); why != "" {
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
		if _, _, _, why := one.p50(); why != "" || at(&one) == best {
			rows = append(rows, one)
		}
	}
	return rows
}
