package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo/engine"
)

// verifyRow is what became of a row that was repeated.
type verifyRow struct {
	Model   string   `json:"model"`
	Kind    string   `json:"kind"`
	Verdict string   `json:"verdict"` // "holds", "does not hold" or "undecided"
	Before  string   `json:"before"`
	Now     string   `json:"now"`
	Why     []string `json:"why,omitempty"`
}

// The verdicts of verify.
const (
	holds     = "holds"
	holdsNot  = "does not hold"
	undecided = "undecided"
)

// slowerShare is by how much a median may grow before a row's latency no longer holds: machines at rest differ by a few
// percent from day to day.
const slowerShare = 0.10

func (a *app) verify() *cobra.Command {
	var data, labels, weights string
	c := &cobra.Command{
		Use:   "verify FILE[:LINE]",
		Short: "Repeat a row of results and say whether it holds",
		Long: "Repeats the measurement in a line of a run's results.jsonl with the same weights, images, settings and plan. The exit code\n" +
			"is 0 where it holds, 3 where it does not, and 4 where it cannot be told: other weights, other images, another\n" +
			"machine, a measurement that failed. LINE may be left out where the file has one measurement.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			before, err := readRow(args[0])
			if err != nil {
				return err
			}
			t, err := a.again(before, data, labels, weights)
			if err != nil {
				return err
			}
			now, err := a.worker.Measure(c.Context(), t, nil)
			if err != nil {
				err = fmt.Errorf("verify: %s: %w", before.Name(), err)
				if failure := (*runner.Failure)(nil); errors.As(err, &failure) {
					return &exitError{exitUndecided, err}
				}
				return err
			}
			row := judge(before, now)
			out := newPrinter(a, []string{"model", "kind", "verdict", "before", "now", "why"}, func(r verifyRow) []string {
				return []string{r.Model, r.Kind, r.Verdict, r.Before, r.Now, joinSemicolon(r.Why)}
			})
			if err := errors.Join(out.print(row), out.close()); err != nil {
				return err
			}
			switch row.Verdict {
			case holdsNot:
				return &exitError{exitSlower, nil}
			case undecided:
				return &exitError{exitUndecided, nil}
			}
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "", "where the images are now (default: where they were)")
	c.Flags().StringVar(&labels, "labels", "", "label file of flat images, where the row's had one")
	c.Flags().StringVar(&weights, "weights", "", "where the checkpoint is now (default: where it was, or the cache)")
	a.formatFlag(c)
	return c
}

// readRow reads the record that FILE or FILE:LINE names.
func readRow(arg string) (*record.Record, error) {
	path, line := arg, 0
	if at := strings.LastIndex(arg, ":"); at >= 0 {
		if n, err := strconv.Atoi(arg[at+1:]); err == nil && n > 0 {
			path, line = arg[:at], n
		}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, runner.LogName)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	var found *record.Record
	var places []string
	for n := 1; ; n++ {
		text, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		if line == 0 || line == n {
			records, problems, _ := record.Read(bytes.NewReader(text)) // of memory: no error of its own
			if line == n && len(problems) > 0 {
				return nil, fmt.Errorf("verify: %s:%d: %v", path, n, problems[0].Err)
			}
			for i := range records {
				r := &records[i]
				if r.Kind == record.KindEval && r.Accuracy != nil || r.Kind == record.KindLatency && r.Timing != nil {
					found = r
					places = append(places, fmt.Sprintf("%d %s of %s", n, r.Kind, r.Name()))
				}
			}
		}
		if err == io.EOF {
			break
		}
	}
	switch {
	case found == nil && line > 0:
		return nil, fmt.Errorf("verify: %s:%d: no measured latency or accuracy on this line", path, line)
	case found == nil:
		return nil, fmt.Errorf("verify: %s: no measured latency or accuracy", path)
	case len(places) > 1:
		return nil, fmt.Errorf("verify: %s: %d measurements; name the line of one as %s:LINE: %s", path, len(places), path, strings.Join(places, ", "))
	}
	return found, nil
}

// again is the task that repeats a record.
func (a *app) again(r *record.Record, data, labels, file string) (runner.Task, error) {
	spec, err := a.list.Find(r.Model)
	if err != nil {
		return runner.Task{}, err
	}
	s := r.Asked
	if s == nil {
		s = &record.Settings{}
	}
	t := runner.Task{
		Job: experiment.Job{
			Model: spec.Name, ISA: s.ISA, Threads: s.Threads, Batch: s.Batch, ImgSize: s.ImgSize, Scenario: load.Scenario(s.Scenario),
			Exact: s.Exact, NoTune: s.NoTune, Timeout: time.Duration(s.Timeout),
		},
		Tag: r.Checkpoint, Weights: r.WeightsFile, NumClasses: s.NumClasses,
	}
	t.NoTune = t.NoTune || r.Plan == nil // an older row: there were no trials
	if r.Plan != nil {
		for _, c := range r.Plan.Choices {
			t.Choices = append(t.Choices, engine.Choice(c))
		}
	}
	if file != "" {
		t.Weights = file
	} else if _, err := os.Stat(t.Weights); t.Weights != "" && err != nil && t.Tag != "" {
		cache, err := runner.DefaultCache()
		if err != nil {
			return t, err
		}
		if t.Weights, err = cache.Find(spec, t.Tag); err != nil {
			return t, err
		}
	}
	if r.Recipe != nil && r.Kind == record.KindEval {
		t.Recipe = runner.Recipe{
			Resize: r.Recipe.Resize, CropPct: r.Recipe.CropPct, Interpolation: r.Recipe.Interpolation, Mean: &r.Recipe.Mean, Std: &r.Recipe.Std,
		}
	}
	if r.Kind == record.KindEval {
		data, labels = cmp.Or(data, r.Dataset), cmp.Or(labels, r.LabelsFile)
		t.Job.Accuracy = &experiment.Accuracy{Data: data, Labels: labels, Limit: s.Limit, Seed: s.Seed}
		return t, nil
	}
	t.Job.Latency, err = latencyAgain(r, *s)
	if err != nil {
		return t, err
	}
	if c := r.Recheck; c != nil {
		t.Recheck = &experiment.Accuracy{Data: cmp.Or(data, c.Data), Labels: cmp.Or(labels, c.Labels), Limit: c.Limit, Seed: c.Seed}
	}
	return t, nil
}

// latencyAgain is how a record's latency was measured: as it was asked for, with what its scenario ran with.
func latencyAgain(r *record.Record, s record.Settings) (*experiment.Latency, error) {
	ran := cmp.Or(r.Effective, &s)
	l := &experiment.Latency{
		MinDuration: time.Duration(s.MinDuration), MaxDuration: time.Duration(s.MaxDuration), MinSamples: s.MinSamples, Seed: s.Seed,
		Streams: ran.Streams, Rate: ran.Rate, LatencyBound: time.Duration(ran.LatencyBound),
	}
	missing := ""
	switch scenario := load.Scenario(s.Scenario); {
	case scenario == load.MultiStream && l.Streams == 0:
		missing = "streams"
	case scenario == load.Server && l.Rate == 0:
		missing = "rate_images_per_s"
	}
	if missing != "" {
		return nil, fmt.Errorf("verify: %s: scenario %s: the row is of an older program and does not tell its %s", r.Name(), s.Scenario, missing)
	}
	return l, nil
}

// judge holds a repeated row against the one before.
func judge(before, now *record.Record) verifyRow {
	row := verifyRow{Model: before.Name(), Kind: string(before.Kind), Verdict: holds}
	doubt := func(format string, args ...any) {
		if row.Verdict == holds {
			row.Verdict = undecided
		}
		row.Why = append(row.Why, fmt.Sprintf(format, args...))
	}
	if before.WeightsSHA256 != now.WeightsSHA256 {
		doubt("other weights: %.16s, were %.16s", now.WeightsSHA256, before.WeightsSHA256)
	}
	if before.RecipeSHA256 != now.RecipeSHA256 && before.RecipeSHA256 != "" && now.Recipe != nil {
		doubt("other preprocessing: %+v, was %+v", *now.Recipe, *before.Recipe)
	}
	same := before.Machine.KernelBuild == now.Machine.KernelBuild && before.Machine.ISA == now.Machine.ISA && before.Threads == now.Threads
	if before.Plan != nil && now.Plan != nil && before.Plan.Hash != now.Plan.Hash {
		same = false
		row.Why = append(row.Why, fmt.Sprintf("another plan: %s, was %s", now.Plan.Hash, before.Plan.Hash))
	}
	if before.Kind == record.KindEval {
		return judgeAccuracy(before, now, row, same)
	}
	row = judgeRecheck(before, now, row)
	row.Before, row.Now = millis(before.P50), "–"
	if now.Timing == nil {
		doubt("not measured: %s", now.Why("latency_p50_ns"))
		return row
	}
	row.Now = millis(now.P50)
	if before.Machine.CPU != now.Machine.CPU || before.Machine.ISA != now.Machine.ISA {
		doubt("another machine: %s with %s, was %s with %s", now.Machine.CPU, now.Machine.ISA, before.Machine.CPU, before.Machine.ISA)
	}
	if !before.Verdict.Valid || !now.Verdict.Valid {
		doubt("a measurement is not valid: %s", joinSemicolon(append(before.Verdict.Reasons, now.Verdict.Reasons...)))
	}
	if before.P50 == 0 || now.P50 == 0 {
		doubt("too few samples for a median")
	}
	if row.Verdict != holds {
		return row
	}
	if before.Machine.KernelBuild != now.Machine.KernelBuild {
		row.Why = append(row.Why, "another build: "+now.Machine.KernelBuild+", was "+before.Machine.KernelBuild)
	}
	change := float64(now.P50)/float64(before.P50) - 1
	row.Why = append(row.Why, fmt.Sprintf("median %+.1f %%", 100*change))
	apart := now.P50Lo > before.P50Hi || now.P50Hi < before.P50Lo
	if apart && (change > slowerShare || change < -slowerShare) {
		row.Verdict = holdsNot
	}
	return row
}

// judgeRecheck holds the predictions that the engine made after its times were taken against those of before.
func judgeRecheck(before, now *record.Record, row verifyRow) verifyRow {
	switch {
	case row.Verdict != holds || before.Recheck == nil || len(before.Recheck.Predictions) == 0:
	case now.Recheck == nil:
		row.Why = append(row.Why, "predictions not repeated: "+now.Why("recheck"))
	default:
		var was []record.Sample
		for _, p := range before.Recheck.Predictions {
			was = append(was, record.Sample{File: p.File, Top5: p.Top5, Scores: p.Scores})
		}
		differ := now.Recheck.Against(was)
		row.Why = append(row.Why, "predictions: "+cmp.Or(now.Recheck.Text(), "none of the same images"))
		if len(differ) > 0 {
			row.Verdict, row.Why = holdsNot, append(row.Why, differ[0])
		}
	}
	return row
}

// judgeAccuracy holds counts of right answers against each other: the same build must repeat them to the image, another
// one may round otherwise on an image in a thousand.
func judgeAccuracy(before, now *record.Record, row verifyRow, same bool) verifyRow {
	text := func(r *record.Record) string {
		if r.Accuracy == nil {
			return "–"
		}
		return fmt.Sprintf("top-1 %d, top-5 %d of %d", r.Top1Images, r.Top5Images, r.Images)
	}
	row.Before, row.Now = text(before), text(now)
	if now.Accuracy == nil {
		row.Verdict, row.Why = undecided, append(row.Why, "not measured: "+now.Why("top1"))
		return row
	}
	if before.DatasetSHA256 != now.DatasetSHA256 {
		row.Verdict, row.Why = undecided, append(row.Why, fmt.Sprintf("other images or labels: %.16s, were %.16s", now.DatasetSHA256, before.DatasetSHA256))
	}
	if row.Verdict == undecided {
		return row
	}
	allowed := 0
	if !same {
		allowed = max(1, before.Images/1000)
		row.Why = append(row.Why, fmt.Sprintf("another build or setting (%s, %s): %d images may differ", now.Machine.KernelBuild, now.Machine.ISA, allowed))
	}
	off := max(now.Top1Images-before.Top1Images, before.Top1Images-now.Top1Images, now.Top5Images-before.Top5Images, before.Top5Images-now.Top5Images)
	if off > allowed {
		row.Verdict = holdsNot
		row.Why = append(row.Why, fmt.Sprintf("%d images differ", off))
	}
	return row
}
