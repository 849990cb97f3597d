package cli

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/shard"
	"zoobench/bench/submit"
)

func (a *app) submit() *cobra.Command {
	var changes experiment.Changes
	var data string
	j := submit.Job{}
	c := &cobra.Command{
		Use:   "submit SCHEDULER FILE",
		Short: "Print a script or manifest that runs experiments on many machines",
		Long: "SCHEDULER is " + strings.Join(submit.Schedulers, ", ") +
			". The command prints a script for Slurm or GNU parallel, or a manifest for\n" +
			"Kubernetes. It sends nothing: read the text, edit it and send it. Accuracies become an array of shards on any node. Timings\n" +
			"become one job with a node to itself. A last job writes the report and says what is missing. Time and memory limits follow\n" +
			"from the estimates of zoobench run --dry-run --shards N.",
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := experiment.LoadWith(args[1], runner.Known(a.list), changes)
			if err != nil {
				return err
			}
			cache, err := runner.DefaultCache()
			if err != nil {
				return err
			}
			if j.File, j.Out, err = submit.Paths(args[0], args[1], j.Out); err != nil {
				return err
			}
			for _, name := range changes.Only {
				j.Args = append(j.Args, "--only", name)
			}
			for _, text := range changes.Set {
				j.Args = append(j.Args, "--set", text)
			}
			if data != "" {
				j.Args = append(j.Args, "--data", data)
			}
			o := runner.Options{List: a.list, File: file, Only: changes.Only, Cache: cache, Data: cmp.Or(data, os.Getenv("ZOOBENCH_DATA"))}
			missing, err := limits(&j, o)
			if err != nil {
				return err
			}
			text, err := submit.Write(args[0], j)
			if err != nil {
				return err
			}
			if missing > 0 {
				fmt.Fprintf(a.stderr, "%d tasks lack weights or images on this machine, so that the limits do not count them; "+
					"the nodes need them: see zoobench run --dry-run\n", missing)
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
	f := c.Flags()
	f.StringArrayVar(&changes.Only, "only", nil, "name of an experiment to run; may be given several times (default: those under run)")
	f.StringArrayVar(&changes.Set, "set", nil, "`KEY=VALUE` that replaces the experiments' own; may be given several times")
	f.StringVar(&data, "data", "", "images for accuracy experiments that name none, as the machines see them")
	f.IntVar(&j.Shards, "shards", 16, "number of shards for the accuracies; about sixteen for each worker let no worker wait long at the end")
	f.IntVar(&j.CPUs, "cpus", 4, "number of processors for each shard")
	f.StringVar(&j.Name, "name", "zoobench", "name of the jobs")
	f.StringVar(&j.Out, "out", "results", "folder for the results, on a disk that all machines see")
	f.StringVar(&j.Partition, "partition", "", "Slurm partition")
	f.StringVar(&j.Constraint, "constraint", "", "Slurm features of the nodes for timings, so that they are of one class")
	f.StringVar(&j.Image, "image", "", "container image with the program, for Kubernetes")
	f.StringVar(&j.Claim, "claim", "", "persistent volume claim for data and results, for Kubernetes; it is mounted at "+submit.Mount)
	f.StringVar(&j.Node, "node", "", "`LABEL=VALUE` of the nodes for timings, for Kubernetes")
	f.StringVar(&j.Hosts, "hosts", "", "file with a host on each line, for GNU parallel (default: this machine)")
	return c
}

// limits fills in what the job has to do and what it may take, from the plan's estimates, and returns how many tasks lack something
// here.
func limits(j *submit.Job, o runner.Options) (missing int, err error) {
	if j.Shards < 1 || j.CPUs < 1 {
		return 0, fmt.Errorf("submit: --shards %d and --cpus %d: want 1 at least", j.Shards, j.CPUs)
	}
	longest := func(kind record.Kind, n int) (d *runner.Deal, longest time.Duration, err error) {
		o.Share = runner.Share{Kind: kind, Shard: shard.Index{N: n}}
		p, err := runner.Plan(o)
		if err != nil {
			return nil, 0, err
		}
		return p.Deal, slices.Max(shard.Times(p.Deal.Units, shard.Deal(p.Deal.Units, n))), nil
	}
	evals, longestEval, err := longest(record.KindEval, j.Shards)
	if err != nil {
		return 0, err
	}
	timed, longestTimed, err := longest(record.KindLatency, 1)
	if err != nil {
		return 0, err
	}
	j.Accuracies, j.Timings = len(evals.Units) > 0, len(timed.Units) > 0
	var largest int64
	for _, u := range evals.Units {
		if u.Images == 0 {
			missing++
		}
		largest = max(largest, u.Bytes)
	}
	// Estimates are of one slow core: three times as long is for a loaded disk and a slower one.
	const begin = 10 * time.Minute
	j.Limit = begin + 3*longestEval/time.Duration(j.CPUs)
	if missing > 0 {
		j.Limit = max(j.Limit, 24*time.Hour)
	}
	j.TimedLimit = begin + 3*longestTimed
	j.Memory = 2<<30 + 3*largest
	return missing, nil
}
