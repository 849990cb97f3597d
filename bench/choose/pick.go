package choose

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// What a row's classes are told apart by.
const (
	headProbe   = "linear probe"
	headNearest = "nearest"
	headOwn     = "own head"
)

// A Metric is what rows are ordered by.
type Metric string

// The metrics.
const (
	Accuracy Metric = "accuracy"
	Balanced Metric = "balanced_accuracy"
	MacroF1  Metric = "macro_f1"
)

// Metrics are the names of all metrics.
func Metrics() []string { return []string{string(Accuracy), string(Balanced), string(MacroF1)} }

func (m Metric) of(s Score) Estimate {
	switch m {
	case Balanced:
		return s.Balanced
	case MacroF1:
		return s.MacroF1
	}
	return s.Accuracy
}

// words is the metric's name in a sentence.
func (m Metric) words() string {
	switch m {
	case Balanced:
		return "balanced accuracy"
	case MacroF1:
		return "macro-F1"
	}
	return "accuracy"
}

// withArticle is the metric's name as one of its values is called.
func (m Metric) withArticle() string {
	if m == Accuracy {
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
	Name     string   `json:"name"`
	Network  string   `json:"network"`
	File     string   `json:"file"`
	SHA256   string   `json:"sha256,omitempty"`
	Params   int64    `json:"params"`
	MACs     int64    `json:"macs"`
	Features int      `json:"features,omitempty"`
	Latency  int64    `json:"latency_ns,omitempty"` // at the percentile asked for, of a batch; 0 where not known
	Mean     int64    `json:"latency_mean_ns,omitempty"`
	Memory   int64    `json:"memory_bytes,omitempty"`
	Load     int64    `json:"load_ns,omitempty"`
	Timed    string   `json:"timed,omitempty"`   // when, RFC 3339
	Exceeds  []string `json:"exceeds,omitempty"` // limits, in words; none where it fits
	Warnings []string `json:"warnings,omitempty"`
	Err      string   `json:"error,omitempty"` // why it was not measured
	Skipped  bool     `json:"skipped,omitempty"`
}

// A Row is a network with a head, as tested on the person's pictures.
type Row struct {
	Name    string  `json:"name"` // the candidate's
	Head    string  `json:"head"`
	Score   Score   `json:"score"`
	Fits    bool    `json:"fits"`
	Group   int     `json:"tie_group"` // from 1, the best
	P       float64 `json:"p_value"`   // against the group's best, corrected; 1 for that one itself
	Front   bool    `json:"pareto"`
	Latency int64   `json:"latency_ns"`

	Strengths  []float64 `json:"strengths,omitempty"`
	Overall    float64   `json:"strength,omitempty"`
	Gradient   float64   `json:"gradient,omitempty"`
	Neighbours []int     `json:"neighbours,omitempty"`

	outcome       outcome
	probabilities table
}

// canBePicked tells whether a row is a network one can take along: nearest neighbours need all the pictures.
func (r *Row) canBePicked() bool { return r.Head != headNearest }

// order sorts rows by the metric, the best first, and marks tie groups and the front of latency against the metric.
func order(rows []*Row, m Metric) {
	slices.SortStableFunc(rows, func(a, b *Row) int {
		return cmp.Or(cmp.Compare(m.of(b.Score).Value, m.of(a.Score).Value), cmp.Compare(a.Latency, b.Latency), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Head, b.Head))
	})
	var outcomes []outcome
	for _, r := range rows {
		outcomes = append(outcomes, r.outcome)
	}
	group, p := ties(outcomes)
	for i, r := range rows {
		r.Group, r.P = group[i]+1, p[i]
		r.Front = r.canBePicked() && r.Latency > 0
		for _, other := range rows[:i] {
			// A row before this one is no worse; one that is as quick as well leaves it no place.
			if other.canBePicked() && other.Latency > 0 && other.Latency <= r.Latency {
				r.Front = false
			}
		}
	}
}

// A decision is the row to take and how it compares.
type decision struct {
	row  *Row
	best *Row // the first by the metric of those that may be picked
	tied int  // rows that are not measurably worse than that nor more than closeCall below it, itself included
	open int  // rows that are further below and still not measurably worse: the pictures are too few to tell
	next *Row // the first that is measurably worse, nil for none
}

// closeCall is how far below the best a tie may lie and be picked for its speed. Of few pictures no test tells much apart,
// which is no reason to give up ten points.
const closeCall = 0.02

// pick decides among rows in their order: of the networks that are not measurably worse than the best, and close to it,
// the quickest; of equally quick ones, the better. It is nil where there is nothing to pick from.
func pick(rows []*Row, m Metric, allowed func(*Row) bool) *decision {
	var from []*Row
	var outcomes []outcome
	for _, r := range rows {
		if r.canBePicked() && r.Latency > 0 && allowed(r) {
			from, outcomes = append(from, r), append(outcomes, r.outcome)
		}
	}
	if len(from) == 0 {
		return nil
	}
	group, _ := ties(outcomes)
	d := &decision{row: from[0], best: from[0]}
	for i, r := range from {
		if group[i] > 0 {
			d.next = r
			break
		}
		if m.of(d.best.Score).Value-m.of(r.Score).Value > closeCall+1e-9 {
			d.open++
			continue
		}
		d.tied++
		if r.Latency < d.row.Latency {
			d.row = r
		}
	}
	return d
}

// A Change is a pick under another limit on latency.
type Change struct {
	From  int64    `json:"from_latency_ns"` // from this limit on, up to the next change's
	Name  string   `json:"name"`
	Head  string   `json:"head"`
	Value Estimate `json:"value"`
}

// changes are the picks under every limit on latency, other limits as they are, the tightest first.
func changes(rows []*Row, m Metric, fits func(*Row) bool) []Change {
	var limits []int64
	for _, r := range rows {
		if r.canBePicked() && r.Latency > 0 && fits(r) {
			limits = append(limits, r.Latency)
		}
	}
	slices.Sort(limits)
	var all []Change
	for _, limit := range slices.Compact(limits) {
		d := pick(rows, m, func(r *Row) bool { return r.Latency <= limit && fits(r) })
		if d == nil || len(all) > 0 && all[len(all)-1].Name == d.row.Name && all[len(all)-1].Head == d.row.Head {
			continue
		}
		all = append(all, Change{From: limit, Name: d.row.Name, Head: d.row.Head, Value: m.of(d.row.Score)})
	}
	return all
}

// reason is why a row is the pick, in two sentences.
func (d *decision) reason(m Metric, l Limits, batch int) string {
	e, learned := m.of(d.row.Score), "on pictures that it has not learned from"
	if d.row.Head == headOwn {
		learned = "without learning from any picture here"
	}
	text := fmt.Sprintf("%s with its %s reaches %s of %s (95 %% interval %s to %s) %s and takes %s for %s (p%g)",
		d.row.Name, d.row.Head, m.withArticle(), percent(e.Value), percent(e.Lo), percent(e.Hi), learned, milliseconds(d.row.Latency), images(batch), 100*l.Percentile)
	if l.Latency > 0 {
		text += fmt.Sprintf(", within the limit of %s", milliseconds(l.Latency.Nanoseconds()))
	}
	text += ". "
	switch {
	case d.tied == 1 && d.open > 0:
		return text + fmt.Sprintf("It is the best that fits, and no other comes within %.0f points; of %d more these pictures are too few to say that they are worse.", 100*closeCall, d.open)
	case d.tied == 1 && d.next == nil:
		return text + "It is the only one that fits."
	case d.tied == 1:
		return text + fmt.Sprintf("It is measurably better than every other that fits; the next, %s with its %s, reaches %s.", d.next.Name, d.next.Head, percent(m.of(d.next.Score).Value))
	case d.row == d.best && d.tied == 2:
		return text + "One other that fits is not measurably worse, and of the two this one is the better and the quicker."
	case d.row == d.best:
		return text + fmt.Sprintf("%d others that fit are not measurably worse, and of all these it is both the best and the quickest.", d.tied-1)
	}
	return text + fmt.Sprintf("The best that fits, %s with its %s, reaches %s and is not measurably better (McNemar's test on the same pictures); of the %d within %.0f points that tie this one is the quickest.",
		d.best.Name, d.best.Head, percent(m.of(d.best.Score).Value), d.tied, 100*closeCall)
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

func images(n int) string {
	if n <= 1 {
		return "one image"
	}
	return fmt.Sprintf("a batch of %d", n)
}
