package cli

import (
	"fmt"
	"strings"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/runner"
)

// planRow is a job of zoobench run --dry-run.
type planRow struct {
	Network    string        `json:"network"` // with the checkpoint's tag
	Experiment string        `json:"experiment"`
	Kind       record.Kind   `json:"kind"`
	Settings   string        `json:"settings"`
	Estimate   time.Duration `json:"estimate_ns,omitempty"`
	Missing    string        `json:"missing,omitempty"`
}

// dryRun prints what a run would do, how long that takes about, and what is missing and how to get it.
func (a *app) dryRun(o runner.Options, shards int) error {
	if shards > 0 {
		return a.dryShards(o, shards)
	}
	if o.Resume && o.Dir == "" {
		if err := place(&o); err != nil {
			return err
		}
	}
	p, err := runner.Plan(o)
	if err != nil {
		return err
	}
	out := newPrinter(a, []string{"model", "experiment", "measures", "settings", "estimate", "missing"}, func(r planRow) []string {
		about := "–"
		if r.Estimate > 0 {
			about = r.Estimate.Round(time.Second).String()
		}
		return []string{r.Network, r.Experiment, string(r.Kind), r.Settings, about, r.Missing}
	})
	for _, t := range p.Tasks {
		row := planRow{Network: t.Model, Experiment: t.Experiment, Kind: t.Kind, Settings: taskSettings(t), Estimate: t.Estimate,
			Missing: t.Missing}
		if t.Tag != "" {
			row.Network += "." + t.Tag
		}
		if err := out.print(row); err != nil {
			return err
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	text := planText(p, "the column missing says why")
	if p.Kept > 0 {
		text += fmt.Sprintf("; %d are measured already", p.Kept)
	}
	var bases []runner.Basis
	for _, t := range p.Tasks {
		if t.Estimate > 0 {
			bases = append(bases, t.Basis)
		}
	}
	if len(bases) > 0 {
		text += "\ntimes on this machine: " + basesText(bases)
	}
	_, err = fmt.Fprintln(a.notes, text)
	return err
}

// planText is a plan in a line: the jobs, about how long they take and how many rows cannot be measured, with a
// hint at where the reasons stand.
func planText(p runner.Preview, hint string) string {
	var sum time.Duration
	var missing, unknown int
	for _, t := range p.Tasks {
		sum += t.Estimate
		switch {
		case t.Missing != "":
			missing++
		case t.Estimate == 0:
			unknown++
		}
	}
	text := fmt.Sprintf("%d jobs, about %v", len(p.Tasks)-missing, sum.Round(time.Second))
	if unknown > 0 {
		text += fmt.Sprintf(" without the %d that take all images", unknown)
	}
	if missing > 0 {
		text += fmt.Sprintf("; %d rows cannot be measured, %s", missing, hint)
	}
	return text
}

// basesText says what the estimates of tasks rest on.
func basesText(bases []runner.Basis) string {
	var counts [runner.Own + 1]int
	for _, b := range bases {
		counts[b]++
	}
	var parts []string
	for _, c := range []struct {
		basis runner.Basis
		text  string
	}{
		{runner.Own, "of %d tasks by what their networks have taken on this class of machine"},
		{runner.Alike, "of %d tasks by what other networks have taken on it"},
		{runner.Stated, "of %d tasks by a stated share of this core's peak, because nothing like them has been measured here"},
	} {
		if n := counts[c.basis]; n > 0 {
			parts = append(parts, fmt.Sprintf(c.text, n))
		}
	}
	return strings.Join(parts, "; ")
}

// taskSettings are what tells a task from others of its network.
func taskSettings(t runner.PreviewTask) string {
	if a := t.Job.Accuracy; a != nil {
		text := "all images"
		if a.Limit > 0 {
			text = fmt.Sprintf("%d images", a.Limit)
		}
		return t.Axes.Named(text)
	}
	if r := t.Job.Train; r != nil {
		return fmt.Sprintf("%d images, %d epochs, seed %d", t.Learned, r.Recipe.Epochs+r.Recipe.HeadEpochs, r.Seed())
	}
	text := fmt.Sprintf("%s, batch %d, threads %d", t.Scenario, t.Batch, t.Threads)
	if t.ImgSize > 0 {
		text += fmt.Sprintf(", %d px", t.ImgSize)
	}
	if t.ISA != "" {
		text += ", " + t.ISA
	}
	if t.Precision != "" {
		text += ", " + t.Precision
	}
	return text
}
