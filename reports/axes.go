package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// settings are the axes on which rows of one network differ, as far as they are known.
type settings struct {
	record.Axes
	query string // what a query is in the scenario, "" for an image or a batch
}

// settingsOf returns what a record ran with, else what it was asked to.
func settingsOf(r *record.Record) settings {
	s := settings{Axes: r.RanWith()}
	s.NumClasses = 0 // of one network in one run, the same
	switch ran := r.Ran(); {
	case ran.Streams > 0:
		s.query = fmt.Sprintf(" of %d images", ran.Streams)
	case ran.Rate > 0:
		s.query = fmt.Sprintf(" at %g images/s", ran.Rate)
	}
	return s
}

// precision names the precision, float32 too.
func (s settings) precision() string { return cmp.Or(s.Precision, record.Float32) }

// scenario names the scenario with what a query is.
func (s settings) scenario() string { return s.Scenario + s.query }

// An axis is a setting that is a column where rows differ in it, and in the caption where they do not.
type axis struct {
	head, caption string // caption has the value as %s
	value         func(r *row) string
}

// axes are the columns of settings of such rows, in the order of a table.
func axes(rows []row) []axis {
	number := func(v int) string {
		if v == 0 {
			return ""
		}
		return fmt.Sprint(v)
	}
	yes := func(b bool, text string) string {
		if b {
			return text
		}
		return ""
	}
	mixed := slices.ContainsFunc(rows, func(r row) bool { return r.set.Precision != "" })
	return []axis{
		{"scenario", "scenario %s", func(r *row) string { return clean(r.set.scenario()) }},
		{"isa", "%s", func(r *row) string { return clean(r.set.ISA) }},
		{"threads", "threads %s", func(r *row) string { return number(r.set.Threads) }},
		{"batch", "batch %s", func(r *row) string { return number(r.set.Batch) }},
		{"precision", "%s", func(r *row) string {
			if !mixed || r.cost != nil {
				return ""
			}
			return clean(r.set.precision())
		}},
		{"kernels", "%s", func(r *row) string {
			return strings.TrimSpace(yes(r.set.Exact, "direct only") + " " + yes(r.set.NoTune, "untuned"))
		}},
		{"data", "top-1 on %s", func(r *row) string { _, text := measuredOver(r); return text }},
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
	add(s.ImgSize > 0, "%d px", s.ImgSize)
	add(s.Batch > 0, "batch %d", s.Batch)
	add(s.Threads > 0, "%s", plural(s.Threads, "thread"))
	add(s.scenario() != "", "%s", clean(s.scenario()))
	add(s.ISA != "", "%s", clean(s.ISA))
	add(s.Precision != "", "%s", clean(s.Precision))
	add(s.Exact, "direct only")
	add(s.NoTune, "untuned")
	add(s.Corruption != "", "%s", clean(s.Corruption))
	return join(parts)
}

// alike reports whether settings are the same but for batch and scenario.
func alike(a, b settings) bool {
	for _, s := range []*settings{&a, &b} {
		s.Batch, s.Scenario, s.query = 0, "", ""
	}
	return a == b
}
