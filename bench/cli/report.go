package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
	"zoobench/bench/shard/merge"
	"zoobench/reports"
	"zoobench/reports/classes"
)

func (a *app) report() *cobra.Command {
	var out string
	var diff bool
	var hour price
	c := &cobra.Command{
		Use:   "report RUN...",
		Short: "Write the report of a run again, or one report of several runs, or compare two runs",
		Long: "RUN is a run's folder or a file of records. The report of one run goes into the run's own folder, or into --out. Several\n" +
			"runs need --out: the command merges them, and the latest measurement of each job counts. Runs on several classes of\n" +
			"machine get a report for each class, and a comparison of the classes. With --diff, the command compares two runs row by\n" +
			"row and writes no report. The folders of run --shard need --out too: the command puts the shards together and says what\n" +
			"is missing.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if diff {
				if len(args) != 2 || out != "" {
					return fmt.Errorf("--diff: have %d runs, want two, and no --out", len(args))
				}
				return a.diff(args[0], args[1])
			}
			return a.writeReport(args, out, hour)
		},
	}
	c.Flags().StringVar(&out, "out", "", "folder of the report (default: the run's own)")
	hour.flag(c)
	c.Flags().BoolVar(&diff, "diff", false, "comparison of two runs, the earlier one first, in place of a report")
	a.formatFlag(c)
	return c
}

// writeReport writes one report of runs, or of shards, and prints its table and the paths of its pages.
func (a *app) writeReport(args []string, out string, hour price) error {
	all, err := a.gather(args, out)
	if err != nil {
		return err
	}
	if merge.HasShards(args[0]) {
		args = nil // their folders are not the report's
	}
	if out == "" {
		info, err := os.Stat(args[0])
		if err != nil {
			return err
		}
		if len(args) > 1 || !info.IsDir() {
			return errors.New("report: several runs, or a file: name the report's folder with --out")
		}
		out = args[0]
	}
	file := filepath.Join(out, record.FileName)
	log, err := isLog(file, args)
	if err != nil {
		return err
	}
	if len(classes.Of(all.records)) > 1 {
		return a.reportClasses(hour.of(all.records), all.problems, out, all.folders)
	}
	paths, err := reports.Write(out, hour.of(all.records), all.problems, a.given(all.folders), sheets(all.records)...)
	if err == nil && !log {
		err = record.WriteFile(file, all.records)
	}
	if err != nil {
		return err
	}
	if err := a.printRun(hour.of(all.records)); err != nil {
		return err
	}
	if n := len(all.problems); n > 0 {
		fmt.Fprintf(a.stderr, "%d lines of records could not be read; report.md says which and why\n", n)
	}
	for _, p := range paths {
		if strings.HasSuffix(p, ".html") {
			fmt.Fprintln(a.notes, p)
		}
	}
	return nil
}

// A gathering is the records of one run or more, and the folders of their per-sample files by the run's identity.
type gathering struct {
	records  []record.Record
	problems []record.Problem
	folders  map[string]string
}

// gather reads runs, or puts shards together in the folder out.
func (a *app) gather(args []string, out string) (all gathering, err error) {
	all.folders = map[string]string{}
	if merge.HasShards(args[0]) {
		if all.records, all.problems, err = a.mergeShards(args, out); err != nil {
			return all, err
		}
		all.folders[all.records[0].RunID] = out
		return all, nil
	}
	for _, arg := range args {
		records, problems, path, err := readRun(arg)
		if err != nil {
			return all, err
		}
		for i := range records {
			all.folders[records[i].RunID] = filepath.Dir(path)
		}
		all.records, all.problems = append(all.records, records...), append(all.problems, problems...)
	}
	return all, nil
}

// isLog reports whether the file of a report's records is the log of the run that it is of. A folder of one of several runs
// is an error: its log would be lost.
func isLog(path string, runs []string) (bool, error) {
	for _, run := range runs {
		if !sameFile(filepath.Dir(path), run) && !sameFile(path, run) {
			continue
		}
		if len(runs) > 1 {
			return false, fmt.Errorf("report: --out %s is the folder of one of the runs, want another", filepath.Dir(path))
		}
		return true, nil
	}
	return false, nil
}

// sameFile reports whether two paths are of one file or folder that exists.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// readRun reads the records of a run's folder, or of a file, and the file's path.
func readRun(path string) ([]record.Record, []record.Problem, string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, path, fmt.Errorf("report: %w", err)
	}
	if info.IsDir() {
		file := filepath.Join(path, record.FileName)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, path, fmt.Errorf("report: %s: no %s in it; name the folder of a run", path, record.FileName)
		}
		path = file
	}
	records, problems, err := record.ReadFile(path)
	for i := range problems {
		problems[i].Err = fmt.Errorf("%s: %w", path, problems[i].Err)
	}
	return record.Current(records), problems, path, err
}

// diff prints what changed between two runs.
func (a *app) diff(before, after string) error {
	old, _, _, err := readRun(before)
	if err != nil {
		return err
	}
	now, _, _, err := readRun(after)
	if err != nil {
		return err
	}
	changes, err := reports.Changes(old, now)
	if err != nil {
		return err
	}
	milliseconds := func(ns int64) string {
		if ns == 0 {
			return "–"
		}
		return fmt.Sprintf("%.3f", float64(ns)/1e6)
	}
	out := newPrinter(a, []string{"model", "settings", "p50 before, ms", "after, ms", "ratio", "top-1 before", "after", "verdict"},
		func(c reports.Change) []string {
			times, top1, now := "–", "–", "–"
			if c.Times > 0 {
				times = fmt.Sprintf("%.3f [%.3f, %.3f]", c.Times, c.TimesLo, c.TimesHi)
			}
			if c.Top1 > 0 {
				top1 = fmt.Sprintf("%.2f", c.Top1)
			}
			if c.Top1Now > 0 {
				now = fmt.Sprintf("%.2f", c.Top1Now)
			}
			verdict := c.Verdict
			if c.Note != "" {
				verdict += ": " + c.Note
			}
			return []string{c.Network, c.Settings, milliseconds(c.Before), milliseconds(c.After), times, top1, now, verdict}
		})
	return out.printAll(changes)
}
