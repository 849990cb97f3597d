package choose

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"zoobench/bench/choose/heads"
	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// The heads.
const (
	headProbe   = "linear probe"
	headNearest = "nearest"
	headOwn     = "own head"
)

// A Metric is what rows are ordered by.
type Metric string

// The metrics.
const (
	byAccuracy Metric = "accuracy"
	byBalanced Metric = "balanced_accuracy"
	byMacroF1  Metric = "macro_f1"
)

// Metrics are the names of all metrics.
func Metrics() []string { return []string{string(byAccuracy), string(byBalanced), string(byMacroF1)} }

func (m Metric) of(s heads.Score) heads.Estimate {
	switch m {
	case byBalanced:
		return s.Balanced
	case byMacroF1:
		return s.MacroF1
	}
	return s.Accuracy
}

// words is the metric's name in a sentence.
func (m Metric) words() string {
	switch m {
	case byBalanced:
		return "balanced accuracy"
	case byMacroF1:
		return "macro-F1"
	}
	return "accuracy"
}

// meaning says what the metric is.
func (m Metric) meaning() string {
	switch m {
	case byBalanced:
		return "The mean of the classes' accuracies: a rare class counts as much as a common one."
	case byMacroF1:
		return "A mean over the classes that also counts images that get a class wrongly."
	}
	return "The share of the images that get the right class."
}

// test is how a difference of two rows by the metric is tested.
func (m Metric) test() string {
	if m == byAccuracy {
		return "McNemar's exact test on the same images"
	}
	return "a paired bootstrap of the same images"
}

// withArticle is the metric's name as one of its values is called.
func (m Metric) withArticle() string {
	if m == byAccuracy {
		return "an " + m.words()
	}
	return "a " + m.words()
}

// Limits are what a network must keep to be picked; zero values limit nothing.
type Limits struct {
	Latency    time.Duration `json:"latency_ns,omitempty"`
	Percentile float64       `json:"percentile"` // of the latency
	Params     int64         `json:"params,omitempty"`
	Memory     int64         `json:"memory_bytes,omitempty"` // peak resident set of a process that runs the network
}

// A Candidate is a checkpoint that was considered.
type Candidate struct {
	Name           string        `json:"name"`
	Network        string        `json:"network"`
	Precision      string        `json:"precision,omitempty"` // "" for float32
	File           string        `json:"file"`
	SHA256         string        `json:"sha256,omitempty"`
	Params         int64         `json:"params"`
	MACs           int64         `json:"macs"`
	Features       int           `json:"features,omitempty"`
	Latency        int64         `json:"latency_ns,omitempty"`    // at the percentile asked for, of a batch; 0 where not known
	LatencyLo      int64         `json:"latency_lo_ns,omitempty"` // 95 % interval; 0 where there is none
	LatencyHi      int64         `json:"latency_hi_ns,omitempty"`
	Mean           int64         `json:"latency_mean_ns,omitempty"`
	Memory         int64         `json:"memory_bytes,omitempty"`
	Load           int64         `json:"load_ns,omitempty"`
	Processes      int           `json:"processes,omitempty"`               // that measured the latency
	Between        float64       `json:"latency_between_percent,omitempty"` // how far their medians are apart: the standard deviation
	OfPick         *latencyRatio `json:"latency_of_pick,omitempty"`         // nil for the pick, and where it cannot be compared
	Timed          string        `json:"timed,omitempty"`                   // when, RFC 3339
	Exceeds        []string      `json:"exceeds,omitempty"`                 // limits, in words; none where it fits
	Undecided      []string      `json:"undecided,omitempty"`               // limits that the timing decides neither way, in words
	TimingWarnings []string      `json:"timing_warnings,omitempty"`         // what makes the timing poor
	Warnings       []string      `json:"warnings,omitempty"`
	Err            string        `json:"error,omitempty"` // why it was not measured
	Skipped        bool          `json:"skipped,omitempty"`
}

// A Row is a network with a head, as tested on the person's images.
type Row struct {
	Name      string      `json:"name"` // the candidate's
	Head      string      `json:"head"`
	Score     heads.Score `json:"score"`
	Fits      bool        `json:"fits"`
	Group     int         `json:"tie_group"` // from 1, the best
	P         float64     `json:"p_value"`   // against the group's best by the metric's test, corrected; 1 for that one itself
	Front     bool        `json:"pareto"`
	Latency   int64       `json:"latency_ns"`
	Disturbed bool        `json:"timing_has_warnings,omitempty"`

	Corrupted []corruptedScore `json:"corrupted,omitempty"` // of Result.Corruptions

	BySplit    []float64   `json:"accuracy_by_split"`
	Strengths  [][]float64 `json:"strengths,omitempty"` // by split and fold
	Overall    float64     `json:"strength,omitempty"`
	Gradient   float64     `json:"gradient,omitempty"`
	Neighbours [][]int     `json:"neighbours,omitempty"` // by split and fold

	timing        *record.Record // the candidate's, nil where it is not timed
	outcome       heads.Outcome
	draws         heads.Draws  // of a metric that is not accuracy
	probabilities heads.Matrix // the means over the splits
}

// canBePicked reports whether a row can be used elsewhere: nearest neighbours need all the images.
func (r *Row) canBePicked() bool { return r.Head != headNearest }

// competes reports whether a row can be picked by its latency.
func (r *Row) competes() bool { return r.canBePicked() && r.Latency > 0 }

// title is a row's name for people.
func (r *Row) title() string { return r.Name + " with its " + r.Head }

// short is a row's name where there is little room: a linear probe goes without saying.
func (r *Row) short() string {
	if r.Head == headProbe {
		return r.Name
	}
	return r.Name + ", " + r.Head
}

// A field is rows in their order, the best by the metric first, and the tests between them.
type field struct {
	rows   []*Row
	metric Metric
	p      map[int][]float64                // by the row that others are compared with
	ratios map[string]map[string]stat.Ratio // of latencies, by the network that others are compared with
}

// significant is the family-wise error rate of all verdicts.
const significant = 0.05

// against compares the rows behind one with that one: the p-values of the metric's test on the same images with Holm's
// correction over all of these rows, 1 for the row itself and those before it. The family is the same whatever asks, the
// table or a pick, so that no two answers contradict each other.
func (f *field) against(ref int) []float64 {
	if p, known := f.p[ref]; known {
		return p
	}
	p := slices.Repeat([]float64{1}, len(f.rows))
	best := f.rows[ref]
	for i, r := range f.rows[ref+1:] {
		p[ref+1+i] = f.metric.pValue(best, r)
	}
	copy(p[ref+1:], stat.Holm(p[ref+1:]))
	f.p[ref] = p
	return p
}

// pValue is how surely a row is worse than one that is ahead of it.
func (m Metric) pValue(ahead, r *Row) float64 {
	if m != byAccuracy {
		return max(ahead.draws.Different(r.draws), heads.LeastP(ahead.outcome, r.outcome))
	}
	difference, p := heads.Paired(ahead.outcome, r.outcome)
	if difference <= 0 {
		return 1
	}
	return p
}

// order sorts rows by the metric, the best first, and marks tie groups and the front of latency against the metric. A tie
// group is a row and all those behind it, not yet in another, that are not measurably worse, each judged by itself: one
// that differs from the first on few images can be worse beyond doubt, and one further behind not. Rows of one value
// are in the order of their names: their latencies would order them anew each time.
func order(rows []*Row, m Metric) *field {
	slices.SortStableFunc(rows, func(a, b *Row) int {
		return cmp.Or(cmp.Compare(m.of(b.Score).Value, m.of(a.Score).Value), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Head, b.Head))
	})
	f := &field{rows: rows, metric: m, p: map[int][]float64{}, ratios: map[string]map[string]stat.Ratio{}}
	for _, r := range rows {
		r.Group = 0
	}
	group := 0
	for ref, best := range rows {
		if best.Group > 0 {
			continue
		}
		group++
		best.Group, best.P = group, 1
		p := f.against(ref)
		for i := ref + 1; i < len(rows); i++ {
			if rows[i].Group == 0 && p[i] >= significant {
				rows[i].Group, rows[i].P = group, p[i]
			}
		}
	}
	for i, r := range rows {
		r.Front = r.competes()
		for j, other := range rows {
			a, b := m.of(other.Score).Value, m.of(r.Score).Value
			if other.competes() && a >= b && other.Latency <= r.Latency && (a > b || other.Latency < r.Latency || j < i) {
				r.Front = false
			}
		}
	}
	return f
}

// A decision is the row to take and how it compares.
type decision struct {
	row  *Row
	best *Row // the first by the metric of those that may be picked
	tied int  // rows that are not measurably worse than that nor more than closeCall below it, itself included
	open int  // rows that are further below and still not measurably worse: there are too few images to know
	next *Row // the first that is measurably worse, nil for none
}

// closeCall is how far below the best a tie may lie and be picked for its speed. With few images no
// test finds small differences, which is no reason to give up ten points.
const closeCall = 0.02

// pick decides among rows in their order: of those that are not measurably worse than the best, and close to it, the
// quickest; of those that count as equally quick, the better. It is nil where there is nothing to pick from.
func pick(f *field, allowed func(*Row) bool) *decision {
	value := func(r *Row) float64 { return f.metric.of(r.Score).Value }
	var d *decision
	var p []float64
	var ties []*Row
	for i, r := range f.rows {
		if !r.competes() || !allowed(r) {
			continue
		}
		if d == nil {
			d, p = &decision{best: r}, f.against(i)
		}
		switch {
		case p[i] < significant:
			if d.next == nil {
				d.next = r
			}
		case value(d.best)-value(r) > closeCall+1e-9:
			d.open++
		default:
			ties = append(ties, r)
		}
	}
	if d == nil {
		return nil
	}
	d.tied = len(ties)
	d.row = ties[slices.IndexFunc(ties, func(r *Row) bool {
		return !slices.ContainsFunc(ties, func(other *Row) bool { return !f.asQuick(r, other) })
	})]
	return d
}

// A pickChange is a pick under another limit on latency.
type pickChange struct {
	From      int64          `json:"from_latency_ns"`               // from this limit on, up to the next change's
	Disturbed bool           `json:"timing_has_warnings,omitempty"` // of the pick
	Name      string         `json:"name"`
	Head      string         `json:"head"`
	Value     heads.Estimate `json:"value"`
}

// changes are the picks under every limit on latency, other limits as they are, the tightest first. A limit admits all
// rows that are as quick as the quickest that it admits and no earlier one did.
func changes(f *field, fits func(*Row) bool) []pickChange {
	var rows []*Row
	for _, r := range f.rows {
		if r.competes() && fits(r) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(a.Latency, b.Latency) })
	var all []pickChange
	for i := 0; i < len(rows); i++ {
		for quickest := rows[i]; i+1 < len(rows) && f.asQuick(rows[i+1], quickest); {
			i++
		}
		limit := rows[i].Latency
		d := pick(f, func(r *Row) bool { return r.Latency <= limit && fits(r) })
		if len(all) > 0 && all[len(all)-1].Name == d.row.Name && all[len(all)-1].Head == d.row.Head {
			continue
		}
		all = append(all, pickChange{From: limit, Disturbed: d.row.Disturbed, Name: d.row.Name, Head: d.row.Head,
			Value: f.metric.of(d.row.Score)})
	}
	return all
}

// reason is why a row is the pick: what it reaches, and how it compares.
func (d *decision) reason(f *field, l Limits, batch int) string {
	m := f.metric
	e, learned := m.of(d.row.Score), "on images that it has not learned from"
	if d.row.Head == headOwn {
		learned = "without learning from any of the images"
	}
	taken := milliseconds(d.row.Latency)
	if d.row.Disturbed {
		taken += ", measured with warnings,"
	}
	text := fmt.Sprintf("%s with its %s reaches %s of %s (95 %% interval %s to %s) %s and takes %s for %s (p%g)",
		d.row.Name, d.row.Head, m.withArticle(), percent(e.Value), percent(e.Lo), percent(e.Hi), learned,
		taken, batchOf(batch), 100*l.Percentile)
	if l.Latency > 0 {
		text += fmt.Sprintf(", within the limit of %s", milliseconds(l.Latency.Nanoseconds()))
	}
	return text + ". " + d.comparison(f)
}

// comparison is how a row compares with the others that fit the limits and can be picked.
func (d *decision) comparison(f *field) string {
	m := f.metric
	near := fmt.Sprintf("%.0f points", 100*closeCall)
	switch {
	case d.tied == 1 && d.open > 0:
		return fmt.Sprintf("Every other row that fits the limits and can be picked is measurably worse or more than %s below; "+
			"for %d of them there are too few images to be sure that they are worse (%s).", near, d.open, m.test())
	case d.tied == 1 && d.next == nil:
		return "It is the only row that fits the limits and can be picked."
	case d.tied == 1:
		return fmt.Sprintf("It is measurably better than all others that fit the limits and can be picked (%s); "+
			"the next, %s with its %s, reaches %s.",
			m.test(), d.next.Name, d.next.Head, percent(m.of(d.next.Score).Value))
	case d.row == d.best && d.tied == 2:
		return fmt.Sprintf("One other row that fits the limits and can be picked is within %s and not measurably worse (%s); "+
			"it is neither better nor measurably quicker.", near, m.test())
	case d.row == d.best:
		return fmt.Sprintf("%d other rows that fit the limits and can be picked are within %s and not measurably worse (%s); "+
			"none of them is better or measurably quicker.", d.tied-1, near, m.test())
	}
	return fmt.Sprintf("The best that fits the limits and can be picked, %s with its %s, reaches %s and is not measurably better (%s); "+
		"%d rows tie within %s, and the pick is the best of the quickest among them. %s",
		d.best.Name, d.best.Head, percent(m.of(d.best.Score).Value), m.test(), d.tied, near, f.besideBest(d))
}

// nearestAhead says that a vote of the nearest is measurably better than the pick, nothing where none is.
func (f *field) nearestAhead(d *decision, allowed func(*Row) bool) string {
	at := slices.Index(f.rows, d.row)
	for i, r := range f.rows[:at] {
		if !r.canBePicked() && allowed(r) && f.against(i)[at] < significant {
			return fmt.Sprintf("%s with a vote of the nearest images reaches %s, measurably more than the pick (%s); "+
				"it is never picked, because it needs all images wherever it runs", r.Name, percent(f.metric.of(r.Score).Value), f.metric.test())
		}
	}
	return ""
}

// The forms of figures in sentences and tables.

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func milliseconds(ns int64) string {
	if ns == 0 {
		return "–"
	}
	v := float64(ns) / 1e6
	return fmt.Sprintf("%.*f ms", max(0, 2-int(math.Floor(math.Log10(max(v, 0.01))))), v)
}

// disturbed marks a latency whose timing has warnings.
const disturbed = "(?)"

// marked is a latency with the mark of one whose timing has warnings.
func marked(ns int64, warned bool) string {
	if warned {
		return milliseconds(ns) + " " + disturbed
	}
	return milliseconds(ns)
}

func (r *Row) latency() string { return marked(r.Latency, r.Disturbed) }

func batchOf(n int) string {
	if n <= 1 {
		return "one image"
	}
	return fmt.Sprintf("a batch of %d", n)
}
