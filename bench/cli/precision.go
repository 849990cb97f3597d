package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/samples"
	"zoobench/zoo/engine"
)

// precisions is a flag's list of what products are computed with, as record.Axes have it: "" for float32. None is float32 too.
type precisions []string

// Set adds the precisions of words with commas between them. One that engines lack is an error, and so is one that the flag has
// already.
func (l *precisions) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		if err := engine.CheckPrecision(name); err != nil || name == "" {
			return fmt.Errorf("want %s", strings.Join(engine.Precisions(), ", "))
		}
		if slices.Contains(*l, record.OtherPrecision(name)) {
			return fmt.Errorf("%s is given twice", name)
		}
		*l = append(*l, record.OtherPrecision(name))
	}
	return nil
}

// String is the default as help prints it, which the flag's text has in words.
func (l *precisions) String() string { return "" }

// Type is what help calls a value.
func (l *precisions) Type() string { return "names" }

// flag adds --precision to a command. What says what becomes of several.
func (l *precisions) flag(c *cobra.Command, what string) {
	c.Flags().Var(l, "precision",
		"numbers that convolutions and matrix products are computed with: "+strings.Join(engine.Precisions(), ", ")+"; "+what+
			" (default: float32)")
	c.RegisterFlagCompletionFunc("precision", cobra.FixedCompletions(engine.Precisions(), cobra.ShellCompDirectiveNoFileComp))
}

// all are the precisions, float32 alone where the flag has none.
func (l precisions) all() []string {
	if len(l) == 0 {
		return []string{""}
	}
	return l
}

// others reports whether any of the precisions is not float32.
func (l precisions) others() bool {
	return slices.ContainsFunc(l, func(name string) bool { return name != "" })
}

// of makes of each task one for each precision.
func (l precisions) of(tasks []runner.Task) (all []runner.Task) {
	for _, t := range tasks {
		for _, name := range l.all() {
			t.Precision = name
			all = append(all, t)
		}
	}
	return all
}

// evaluations are those that were made in the flag's precisions, all where it has none. A per-sample file alone does not have its
// precision.
func (l precisions) evaluations(all []samples.Evaluation) (some []samples.Evaluation, err error) {
	if len(l) == 0 {
		return all, nil
	}
	for _, e := range all {
		if e.Record == nil {
			return nil, fmt.Errorf("--precision: %s does not say its precision; name the folder of a run", e.Path)
		}
		if slices.Contains(l, e.Record.RanWith().Precision) {
			some = append(some, e)
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("--precision: none of %d evaluations is in %s", len(all), strings.Join(l.names(), " or "))
	}
	return some, nil
}

// names are the precisions for people.
func (l precisions) names() (all []string) {
	for _, name := range l {
		all = append(all, precisionName(name))
	}
	return all
}

// title adds the column of the precision to a table's, behind the column of that name, if any precision is not float32.
func (l precisions) title(title []string, behind string) []string {
	return l.cell(title, slices.Index(title, behind), "precision")
}

// cell adds a cell behind another one of a line, if any precision is not float32.
func (l precisions) cell(line []string, behind int, text string) []string {
	if !l.others() {
		return line
	}
	return slices.Insert(line, behind+1, text)
}

// precisionName is a precision for people, float32 too.
func precisionName(name string) string {
	if name == "" {
		return record.Float32
	}
	return name
}
