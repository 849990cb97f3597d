package cli

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"zoobench/bench/choose"
	"zoobench/bench/experiment"
	"zoobench/bench/runner"
)

// chooseRow is a row of zoobench choose, shares from 0 to 1 with 95 % intervals; its names are relied on by scripts.
type chooseRow struct {
	Model      string  `json:"model"`
	Head       string  `json:"head"`
	Picked     bool    `json:"picked"`
	Fits       bool    `json:"fits"`
	Group      int     `json:"tie_group"`
	Accuracy   float64 `json:"accuracy"`
	AccuracyLo float64 `json:"accuracy_lo"`
	AccuracyHi float64 `json:"accuracy_hi"`
	Balanced   float64 `json:"balanced_accuracy"`
	BalancedLo float64 `json:"balanced_accuracy_lo"`
	BalancedHi float64 `json:"balanced_accuracy_hi"`
	MacroF1    float64 `json:"macro_f1"`
	MacroF1Lo  float64 `json:"macro_f1_lo"`
	MacroF1Hi  float64 `json:"macro_f1_hi"`
	P          float64 `json:"p_value"`
	Front      bool    `json:"pareto"`
	Latency    int64   `json:"latency_ns"`
	Params     int64   `json:"params"`
	Memory     int64   `json:"memory_bytes"`
	Load       int64   `json:"load_ns"`
}

// percentileNames are the percentiles of --percentile.
var percentileNames = map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

// chooseFlags are the command's own before they are options.
type chooseFlags struct {
	percentile, params, memory, metric string
	out, save                          string
}

func (f *chooseFlags) options(o *choose.Options) (err error) {
	var known bool
	if o.Limits.Percentile, known = percentileNames[f.percentile]; !known {
		return fmt.Errorf("--percentile: have %q, want p50, p90, p95 or p99", f.percentile)
	}
	if f.params != "" {
		if o.Limits.Params, err = parseCount(f.params); err != nil {
			return fmt.Errorf("--max-params: %w", err)
		}
	}
	if f.memory != "" {
		if o.Limits.Memory, err = experiment.ParseSize(f.memory); err != nil {
			return fmt.Errorf("--max-memory: %w", err)
		}
	}
	o.Metric = choose.Metric(f.metric)
	return nil
}

// parseCount reads a number such as 10M: k, M and G are powers of 1000.
func parseCount(text string) (int64, error) {
	number, unit := text, 1.0
	for suffix, power := range map[string]float64{"k": 1e3, "M": 1e6, "G": 1e9} {
		if cut, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = cut, power
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v > 0) || v*unit > math.MaxInt64/2 {
		return 0, fmt.Errorf("have %q, want a number above 0, as 10M", text)
	}
	return int64(math.Round(v * unit)), nil
}

func (a *app) choose() *cobra.Command {
	var f chooseFlags
	var o choose.Options
	c := &cobra.Command{
		Use:   "choose --data DIR",
		Short: "Pick the network for pictures of your own, within limits on latency, size and memory",
		Long: "Tests every checkpoint in the cache folder that keeps the limits on labelled pictures, a folder for each class:\n" +
			"times it, gives it a linear probe and a vote of the nearest on its frozen features, and tests these on pictures that\n" +
			"they have not learned from. Prints the rows, the pick and why, and writes a report. What was computed once is kept in\n" +
			"the cache folder: another question about the same pictures takes seconds, and interrupted work goes on.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Data == "" {
				return errors.New("choose: no pictures; name their folder with --data")
			}
			if err := f.options(&o); err != nil {
				return err
			}
			var err error
			if o.Cache, err = runner.DefaultCache(); err != nil {
				return err
			}
			o.List, o.Worker = a.list, a.worker
			p := newSteps(a)
			o.Say, o.Step = p.say, p.step
			r, err := choose.Run(c.Context(), o)
			p.clear()
			if err != nil {
				if c.Context().Err() != nil {
					return &exitError{exitFailed, errors.New("choose: interrupted; the same command goes on from here")}
				}
				return err
			}
			return a.answer(r, f)
		},
	}
	c.Flags().StringVar(&o.Data, "data", "", "folder of pictures, with a folder for each class")
	c.Flags().DurationVar(&o.Limits.Latency, "max-latency", 0, "what a forward call may take, as 20ms (default: any)")
	c.Flags().StringVar(&f.percentile, "percentile", "p50", "of the latency: p50, p90, p95 or p99")
	c.Flags().StringVar(&f.params, "max-params", "", "parameters at most, as 10M (default: any)")
	c.Flags().StringVar(&f.memory, "max-memory", "", "memory at most of a process that runs the network, as 200MiB (default: any)")
	c.Flags().IntVar(&o.Threads, "threads", 1, "workers; 0 for one a processor")
	c.Flags().IntVar(&o.Batch, "batch", 1, "images a forward call")
	noTuneFlag(c, &o.NoTune)
	c.Flags().StringSliceVar(&o.Networks, "networks", nil, "patterns of networks, as ls takes them (default: all)")
	c.Flags().IntVar(&o.Folds, "folds", 5, "parts that the pictures are dealt out to, each tested by heads that learn from the others")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "of folds, samples and learning curves")
	c.Flags().IntVar(&o.Pictures, "limit", 10000, "pictures at most, balanced over the classes; 0 for all")
	c.Flags().StringVar(&f.metric, "metric", string(choose.Accuracy), "what rows are ordered by: "+strings.Join(choose.Metrics(), ", "))
	c.Flags().DurationVar(&o.MinDuration, "min-duration", 3*time.Second, "how long to time a network")
	c.Flags().BoolVar(&o.Fresh, "fresh", false, "time networks again that were timed in the last 24 hours")
	c.Flags().StringVar(&f.out, "out", "", "folder of the report (default: a new one in "+runsDir+")")
	c.Flags().StringVar(&f.save, "save", "", "write the pick's head into this folder, for predict --head")
	c.RegisterFlagCompletionFunc("percentile", cobra.FixedCompletions([]string{"p50", "p90", "p95", "p99"}, cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions(choose.Metrics(), cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("networks", a.networks)
	a.formatFlag(c)
	return c
}

// answer writes the report and the head, and prints the rows and the pick. Where nothing fits, the exit code says so.
func (a *app) answer(r *choose.Result, f chooseFlags) (err error) {
	if f.out == "" {
		if f.out, _, err = runner.NewDir(runsDir, r.Time, []string{"choose"}); err != nil {
			return err
		}
	}
	if _, err := r.Write(f.out); err != nil {
		return err
	}
	saved := ""
	if f.save != "" && r.Head != nil {
		if err := os.MkdirAll(f.save, 0o777); err != nil {
			return fmt.Errorf("choose: %w", err)
		}
		saved = filepath.Join(f.save, r.PickName+".head.safetensors")
		if err := r.Head.Save(saved); err != nil {
			return err
		}
	}
	percent := func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
	interval := func(lo, hi float64) string { return fmt.Sprintf("%.1f to %.1f", 100*lo, 100*hi) }
	title := []string{"", "model", "head", "tie", "accuracy", "95 % interval", "balanced", "macro-F1", "latency", "params", "memory", "load", "limits"}
	out := newPrinter(a, title, func(r chooseRow) []string {
		mark, limits := " ", "over"
		if r.Picked {
			mark = "→"
		}
		if r.Fits {
			limits = "kept"
		}
		return []string{
			mark, r.Model, r.Head, strconv.Itoa(r.Group), percent(r.Accuracy), interval(r.AccuracyLo, r.AccuracyHi), percent(r.Balanced), percent(r.MacroF1),
			millis(r.Latency), millions(r.Params), mebibytes(r.Memory), millis(r.Load), limits,
		}
	})
	candidates := map[string]*choose.Candidate{}
	for _, c := range r.Candidates {
		candidates[c.Name] = c
	}
	for _, row := range r.Rows {
		c, s := candidates[row.Name], row.Score
		if err := out.print(chooseRow{
			Model: row.Name, Head: row.Head, Picked: row == r.Pick, Fits: row.Fits, Group: row.Group,
			Accuracy: s.Accuracy.Value, AccuracyLo: s.Accuracy.Lo, AccuracyHi: s.Accuracy.Hi,
			Balanced: s.Balanced.Value, BalancedLo: s.Balanced.Lo, BalancedHi: s.Balanced.Hi,
			MacroF1: s.MacroF1.Value, MacroF1Lo: s.MacroF1.Lo, MacroF1Hi: s.MacroF1.Hi,
			P: row.P, Front: row.Front, Latency: row.Latency, Params: c.Params, Memory: c.Memory, Load: c.Load,
		}); err != nil {
			return err
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	if a.format == "table" {
		text := "\n" + r.Reason + "\n\nreport: " + filepath.Join(f.out, "report.html") + "\n"
		if saved != "" {
			text += "head: " + saved + "\n"
		}
		if _, err := fmt.Fprint(a.stdout, text); err != nil {
			return err
		}
	}
	failed := 0
	for _, c := range r.Candidates {
		if c.Err != "" {
			failed++
		}
	}
	switch {
	case r.Pick == nil:
		return &exitError{exitFailed, errors.New("choose: " + strings.ToLower(r.Reason[:1]) + strings.TrimSuffix(r.Reason[1:], "."))}
	case failed > 0:
		return &exitError{exitFailed, fmt.Errorf("choose: %d of %d networks could not be measured; the report says why", failed, len(r.Candidates))}
	}
	return nil
}

// steps tells how a choice goes: lines, and on a terminal a bar for what takes long.
type steps struct {
	a     *app
	isBar bool
	bar   *progressbar.ProgressBar
	what  string
}

func newSteps(a *app) *steps {
	_, isTerminal := terminalWidth(a.stderr)
	return &steps{a: a, isBar: isTerminal}
}

func (s *steps) say(line string) {
	s.clear()
	fmt.Fprintln(s.a.stderr, clean(line))
}

func (s *steps) step(what string, done, total int) {
	if !s.isBar {
		return
	}
	if s.what != what {
		s.clear()
		s.what = what
		s.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(s.a.stderr), progressbar.OptionSetDescription(clean(what)),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	s.bar.Set(done)
}

func (s *steps) clear() {
	if s.bar != nil {
		s.bar.Clear()
		s.bar, s.what = nil, ""
	}
}
