package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/reports/text"
)

// A table is the rows of one experiment as cells, for the terminal and for Markdown.
type table struct {
	experiment string
	heads      []string
	left       []bool // columns of text; the others are figures
	cells      [][]cell
	omitted    []string // columns left out for want of width
	caption    string   // what all rows share
	notes      []string // numbered from 1, for the marks in cells
}

// A cell is a text that is safe to print, and why it looks as it does.
type cell struct {
	text string
	tone tone
}

type tone int

const (
	plain     tone = iota
	missing        // not measured
	suspect        // measured, and not to be trusted
	published      // another's figure
)

// A column of a table. Wide is whether its cell has room for an interval; need orders columns by how soon a
// narrow terminal does without them, 0 is never.
type column struct {
	head string
	left bool
	need int
	cell func(r *row, n *notes, wide bool) cell
}

// levels are how much a terminal can show: everything, no intervals, then one column after the other less.
const levels = 7

// columns returns the columns of every table at a level. Accuracies say % in the head.
func columns(level int) []column {
	all := []column{
		{"model", true, 0, func(r *row, n *notes, wide bool) cell {
			limit := 40
			if level >= 2 {
				limit = 24
			}
			return cell{text.Shorten(r.name(), limit), plain}
		}},
		{"params M", false, 5, paramsCell},
		{"MACs G", false, 0, macsCell},
		{"px", false, 4, sizeCell},
		{"p50 ms", false, 0, medianCell},
		{"img/s", false, 3, rateCell},
		{"peak MiB", false, 2, peakCell},
		{"measured top-1 %", false, 0, top1Cell},
		{"published top-1 %", false, 0, publishedCell},
	}
	if level == levels-1 {
		all[8].need = 1 // the last thing to go
	}
	return all
}

func paramsCell(r *row, n *notes, wide bool) cell {
	if c := r.counts(); c != nil {
		return cell{fixed(float64(c.Params)/1e6, 2), plain}
	}
	return n.missing(r, reason(r.any(), "params", "macs", "latency_p50_ns", "n_images"))
}

func macsCell(r *row, n *notes, wide bool) cell {
	if c := r.counts(); c != nil {
		return cell{fixed(float64(c.MACs)/1e9, 3), plain}
	}
	return n.missing(r, reason(r.any(), "macs", "params", "latency_p50_ns", "n_images"))
}

func sizeCell(r *row, n *notes, wide bool) cell {
	if r.set.ImgSize > 0 {
		return cell{fmt.Sprint(r.set.ImgSize), plain}
	}
	return n.missing(r, reason(r.any(), "img_size", "latency_p50_ns", "latency_min_ns", "n_images"))
}

func rateCell(r *row, n *notes, wide bool) cell {
	_, _, _, why := r.p50()
	if why == "" && finite(r.latency.ImagesPerSec) && r.latency.ImagesPerSec > 0 {
		v := r.latency.ImagesPerSec
		return cell{fixed(v, max(digits(v)-1, 0)), plain}
	}
	if r.latency != nil {
		why = cmp.Or(r.latency.NotMeasured["images_per_s"], why, "the record has no rate")
	}
	return n.missing(r, why)
}

func costCell(r *row, n *notes, wide bool) cell {
	if v := r.cost1M(); v > 0 {
		return cell{record.CostText(v), plain}
	}
	_, _, _, why := r.p50()
	return n.missing(r, cmp.Or(why, "no price was given"))
}

func peakCell(r *row, n *notes, wide bool) cell {
	if r.latency == nil {
		return n.missing(r, "not timed in this experiment")
	}
	if f := r.latency.Footprint; f != nil && f.PeakRSSBytes > 0 {
		return cell{fixed(float64(f.PeakRSSBytes)/(1<<20), 0), plain}
	}
	return n.missing(r, reason(r.latency, "peak_rss_bytes", "weights_bytes"))
}

func medianCell(r *row, n *notes, wide bool) cell {
	p50, lo, hi, why := r.p50()
	if why != "" {
		return n.missing(r, why)
	}
	ms := float64(p50) / 1e6
	d := digits(ms)
	text := fixed(ms, d)
	if wide && lo > 0 {
		text += fmt.Sprintf(" [%s, %s]", fixed(float64(lo)/1e6, d), fixed(float64(hi)/1e6, d))
	}
	if why := r.invalid(); why != "" {
		return cell{text + " " + n.mark(r, "not to be trusted: "+why), suspect}
	}
	return cell{text, plain}
}

func top1Cell(r *row, n *notes, wide bool) cell {
	a, why := r.top1()
	if why != "" {
		return n.missing(r, why)
	}
	d := top1Digits(a.Images)
	text := fixed(a.Top1, d)
	if wide {
		text += fmt.Sprintf(" [%s, %s]", fixed(a.Top1Lo, d), fixed(a.Top1Hi, d))
	}
	if !r.eval.Verdict.Valid {
		return cell{text + " " + n.mark(r, "not to be trusted: "+strings.Join(r.eval.Verdict.Reasons, "; ")), suspect}
	}
	return cell{text, plain}
}

func publishedCell(r *row, n *notes, wide bool) cell {
	p := r.published()
	if p == nil {
		return n.missing(r, r.unpublished())
	}
	text := fixed(p.Top1, 2) + onSet(p.Dataset)
	if p.ImgSize > 0 && r.set.ImgSize > 0 && p.ImgSize != r.set.ImgSize {
		text += fmt.Sprintf(" at %d px", p.ImgSize)
	}
	return cell{text, published}
}

// newTable renders the rows of one experiment at a level.
func newTable(rows []row, level int) table {
	t := table{experiment: clean(rows[0].experiment())}
	var marks notes
	var cols []column
	for _, c := range columns(level) {
		if c.need > 0 && c.need <= level-1 {
			t.omitted = append(t.omitted, c.head)
		} else {
			cols = append(cols, c)
		}
	}
	if aboutSmall(rows) != "" { // nobody else has figures of them
		cols = slices.DeleteFunc(cols, func(c column) bool { return c.head == "published top-1 %" })
		t.omitted = slices.DeleteFunc(t.omitted, func(head string) bool { return head == "published top-1 %" })
	}
	var shared []string
	var extra []column
	for _, a := range axes(rows) {
		values := distinct(rows, a.value)
		switch {
		case len(values) > 1:
			extra = append(extra, column{head: a.head, cell: func(r *row, n *notes, wide bool) cell {
				return cell{cmp.Or(a.value(r), "–"), plain}
			}})
		case len(values) == 1:
			shared = append(shared, fmt.Sprintf(a.caption, values[0]))
		}
	}
	if slices.ContainsFunc(rows, func(r row) bool { return r.cost1M() > 0 }) {
		at := slices.IndexFunc(cols, func(c column) bool { return c.head == "peak MiB" || c.head == "measured top-1 %" })
		cols = slices.Insert(cols, at, column{"cost of 1M", false, 0, costCell})
		shared = append(shared, "cost of 1M: a million images, at the price of the machine")
	}
	at := slices.IndexFunc(cols, func(c column) bool { return c.head == "p50 ms" })
	cols = slices.Insert(cols, at, extra...)
	wide := level == 0
	if wide {
		shared = append(shared, "in brackets: 95 % interval")
	} else {
		t.omitted = append(t.omitted, "intervals")
	}
	t.caption = strings.Join(shared, " · ")
	for _, c := range cols {
		t.heads = append(t.heads, c.head)
		t.left = append(t.left, c.left)
	}
	for i := range rows {
		var line []cell
		for _, c := range cols {
			line = append(line, c.cell(&rows[i], &marks, wide))
		}
		t.cells = append(t.cells, line)
	}
	t.notes = marks.texts()
	return t
}

// distinct returns the values of rows, each once, without the empty one where it is the only kind of absence: a row
// that failed before it had settings is no axis.
func distinct(rows []row, value func(*row) string) []string {
	var values []string
	for i := range rows {
		v := value(&rows[i])
		if v != "" && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// byExperiment cuts rows, in their order, into one group an experiment.
func byExperiment(rows []row) [][]row {
	var groups [][]row
	for start := 0; start < len(rows); {
		end := start
		for end < len(rows) && rows[end].experiment() == rows[start].experiment() {
			end++
		}
		groups = append(groups, rows[start:end])
		start = end
	}
	return groups
}

// notes numbers the reasons beneath a table. Reasons that differ in nothing but the network's name are one.
type notes struct {
	keys  []string
	first map[string]string // key -> the reason as first given
	other map[string]bool   // key -> a second network gave it too
	model map[string]string // key -> the network that gave it first
}

// missing returns the cell of a figure that was not measured.
func (n *notes) missing(r *row, why string) cell {
	return cell{"– " + n.mark(r, why), missing}
}

// mark returns the number of a reason in parentheses.
func (n *notes) mark(r *row, why string) string {
	if n.first == nil {
		n.first, n.other, n.model = map[string]string{}, map[string]bool{}, map[string]string{}
	}
	key := why
	if r.model() != "" {
		key = strings.ReplaceAll(why, r.model(), "NETWORK")
	}
	if _, ok := n.first[key]; !ok {
		n.keys = append(n.keys, key)
		n.first[key], n.model[key] = why, r.model()
	} else if n.model[key] != r.model() {
		n.other[key] = true
	}
	return fmt.Sprintf("(%d)", slices.Index(n.keys, key)+1)
}

// texts returns the reasons in the order of their numbers, safe to print.
func (n *notes) texts() []string {
	var texts []string
	for _, key := range n.keys {
		if n.other[key] {
			texts = append(texts, clean(key))
		} else {
			texts = append(texts, clean(n.first[key]))
		}
	}
	return texts
}

// warnings returns what verdicts warn of, each text once with the networks that it is about.
func warnings(rows []row) []string {
	var texts []string
	about := map[string][]string{}
	for i := range rows {
		for _, rec := range []*record.Record{rows[i].latency, rows[i].eval} {
			if rec == nil {
				continue
			}
			for _, w := range rec.Verdict.Warnings {
				w = clean(w)
				if len(about[w]) == 0 {
					texts = append(texts, w)
				}
				if name := nameOf(rec); !slices.Contains(about[w], name) {
					about[w] = append(about[w], name)
				}
			}
		}
	}
	for i, w := range texts {
		texts[i] = fmt.Sprintf("%s: %s", list(about[w], 6), w)
	}
	return texts
}
