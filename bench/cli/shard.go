package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/shard"
	"zoobench/bench/shard/merge"
	"zoobench/bench/submit"
)

// shardFlags are the flags of a run that several processes share.
type shardFlags struct {
	shard   string
	measure string
	shards  int // of a plan
}

func (f *shardFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.shard, "shard", "",
		"part `I/N` of the tasks, with I from 0 to N-1; or auto, which takes I and N from a Slurm array or a Kubernetes Indexed Job")
	c.Flags().StringVar(&f.measure, "measure", "", "kind of the tasks to do: latency or accuracy (default both)")
	c.Flags().IntVar(&f.shards, "shards", 0, "number of shards that --dry-run makes a plan for")
}

// share is what the flags ask for.
func (f *shardFlags) share() (s runner.Share, err error) {
	switch f.measure {
	case "":
	case "latency":
		s.Kind = record.KindLatency
	case "accuracy":
		s.Kind = record.KindEval
	default:
		return s, fmt.Errorf("--measure %q: want latency or accuracy", f.measure)
	}
	if f.shards < 0 {
		return s, fmt.Errorf("--shards %d: want a number above 0", f.shards)
	}
	if f.shard != "" {
		s.Shard, err = shard.ParseIndex(f.shard, os.Getenv)
	}
	return s, err
}

// text is the flags as somebody types them, after a space.
func (f *shardFlags) text() string {
	text := ""
	if f.shard != "" {
		text += " --shard " + f.shard
	}
	if f.measure != "" {
		text += " --measure " + f.measure
	}
	return text
}

// finishShard prints what a shard has measured and says how to put the shards together. Its report would be of some rows only.
func (a *app) finishShard(s runner.Summary, failed error, o runner.Options, again string) error {
	if err := unfinished(s, failed, a.printRun(s.Records), o.Dir, again); err != nil {
		return err
	}
	fmt.Fprintf(a.notes, "shard %v has done its %d tasks; when all shards have: zoobench report %s/* --out FOLDER\n", o.Share.Shard, s.Tasks,
		submit.Shell(filepath.Dir(filepath.Clean(o.Dir))))
	return nil
}

// shardRow is a shard in a plan.
type shardRow struct {
	Shard    int           `json:"shard"`
	Tasks    int           `json:"tasks"`
	Images   int           `json:"images"`
	Estimate time.Duration `json:"estimate_ns"`
}

// dryShards prints what each of some shards would do, and how many shards are worth having.
func (a *app) dryShards(o runner.Options, n int) error {
	o.Share.Shard = shard.Index{N: n}
	p, err := runner.Plan(o)
	if err != nil {
		return err
	}
	units := p.Deal.Units
	pieces := shard.Deal(units, n)
	times := shard.Times(p.Deal.Here, pieces)
	out := newPrinter(a, []string{"shard", "tasks", "images", "estimate"}, func(r shardRow) []string {
		return []string{fmt.Sprint(r.Shard), fmt.Sprint(r.Tasks), fmt.Sprint(r.Images), r.Estimate.Round(time.Second).String()}
	})
	var sum time.Duration
	for i := range pieces {
		row := shardRow{Shard: i, Tasks: len(pieces[i]), Estimate: times[i]}
		for _, piece := range pieces[i] {
			if u := &units[piece.Unit]; piece.Whole() {
				row.Images += u.Images
			} else {
				row.Images += piece.To - piece.From
			}
		}
		sum += times[i]
		if err := out.print(row); err != nil {
			return err
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	longest := slices.Max(times)
	even := 0.0
	if sum > 0 {
		even = 100 * (float64(longest)*float64(n)/float64(sum) - 1)
	}
	const most = 1024
	_, err = fmt.Fprintf(a.notes, "%d tasks in %d shards: %v in all on one core, the longest shard %v (%.0f %% over an equal share)\n"+
		"%s to read from checkpoints and images by all shards; more than %d shards save no time worth having\n"+
		"times on one core of this machine: %s\n",
		len(units), n, sum.Round(time.Second), longest.Round(time.Second), even, bytesToMove(p.Deal, pieces),
		shard.Worth(units, p.Deal.Here, most), basesText(p.Deal.Bases))
	return err
}

// bytesToMove is about how many bytes of checkpoints and images shards read, in words.
func bytesToMove(d *runner.Deal, pieces [][]shard.Piece) string {
	var total float64
	for _, mine := range pieces {
		for _, p := range mine {
			u, image := &d.Units[p.Unit], float64(d.ImageBytes[p.Unit])
			total += float64(u.Bytes)
			if p.Whole() {
				total += image * float64(u.Images)
			} else {
				total += image * float64(p.To-p.From)
			}
		}
	}
	if total >= 1e9 {
		return fmt.Sprintf("about %.1f GB", total/1e9)
	}
	return fmt.Sprintf("about %.0f MB", total/1e6)
}

// mergeShards puts shards together in the folder out, says what is missing, and returns the records there.
func (a *app) mergeShards(dirs []string, out string) (records []record.Record, problems []record.Problem, err error) {
	if out == "" {
		return nil, nil, errors.New("report: shards: name the merged run's folder with --out")
	}
	f, err := merge.Read(dirs...)
	if err != nil {
		return nil, nil, err
	}
	m, err := f.Write(out, strings.TrimSuffix(filepath.Base(filepath.Clean(out)), "/"))
	if err != nil {
		return nil, nil, err
	}
	if m.Twice > 0 {
		fmt.Fprintf(a.notes, "%d tasks were done twice, with the same results; they count once\n", m.Twice)
	}
	for _, missing := range m.Missing {
		fmt.Fprintf(a.stderr, "missing: %v\n", missing)
	}
	if len(m.Records) == 0 {
		return nil, nil, fmt.Errorf("report: the shards have no record yet; %d tasks are missing", len(m.Missing))
	}
	return m.Records, m.Problems, nil
}
