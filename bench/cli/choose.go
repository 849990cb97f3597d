package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"zoobench/bench/choose"
	"zoobench/bench/experiment"
	"zoobench/bench/export"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo/onnx"
)

// chooseRow is a row of zoobench choose, shares from 0 to 1 with 95 % intervals. Scripts rely on its names.
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

	LatencyLo int64    `json:"latency_lo_ns"` // 95 % interval; 0 where there is none
	LatencyHi int64    `json:"latency_hi_ns"`
	Warnings  []string `json:"timing_warnings,omitempty"`
	Cost      float64  `json:"cost_per_million,omitempty"` // of images, with --price
	Undecided bool     `json:"undecided"`                  // whether it fits: the latency's interval has the limit in it

	Tested int      `json:"images_tested,omitempty"`         // of a fine-tuned row: its figures are of these images alone
	Probe  *float64 `json:"linear_probe_accuracy,omitempty"` // of a fine-tuned row: of the same images

	uncorrupted bool // the row has no accuracy on corrupted images, and others have one

	Corrupted   *float64           `json:"corrupted_accuracy,omitempty"` // the mean of Corruptions
	Corruptions map[string]float64 `json:"corruptions,omitempty"`        // accuracies, with --corrupt
}

// percentileNames are the percentiles of --percentile.
var percentileNames = map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

// chooseFlags are the command's own before they are options.
type chooseFlags struct {
	percentile, params, memory, metric string
	out, save                          string
	hour                               price
	corrupt                            corruptions
	precision                          precisions
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
	o.Metric, o.Corruptions, o.Precisions = choose.Metric(f.metric), f.corrupt, f.precision
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
		Short: "Pick the network for images of your own, within limits on latency, size and memory",
		Long: "Finds the best network for your own labelled images: a folder for each class.\n\n" +
			"The command measures the latency of every checkpoint in the cache folder, each in five processes that take turns with\n" +
			"those of the other networks. It then gives each network two heads. A head turns what the network computes for an\n" +
			"image, its features, into one of your classes. The linear probe is a head that learned a weight for each feature and\n" +
			"class. The other head takes the vote of the most similar images. The networks themselves do not change. Heads are\n" +
			"tested on images that they have not learned from.\n\n" +
			"The command prints the results and the pick, and writes a report that explains both. The cache folder keeps what\n" +
			"was computed: another question about the same images takes seconds, and an interrupted command continues.\n\n" +
			"With --fine-tune, the best networks by their linear probes also learn from the images, with all of their layers. They are\n" +
			"tested on images that they have not learned from, and compared with their linear probes on the same images.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runChoose(c.Context(), f, o) },
	}
	c.Flags().StringVar(&o.Data, "data", "", "folder of images, with a folder for each class")
	splitFlag(c, &o.Split)
	c.Flags().DurationVar(&o.Limits.Latency, "max-latency", 0, "limit on the latency of a forward call, as 20ms (default: none)")
	c.Flags().StringVar(&f.percentile, "percentile", "p50", "percentile of the latency that is reported and limited: p50, p90, p95 or p99")
	c.Flags().StringVar(&f.params, "max-params", "", "limit on the number of parameters, as 10M (default: none)")
	c.Flags().StringVar(&f.memory, "max-memory", "", "limit on the memory of a process that runs the network, as 200MiB (default: none)")
	c.Flags().IntVar(&o.Threads, "threads", 1, "number of threads; 0 for one for each processor")
	c.Flags().IntVar(&o.Batch, "batch", 1, "images in a forward call")
	noTuneFlag(c, &o.NoTune)
	f.precision.flag(c, "every checkpoint is a candidate in each; without the flag, those that exceed a limit on latency or memory are "+
		"candidates in int8 too")
	c.Flags().StringSliceVar(&o.Networks, "networks", nil,
		"patterns of network names, as ls takes them, and ONNX files (default: all networks with a file in the cache folder)")
	c.Flags().IntVar(&o.Folds, "folds", 5, "number of parts of the images: each part is tested by heads that learn from the other parts")
	c.Flags().IntVar(&o.Splits, "splits", 5, "number of times that the images are divided anew; results are means over them")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "seed of folds, samples and learning curves")
	limitFlag(c, &o.Images, 10000)
	c.Flags().StringVar(&f.metric, "metric", choose.Metrics()[0], "metric that orders the rows: "+strings.Join(choose.Metrics(), ", "))
	c.Flags().DurationVar(&o.MinDuration, "min-duration", 3*time.Second,
		"time to measure the latency of each network, in all of its processes together")
	c.Flags().BoolVar(&o.Fresh, "fresh", false, "new measurements, also of networks that were measured in the last 24 hours")
	c.Flags().StringVar(&f.out, "out", "", "folder of the report (default: a new one in "+runsDir+")")
	f.hour.flag(c)
	f.corrupt.flag(c, "corruptions on which the heads are tested besides; adds their mean accuracy")
	c.Flags().DurationVar(&o.FineTune, "fine-tune", 0,
		"time, as 30m, in which the best networks learn from the images with all of their layers; adds a row for each (default: none)")
	c.Flags().StringVar(&f.save, "save", "",
		"folder for the head of the pick, which predict --head reads, for the pick with its head as an ONNX file, "+
			"and for the best fine-tuned checkpoint (default: nothing is saved)")
	percentiles := []string{"p50", "p90", "p95", "p99"}
	c.RegisterFlagCompletionFunc("percentile", cobra.FixedCompletions(percentiles, cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions(choose.Metrics(), cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("networks", a.networks)
	a.formatFlag(c)
	return c
}

// runChoose chooses, shows how far it is and gives the answer.
func (a *app) runChoose(ctx context.Context, f chooseFlags, o choose.Options) (err error) {
	if o.Data == "" {
		return errors.New("choose: no images: name their folder with --data")
	}
	if err := f.options(&o); err != nil {
		return err
	}
	if o.Cache, err = runner.DefaultCache(); err != nil {
		return err
	}
	o.List, o.Worker = a.list, a.worker
	p := newSteps(a)
	o.Say, o.Step = p.say, p.step
	a.warnOfHost(o.Threads)
	r, err := choose.Run(ctx, o)
	p.clear()
	if err != nil {
		if ctx.Err() != nil {
			return &exitError{exitFailed, errors.New("choose: interrupted; the same command continues from here")}
		}
		return err
	}
	return a.answer(ctx, r, f)
}

// answer writes the report and the head, and prints the rows and the pick. Where nothing fits, the exit code says so.
func (a *app) answer(ctx context.Context, r *choose.Result, f chooseFlags) (err error) {
	if f.out == "" {
		if f.out, _, err = runner.NewDir(runsDir, r.Time, []string{"choose"}); err != nil {
			return err
		}
	}
	tuned := ""
	if f.save != "" && r.Head != nil {
		if err := a.savePick(ctx, r, f.save); err != nil {
			return err
		}
		if tuned, err = r.SaveTuned(f.save); err != nil {
			return err
		}
	}
	if _, err := r.Write(f.out); err != nil {
		return err
	}
	if err := a.printChoice(r, f.hour); err != nil {
		return err
	}
	if a.format == "table" {
		if err := a.explainChoice(r, f.out, tuned); err != nil {
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
		err := fmt.Errorf("choose: %d of %d networks could not be measured; the report says why", failed, len(r.Candidates))
		return &exitError{exitFailed, err}
	}
	return nil
}

// savePick writes the pick's head, and the network with that head as an ONNX file.
func (a *app) savePick(ctx context.Context, r *choose.Result, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	r.HeadFile, r.ONNXFile = filepath.Join(dir, r.HeadName()), filepath.Join(dir, r.ONNXName())
	if err := r.Head.Save(r.HeadFile); err != nil {
		return err
	}
	network, err := runner.Describe(a.list, r.Task)
	if err != nil {
		return err
	}
	defer network.Close()
	_, err = export.Write(ctx, network, export.Options{Out: r.ONNXFile, Head: r.Head, ONNX: onnx.Options{Version: newVersionRow().Version}})
	return err
}

// explainChoice prints what the words of the rows' table mean, the pick and why, its classes, and what to do next.
func (a *app) explainChoice(r *choose.Result, out, tuned string) error {
	var b strings.Builder
	for _, line := range r.Legend() {
		fmt.Fprintln(&b, "  "+line)
	}
	fmt.Fprintln(&b, "\n"+r.Reason)
	if classes := r.ClassLines(); len(classes) > 0 {
		fmt.Fprintf(&b, "\n%s by class, the worst first:\n\n", r.PickName)
		if err := writeTable(&b, []string{"class", "images", "accuracy", "95 % interval"}, classes); err != nil {
			return err
		}
	}
	if lines := r.TunedLines(); len(lines) > 0 {
		fmt.Fprintln(&b, "\n"+strings.Join(lines, "\n"))
	}
	for _, hint := range r.Hints {
		fmt.Fprintln(&b, "\nhint: "+hint)
	}
	fmt.Fprintf(&b, "\nreport: %s\n", filepath.Join(out, "report.html"))
	if r.HeadFile != "" {
		fmt.Fprintf(&b, "head: %s\nnetwork with the head: %s\n", r.HeadFile, r.ONNXFile)
	}
	if tuned != "" {
		fmt.Fprintf(&b, "fine-tuned checkpoint: %s\n", tuned)
	}
	for _, line := range r.NextLines(out) {
		fmt.Fprintln(&b, line)
	}
	_, err := fmt.Fprint(a.stdout, b.String())
	return err
}

// printChoice prints the rows, the best first.
func (a *app) printChoice(r *choose.Result, hour price) error {
	title := []string{
		"", "model", "head", "tie", "accuracy", "95 % interval", "balanced", "macro-F1", "latency", "params", "memory", "load", "limits",
	}
	if len(r.Corruptions) > 0 {
		title = slices.Insert(title, corruptedColumn, "corrupted")
	}
	out := newPrinter(a, hour.costTitle(title), func(r chooseRow) []string { return hour.costCell(r.cells(), r.Cost) })
	candidates := map[string]*choose.Candidate{}
	for _, c := range r.Candidates {
		candidates[c.Name] = c
	}
	for _, row := range r.Rows {
		c, s := candidates[row.Name], row.Score
		line := chooseRow{
			Model: row.Name, Head: row.Head, Picked: row == r.Pick, Fits: row.Fits, Group: row.Group,
			Accuracy: s.Accuracy.Value, AccuracyLo: s.Accuracy.Lo, AccuracyHi: s.Accuracy.Hi,
			Balanced: s.Balanced.Value, BalancedLo: s.Balanced.Lo, BalancedHi: s.Balanced.Hi,
			MacroF1: s.MacroF1.Value, MacroF1Lo: s.MacroF1.Lo, MacroF1Hi: s.MacroF1.Hi,
			P: row.P, Front: row.Front, Latency: row.Latency, Params: c.Params, Memory: c.Memory, Load: c.Load,
			LatencyLo: c.LatencyLo, LatencyHi: c.LatencyHi, Warnings: c.TimingWarnings, Undecided: len(c.Undecided) > 0 && len(c.Exceeds) == 0,
			Cost: record.PerMillion(float64(hour), imagesPerSecond(r.Batch, c.Mean)),
		}
		if mean, ok := row.CorruptedMean(); ok {
			line.Corrupted, line.Corruptions = &mean, map[string]float64{}
			for _, s := range row.Corrupted {
				line.Corruptions[s.Corruption] = s.Accuracy
			}
		}
		if err := out.print(line); err != nil {
			return err
		}
	}
	for _, row := range r.Tuned {
		if row.Err != "" {
			continue
		}
		c := candidates[row.Name]
		if err := out.print(chooseRow{
			Model: row.Name, Head: fmt.Sprintf("fine-tuned, %d images", row.Tested), Fits: true, P: row.P, Accuracy: row.Accuracy.Value,
			AccuracyLo: row.Accuracy.Lo, AccuracyHi: row.Accuracy.Hi, Latency: c.Latency, LatencyLo: c.LatencyLo, LatencyHi: c.LatencyHi,
			Params: c.Params, Memory: c.Memory, Load: c.Load, Tested: row.Tested, Probe: &row.Probe.Value,
			uncorrupted: len(r.Corruptions) > 0,
		}); err != nil {
			return err
		}
	}
	return out.close()
}

// imagesPerSecond is the rate of forward calls of a batch, 0 where their mean latency is not known.
func imagesPerSecond(batch int, latency int64) float64 {
	if latency <= 0 {
		return 0
	}
	return float64(batch) * 1e9 / float64(latency)
}

// corruptedColumn is where the table has the accuracy on corrupted images, if it has it.
const corruptedColumn = 8

// cells is the row as the table has it.
func (r chooseRow) cells() []string {
	percent := func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
	mark, limits := " ", "over"
	if r.Picked {
		mark = "→"
	}
	switch {
	case r.Fits:
		limits = "kept"
	case r.Undecided:
		limits = "not decided"
	}
	latency := millis(r.Latency)
	if len(r.Warnings) > 0 {
		latency += " (?)"
	}
	tie, balanced, macroF1 := strconv.Itoa(r.Group), percent(r.Balanced), percent(r.MacroF1)
	if r.Tested > 0 {
		tie, balanced, macroF1 = "–", "–", "–"
	}
	all := []string{
		mark, r.Model, r.Head, tie,
		percent(r.Accuracy), fmt.Sprintf("%.1f to %.1f", 100*r.AccuracyLo, 100*r.AccuracyHi), balanced, macroF1,
		latency, millions(r.Params), mebibytes(r.Memory), millis(r.Load), limits,
	}
	if r.uncorrupted {
		all = slices.Insert(all, corruptedColumn, "–")
	}
	if r.Corrupted != nil {
		all = slices.Insert(all, corruptedColumn, percent(*r.Corrupted))
	}
	return all
}

// steps shows how far a choice is: lines, and on a terminal a bar for what takes long.
type steps struct {
	a     *app
	isBar bool
	bar   *progressbar.ProgressBar
	what  string
}

func newSteps(a *app) *steps {
	_, isTerminal := terminalWidth(a.notes)
	return &steps{a: a, isBar: isTerminal}
}

func (s *steps) say(line string) {
	s.clear()
	fmt.Fprintln(s.a.notes, clean(line))
}

func (s *steps) step(what string, done, total int) {
	if !s.isBar {
		return
	}
	if s.what != what {
		s.clear()
		s.what = what
		s.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(s.a.notes), progressbar.OptionSetDescription(clean(what)), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	s.bar.Set(done)
}

func (s *steps) clear() {
	if s.bar != nil {
		s.bar.Clear()
		s.bar, s.what = nil, ""
	}
}
