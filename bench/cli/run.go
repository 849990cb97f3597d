package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/submit"
	"zoobench/reports"
	"zoobench/reports/findings"
)

// runsDir is where runs are kept, from the working directory.
const runsDir = "reports/out"

func (a *app) run() *cobra.Command {
	var changes experiment.Changes
	var hour price
	var out, data string
	var resume, dry, noTune bool
	var part shardFlags
	c := &cobra.Command{
		Use:   "run [experiments.yaml]",
		Short: "Run experiments and write their report",
		Long: "Runs the experiments that the file lists under run, or those that --only names. Timed jobs come first: each has several\n" +
			"processes, in turn with those of the other jobs. The command writes every record to disk before it starts the next\n" +
			"process. With --resume it continues the latest run of the same experiments, or the run in --out, and keeps what is\n" +
			"measured. With --shard the command does one part of the tasks; zoobench report puts the parts together.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := "experiments.yaml"
			if len(args) > 0 {
				path = args[0]
			}
			if hour > 0 {
				changes.Set = append(changes.Set, "price="+hour.String())
			}
			file, err := experiment.LoadWith(path, runner.Known(a.list), changes)
			if err != nil {
				return err
			}
			for i := range file.Experiments {
				file.Experiments[i].NoTune = file.Experiments[i].NoTune || noTune
			}
			if _, err := file.Jobs(changes.Only...); err != nil {
				return err // before there is a folder for the run
			}
			cache, err := runner.DefaultCache()
			if err != nil {
				return err
			}
			if data == "" {
				data = os.Getenv("ZOOBENCH_DATA")
			}
			o := runner.Options{
				List: a.list, File: file, Only: changes.Only, Resume: resume, Dir: out, Cache: cache, Data: data, Worker: a.worker,
			}
			if o.Share, err = part.share(); err != nil {
				return err
			}
			if dry {
				return a.dryRun(o, part.shards)
			}
			if part.shards > 0 {
				return errors.New("--shards says how many shards --dry-run plans for; to run one of them, say --shard I/N")
			}
			if err := place(&o); err != nil {
				return err
			}
			plan, err := runner.Plan(o)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.notes, planText(plan, "--dry-run says why and what to get"))
			progress := newProgress(a.notes, plan.Tasks)
			o.Events = progress.events()
			s, err := runner.Run(c.Context(), o)
			progress.close()
			return a.finish(s, err, o, resumeCommand(path, changes, o.Dir, data, noTune)+part.text())
		},
	}
	c.Flags().StringArrayVar(&changes.Only, "only", nil, "name of an experiment to run; may be given several times (default: those under run)")
	c.Flags().StringArrayVar(&changes.Set, "set", nil,
		"`KEY=VALUE` that replaces the experiments' own, as threads=1,2 or latency.min_duration=1s; may be given several times")
	c.Flags().StringVar(&out, "out", "", "folder of this run (default: a new one in "+runsDir+")")
	c.Flags().StringVar(&data, "data", "",
		"images for accuracy experiments that name none (default: $ZOOBENCH_DATA, else those in the cache folder)")
	noTuneFlag(c, &noTune)
	hour.flag(c)
	part.flags(c)
	c.Flags().BoolVar(&resume, "resume", false, "continuation of an earlier run: what it measured is kept")
	c.Flags().BoolVar(&dry, "dry-run", false, "list of the jobs, of their estimated time and of what is missing; nothing is measured")
	c.RegisterFlagCompletionFunc("only", a.experimentNames)
	a.formatFlag(c)
	return c
}

// experimentNames completes the names of the experiments in the file that is given, or in experiments.yaml.
func (a *app) experimentNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	path := "experiments.yaml"
	if len(args) > 0 {
		path = args[0]
	}
	file, err := experiment.Load(path, runner.Known(a.list))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, e := range file.Experiments {
		names = append(names, e.Name+"\t"+e.Question)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// place decides the run's folder and name.
func place(o *runner.Options) (err error) {
	names := o.Only
	if len(names) == 0 {
		names = o.File.Run
	}
	switch {
	case o.Dir == "" && o.Share.Shard.N > 0:
		return fmt.Errorf("--shard %v: name the shard's folder with --out, as --out results/shard-%d", o.Share.Shard, o.Share.Shard.I)
	case o.Dir != "":
		o.RunID = time.Now().UTC().Format("20060102T150405Z") + "-" + strings.Join(names, "+")
	case o.Resume:
		o.Dir, o.RunID, err = runner.LastDir(runsDir, names)
	default:
		o.Dir, o.RunID, err = runner.NewDir(runsDir, time.Now(), names)
	}
	return err
}

// resumeCommand is what to type to go on with a run.
func resumeCommand(path string, changes experiment.Changes, dir, data string, noTune bool) string {
	command := "zoobench run " + submit.Shell(path)
	for _, name := range changes.Only {
		command += " --only " + name
	}
	for _, text := range changes.Set {
		command += " --set " + submit.Shell(text)
	}
	if data != "" {
		command += " --data " + submit.Shell(data)
	}
	if noTune {
		command += " --no-tune"
	}
	return command + " --out " + submit.Shell(dir) + " --resume"
}

// finish writes the report of whatever was measured, prints the table and says what is left to do. Failed is what ended
// the run, nil if nothing.
func (a *app) finish(s runner.Summary, failed error, o runner.Options, again string) error {
	if len(s.Records) == 0 {
		if failed == nil && s.Interrupted {
			failed = &exitError{exitFailed, errors.New("interrupted before anything was measured; continue with: " + again)}
		}
		return failed
	}
	if o.Share.Shard.N > 0 {
		return a.finishShard(s, failed, o, again)
	}
	given := a.given(map[string]string{s.Records[0].RunID: o.Dir})
	_, reported := reports.Write(o.Dir, s.Records, s.Problems, given, sheets(s.Records)...)
	if err := a.tell(s, o.Dir, given, reported == nil); reported == nil {
		reported = err
	}
	return unfinished(s, failed, reported, o.Dir, again)
}

// unfinished is the error of a run that did not do all that it was to do: what failed is what ended the run, reported why what it measured
// could not be written or printed; each is nil for nothing.
func unfinished(s runner.Summary, failed, reported error, dir, again string) error {
	if errors.Is(reported, errReaderGone) {
		reported = nil
	}
	switch {
	case failed != nil:
		return errors.Join(fmt.Errorf("%w; continue with: %s", failed, again), reported)
	case reported != nil:
		return fmt.Errorf("the records are safe in %s: %w", filepath.Join(dir, record.FileName), reported)
	case s.Interrupted:
		return &exitError{exitFailed, errors.New("interrupted; continue with: " + again)}
	case s.Failed > 0:
		return &exitError{exitFailed, fmt.Errorf("%d of %d jobs failed; try them again with: %s", s.Failed, s.Tasks, again)}
	}
	return nil
}

// tell prints a run's records and, in words, what came of them.
func (a *app) tell(s runner.Summary, dir string, given findings.Given, reported bool) error {
	if err := a.printRun(s.Records); err != nil || a.format != "table" || !reported {
		return err
	}
	if lacksAccuracy(s.Records) {
		if _, err := fmt.Fprint(a.stdout,
			"\naccuracy on photographs was not measured: checkpoints or images are missing; "+
				"make bench-accuracy fetches some and measures it\n"); err != nil {
			return err
		}
	}
	found := findings.Test(s.Records, given)
	_, err := fmt.Fprintf(a.stdout, "\nfindings: %s\nreport: %s\n", findings.Count(found), filepath.Join(dir, "report.html"))
	return err
}

// lacksAccuracy reports whether accuracies were asked for and none was measured, but for those of small networks.
func lacksAccuracy(records []record.Record) bool {
	asked := false
	for i := range records {
		if records[i].Kind == record.KindEval && records[i].Family != findings.SmallFamily {
			if records[i].Accuracy != nil {
				return false
			}
			asked = asked || len(records[i].NotMeasured) > 0
		}
	}
	return asked
}

// printRun prints a run's records: a table for people, the whole records as JSON, timm's columns as CSV, the accuracies
// after the latencies.
func (a *app) printRun(records []record.Record) error {
	switch a.format {
	case "json":
		for i := range records {
			line, err := record.Marshal(&records[i])
			if err != nil {
				return err
			}
			if _, err := a.stdout.Write(line); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		if err := record.WriteLatencyCSV(a.stdout, records); err != nil {
			return err
		}
		for _, r := range records {
			if r.Kind == record.KindEval {
				if _, err := fmt.Fprintln(a.stdout); err != nil {
					return err
				}
				return record.WriteEvalCSV(a.stdout, records)
			}
		}
		return nil
	}
	width, isTerminal := terminalWidth(a.stdout)
	return reports.Print(a.stdout, records, reports.TableOptions{Width: width, Color: isTerminal && os.Getenv("NO_COLOR") == ""})
}

// terminalWidth is w's number of columns, 0 where it is no terminal.
func terminalWidth(w io.Writer) (width int, isTerminal bool) {
	if o, ok := w.(output); ok {
		w = o.Writer
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return width, true
}

// validateRow is an experiment of a sound file.
type validateRow struct {
	Experiment string `json:"experiment"`
	Question   string `json:"question"`
	Networks   int    `json:"networks"`
	Jobs       int    `json:"jobs"`
	Default    bool   `json:"default"` // runs where none is asked for by name
}

func (a *app) validate() *cobra.Command {
	c := &cobra.Command{
		Use:   "validate FILE",
		Short: "Check an experiments file and list what it would run",
		Long: "Reads an experiments file and measures nothing. If something is wrong, the command prints each mistake with its line, its\n" +
			"column and the nearest valid word. If not, it lists the experiments with the number of their jobs.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := experiment.Load(args[0], runner.Known(a.list))
			if err != nil {
				return err
			}
			out := newPrinter(a, []string{"experiment", "networks", "jobs", "runs", "question"}, func(r validateRow) []string {
				runs := "with --only"
				if r.Default {
					runs = "always"
				}
				return []string{r.Experiment, fmt.Sprint(r.Networks), fmt.Sprint(r.Jobs), runs, r.Question}
			})
			for _, e := range file.Experiments {
				jobs, err := file.Jobs(e.Name)
				if err != nil {
					return err
				}
				row := validateRow{Experiment: e.Name, Question: e.Question, Networks: len(e.Models), Jobs: len(jobs)}
				for _, name := range file.Run {
					row.Default = row.Default || name == e.Name
				}
				if err := out.print(row); err != nil {
					return err
				}
			}
			return out.close()
		},
	}
	a.formatFlag(c)
	return c
}
