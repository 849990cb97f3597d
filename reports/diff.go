package reports

import (
	"cmp"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// A Change is a row that two runs have in common, or that one of them lacks. Figures that a run has not are 0.
type Change struct {
	Network  string  `json:"network"` // with the checkpoint's tag
	Settings string  `json:"settings"`
	Before   int64   `json:"before_p50_ns,omitempty"`
	After    int64   `json:"after_p50_ns,omitempty"`
	Times    float64 `json:"times,omitempty"` // after over before
	TimesLo  float64 `json:"times_lo,omitempty"`
	TimesHi  float64 `json:"times_hi,omitempty"` // the widest that the medians' 95 % intervals allow
	Top1     float64 `json:"top1_before,omitempty"`
	Top1Now  float64 `json:"top1_after,omitempty"`
	Verdict  string  `json:"verdict"` // faster, slower, no clear difference, accuracy only, only before, only after, not comparable
	Note     string  `json:"note,omitempty"`
}

// Changes compares two runs row by row: networks under one set of settings. A latency has changed where the intervals of
// the medians do not overlap; accuracies are compared where both are valid and of the same images. Runs of two machine
// classes are a [ClassError].
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
	old, order := indexRows(was.rows)
	now, more := indexRows(is.rows)
	for _, k := range more {
		if old[k] == nil {
			order = append(order, k)
		}
	}
	var all []Change
	for _, k := range order {
		c := Change{Network: k.name, Settings: k.settings.text()}
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
	return all, nil
}

// A rowKey is what the rows of two runs have in common.
type rowKey struct {
	name string
	settings
}

// indexRows finds rows by their keys, of equal ones the first, and lists the keys in the rows' order.
func indexRows(rows []row) (at map[rowKey]*row, order []rowKey) {
	at = map[rowKey]*row{}
	for i := range rows {
		k := rowKey{rows[i].name(), rows[i].set}
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
	return x, y, ""
}

// fillTimes says in c what has become of the latency.
func (c *Change) fillTimes(a, b *row) {
	ap, alo, ahi, awhy := a.p50()
	bp, blo, bhi, bwhy := b.p50()
	c.Before, c.After = ap, bp
	switch {
	case awhy != "" || bwhy != "":
		c.Verdict, c.Note = "not comparable", clean(cmp.Or(awhy, bwhy))
		return
	case a.invalid() != "" || b.invalid() != "":
		c.Note = clean(cmp.Or(a.invalid(), b.invalid()))
	}
	c.Times = float64(bp) / float64(ap)
	if alo <= 0 || blo <= 0 {
		c.Verdict, c.Note = "no clear difference", cmp.Or(c.Note, "too few samples for an interval")
		return
	}
	c.TimesLo, c.TimesHi = float64(blo)/float64(ahi), float64(bhi)/float64(alo)
	switch {
	case c.Note != "":
		c.Verdict = "not comparable"
	case c.TimesHi < 1:
		c.Verdict = "faster"
	case c.TimesLo > 1:
		c.Verdict = "slower"
	default:
		c.Verdict = "no clear difference"
	}
}
