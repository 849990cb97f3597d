package reports

import (
	"cmp"
	"fmt"
	"slices"

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
// the medians do not overlap. Runs of two machine classes are a [ClassError].
func Changes(before, after []record.Record) ([]Change, error) {
	if _, err := newRun(slices.Concat(before, after), nil); err != nil {
		return nil, err
	}
	type key struct {
		name string
		settings
	}
	index := func(records []record.Record) (map[key]*row, []key) {
		rows := newRows(records)
		at := map[key]*row{}
		var order []key
		for i := range rows {
			k := key{rows[i].name(), rows[i].set}
			if at[k] == nil {
				order = append(order, k)
				at[k] = &rows[i]
			}
		}
		return at, order
	}
	old, order := index(before)
	now, more := index(after)
	for _, k := range more {
		if old[k] == nil {
			order = append(order, k)
		}
	}
	var all []Change
	for _, k := range order {
		c := Change{Network: k.name, Settings: k.settings.text()}
		a, b := old[k], now[k]
		switch {
		case b == nil:
			c.Verdict = "only before"
		case a == nil:
			c.Verdict = "only after"
		default:
			c.compare(a, b)
		}
		all = append(all, c)
	}
	return all, nil
}

// compare fills in a change from the rows of both runs.
func (c *Change) compare(a, b *row) {
	ap, alo, ahi, awhy := a.median()
	bp, blo, bhi, bwhy := b.median()
	c.Before, c.After = ap, bp
	if x, why := a.top1(); why == "" {
		c.Top1 = x.Top1
	}
	if x, why := b.top1(); why == "" {
		c.Top1Now = x.Top1
	}
	switch {
	case awhy != "" || bwhy != "":
		c.Verdict, c.Note = "not comparable", clean(cmp.Or(awhy, bwhy))
		if c.Top1 > 0 && c.Top1Now > 0 {
			c.Verdict, c.Note = "accuracy only", ""
		}
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

// text names all settings that are known.
func (s settings) text() string {
	var parts []string
	add := func(ok bool, format string, args ...any) {
		if ok {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(s.size > 0, "%d px", s.size)
	add(s.batch > 0, "batch %d", s.batch)
	add(s.threads > 0, "%s", plural(s.threads, "thread"))
	add(s.scenario != "", "%s", clean(s.scenario))
	add(s.isa != "", "%s", clean(s.isa))
	add(s.exact, "direct only")
	add(s.noTune, "untuned")
	return join(parts)
}
