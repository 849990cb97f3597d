package reports

import (
	"cmp"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// A Change is a row that two runs have in common, or that one of them lacks. Figures that a run has not are 0.
type Change struct {
	Network  string  `json:"network"` // with the checkpoint's tag
	Settings string  `json:"settings"`
	Before   int64   `json:"before_p50_ns,omitempty"`
	After    int64   `json:"after_p50_ns,omitempty"`
	Times    float64 `json:"times,omitempty"`    // after over before
	TimesLo  float64 `json:"times_lo,omitempty"` // 95 % interval, by both runs' processes
	TimesHi  float64 `json:"times_hi,omitempty"`
	P        float64 `json:"p,omitempty"`      // of the hypothesis that nothing has changed
	PHolm    float64 `json:"p_holm,omitempty"` // corrected for the number of rows that are compared; the verdict goes by it
	Top1     float64 `json:"top1_before,omitempty"`
	Top1Now  float64 `json:"top1_after,omitempty"`
	Verdict  string  `json:"verdict"` // faster, slower, no clear difference, accuracy only, only before, only after, not comparable
	Note     string  `json:"note,omitempty"`
}

// Changes compares two runs row by row: networks under one set of settings. A latency has changed where Welch's test of the
// processes' medians says so at 5 %, with Holm's correction over the rows that are compared, so that two runs in which nothing
// has changed differ nowhere in 95 % of cases. A row of one process is compared with none. Accuracies are compared where both
// are valid and of the same images. Runs of two machine classes are a [ClassError].
func Changes(before, after []record.Record) ([]Change, error) {
	if _, err := newRun(slices.Concat(before, after), nil); err != nil {
		return nil, err
	}
	was, err := newRun(before, nil)
	if err != nil {
		return nil, err
	}
	is, err := newRun(after, nil)
	if err != nil {
		return nil, err
	}
	old, order := indexRows(slices.Concat(was.rows, was.worsened))
	now, more := indexRows(slices.Concat(is.rows, is.worsened))
	for _, k := range more {
		if old[k] == nil {
			order = append(order, k)
		}
	}
	var all []Change
	for _, k := range order {
		c := Change{Network: k.name, Settings: join(nonEmpty(k.settings.text(), clean(k.answers)))}
		switch a, b := old[k], now[k]; {
		case b == nil:
			c.Verdict = "only before"
		case a == nil:
			c.Verdict = "only after"
		default:
			c.fill(a, b)
		}
		all = append(all, c)
	}
	decide(all)
	return all, nil
}

// decide gives the verdicts of the rows whose latencies can be compared, corrected for how many they are.
func decide(all []Change) {
	var of []int
	var p []float64
	for i := range all {
		if all[i].Verdict == "" {
			of, p = append(of, i), append(p, all[i].P)
		}
	}
	for i, corrected := range stat.Holm(p) {
		c := &all[of[i]]
		c.PHolm = corrected
		switch {
		case corrected >= 0.05:
			c.Verdict = "no clear difference"
		case c.Times < 1:
			c.Verdict = "faster"
		default:
			c.Verdict = "slower"
		}
	}
}

// A rowKey is what the rows of two runs have in common.
type rowKey struct {
	name string
	settings
	answers string // of a row without a latency
}

// indexRows finds rows by their keys, of equal ones the first, and lists the keys in the rows' order.
func indexRows(rows []row) (at map[rowKey]*row, order []rowKey) {
	at = map[rowKey]*row{}
	for i := range rows {
		k := rowKey{name: rows[i].name(), settings: rows[i].set}
		if rows[i].latency == nil && rows[i].eval != nil {
			k.answers = rows[i].eval.Answers
		}
		if at[k] == nil {
			order = append(order, k)
			at[k] = &rows[i]
		}
	}
	return at, order
}

// fill says in c what has become of a row.
func (c *Change) fill(a, b *row) {
	c.fillTimes(a, b)
	x, y, why := accuraciesOf(a, b)
	switch {
	case why != "":
		c.Note = strings.Join(nonEmpty(c.Note, why), "; ")
	case x != nil:
		c.Top1, c.Top1Now = x.Top1, y.Top1
		if c.Times == 0 {
			c.Verdict, c.Note = "accuracy only", ""
		}
		if a.eval.Calibration != nil && b.eval.Calibration != nil && !sameNumbers(a.eval, b.eval) {
			c.Note = strings.Join(nonEmpty(c.Note, "quantised to other numbers in int8"), "; ")
		}
	}
}

// accuraciesOf returns the accuracies of two rows that may be compared: both valid and of the same images. It returns
// none and why where they may not, and neither where both rows lack one.
func accuraciesOf(a, b *row) (x, y *record.Accuracy, why string) {
	x, noX := a.top1()
	y, noY := b.top1()
	switch {
	case noX != "" && noY != "":
		return nil, nil, ""
	case noX != "" || noY != "":
		return nil, nil, "only one of the runs has an accuracy"
	}
	for _, e := range []*record.Record{a.eval, b.eval} {
		if !e.Verdict.Valid {
			return nil, nil, clean("accuracy not to be trusted: " + strings.Join(e.Verdict.Reasons, "; "))
		}
	}
	if id := a.eval.DatasetSHA256; id == "" || id != b.eval.DatasetSHA256 || x.Images != y.Images {
		return nil, nil, "the accuracies come from different images"
	}
	if a.eval.RanWith().Corruption != b.eval.RanWith().Corruption {
		return nil, nil, "the images were corrupted differently"
	}
	if a.eval.CorruptedBy != b.eval.CorruptedBy {
		return nil, nil, "the corrupted images are others"
	}
	if a.eval.Answers != b.eval.Answers {
		return nil, nil, "answers were chosen among different classes"
	}
	return x, y, ""
}

// fillTimes says in c what has become of the latency.
func (c *Change) fillTimes(a, b *row) {
	ap, _, _, awhy := a.p50()
	bp, _, _, bwhy := b.p50()
	c.Before, c.After = ap, bp
	switch {
	case awhy != "" || bwhy != "":
		c.Verdict, c.Note = "not comparable", clean(cmp.Or(awhy, bwhy))
		return
	case a.invalid() != "" || b.invalid() != "":
		c.Note = clean(cmp.Or(a.invalid(), b.invalid()))
	}
	c.Times = float64(bp) / float64(ap)
	r, ok := record.LatencyRatio(b.latency, a.latency)
	switch {
	case c.Note != "":
		c.Verdict = "not comparable"
	case !ok:
		c.Verdict, c.Note = "not comparable", "a row was measured in one process, which says nothing of how far processes differ"
	}
	if ok {
		c.Times, c.TimesLo, c.TimesHi, c.P = r.Times, r.Lo, r.Hi, r.P
	}
}
