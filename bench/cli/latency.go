package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/training"
	"zoobench/zoo"
)

// latencyRow is a row of zoobench latency; its names are relied on by scripts.
type latencyRow struct {
	Model        string   `json:"model"`
	ImgSize      int      `json:"img_size"`
	Batch        int      `json:"batch"`
	Threads      int      `json:"threads"`
	Params       int64    `json:"params"`
	MACs         int64    `json:"macs"`
	P50          int64    `json:"latency_p50_ns"` // 0 where there are too few samples for it
	Min          int64    `json:"latency_min_ns"`
	Mean         float64  `json:"latency_mean_ns"`
	N            int      `json:"n"`
	WeightsBytes int64    `json:"weights_bytes"`
	ArenaBytes   int64    `json:"arena_bytes"`
	PeakRSSBytes int64    `json:"peak_rss_bytes"`
	Load         int64    `json:"load_ns"`
	P50Lo        int64    `json:"latency_p50_lo_ns"` // 95 % interval, over the processes' medians; 0 for one process
	P50Hi        int64    `json:"latency_p50_hi_ns"`
	ImagesPerSec float64  `json:"images_per_s"`
	ISA          string   `json:"isa"`
	Weights      string   `json:"weights"` // the checkpoint's file; "" for generated ones
	Valid        bool     `json:"valid"`
	Reasons      []string `json:"reasons,omitempty"`
	Warnings     []string `json:"warnings,omitempty"`
	Plan         string   `json:"plan"`    // hash of how the engine computed
	Tune         int64    `json:"tune_ns"` // trials of algorithms, apart from load_ns

	Processes      int     `json:"processes"`
	BetweenPercent float64 `json:"between_percent"` // standard deviation of the processes' medians
	WithinPercent  float64 `json:"within_percent"`  // how much of it one process's own samples explain

	WeightsSection string  `json:"weights_section,omitempty"`  // of the file's dictionaries the one that was read
	WeightsPrefix  string  `json:"weights_prefix,omitempty"`   // cut from the front of the file's names
	WeightsNames   string  `json:"weights_names,omitempty"`    // whose parameter names the file has, "" for the network's own
	Cost           float64 `json:"cost_per_million,omitempty"` // of images, with --price
	Precision      string  `json:"precision,omitempty"`        // "" for float32
}

func newLatencyRow(r *record.Record) latencyRow {
	return latencyRow{
		Model: r.Name(), ImgSize: r.ImgSize, Batch: r.Batch, Threads: r.Threads, Params: r.Params, MACs: r.MACs,
		P50: r.P50, Min: r.Min, Mean: r.Mean, N: r.N,
		WeightsBytes: r.WeightsBytes, ArenaBytes: r.ArenaBytes, PeakRSSBytes: r.PeakRSSBytes, Load: r.Load,
		P50Lo: r.P50Lo, P50Hi: r.P50Hi, ImagesPerSec: r.ImagesPerSec, ISA: r.Machine.ISA, Weights: r.WeightsFile,
		Valid: r.Verdict.Valid, Reasons: r.Verdict.Reasons, Warnings: r.Verdict.Warnings, Plan: r.Plan.Hash, Tune: r.Tune,
		Processes: len(r.Processes), BetweenPercent: r.BetweenPercent, WithinPercent: r.WithinPercent,
		WeightsSection: r.WeightsSection, WeightsPrefix: r.WeightsPrefix, WeightsNames: r.WeightsNames,
		Cost: r.CostPerMillion(), Precision: r.RanWith().Precision,
	}
}

// build are the flags of how a network is built, wherever one is.
type build struct {
	imgSize, classes int
	weights          string
	noTune           bool
	precision        precisions
	calibration      string
	given            func(flag string) bool
}

func (b *build) flags(c *cobra.Command) {
	b.sizeFlags(c)
	noTuneFlag(c, &b.noTune)
}

// sizeFlags are the flags of what a network is built for.
func (b *build) sizeFlags(c *cobra.Command) {
	b.given = c.Flags().Changed
	c.Flags().IntVar(&b.imgSize, "img-size", 0, "input size in pixels (default: the checkpoint's or the network's own)")
	c.Flags().IntVar(&b.classes, "num-classes", 0, "number of classes (default: the checkpoint's own, or the network's)")
}

// noTuneFlag adds --no-tune to a command that makes networks ready.
func noTuneFlag(c *cobra.Command, noTune *bool) {
	c.Flags().BoolVar(noTune, "no-tune", false,
		"algorithms of layers from a table of measured preferences, not from trials on this machine")
}

func (b *build) weightsFlag(c *cobra.Command, byDefault string) {
	c.Flags().StringVar(&b.weights, "weights", "",
		"checkpoint: a file, a folder, or a tag whose file is in the cache folder; FILE#SECTION reads one of the file's dictionaries"+byDefault)
}

// calibrationFlag adds --calibration. Without says what int8 does without it.
func (b *build) calibrationFlag(c *cobra.Command, without string) {
	c.Flags().StringVar(&b.calibration, "calibration", "",
		"folder or archive of images that --precision int8 quantises a checkpoint on that is not in int8"+inBrackets(without))
}

// check refuses a size or a class count that is given and can be none. Left out, both are 0 for the default.
func (b *build) check() error {
	for _, f := range []struct {
		name string
		have int
	}{{"img-size", b.imgSize}, {"num-classes", b.classes}} {
		if b.given(f.name) && f.have < 1 {
			return fmt.Errorf("--%s %d: want at least 1", f.name, f.have)
		}
	}
	return nil
}

// task is a task for the network of this name with the flags' settings.
func (b *build) task(a *app, name string) (runner.Task, error) {
	var calibration *experiment.Calibration
	if b.calibration != "" {
		calibration = &experiment.Calibration{Data: b.calibration, Images: experiment.CalibrationImages}
	}
	axes := record.Axes{ImgSize: b.imgSize, NoTune: b.noTune, NumClasses: b.classes, Precision: b.precision.all()[0]}
	if runner.IsONNX(name) {
		if b.weights != "" {
			return runner.Task{}, fmt.Errorf("--weights %s: %s has weights of its own", b.weights, name)
		}
		return runner.Task{Job: experiment.Job{Model: name, Axes: axes, Calibration: calibration}, Weights: name}, b.check()
	}
	spec, err := a.list.Find(name)
	if err != nil {
		return runner.Task{}, err
	}
	if err := b.check(); err != nil {
		return runner.Task{}, err
	}
	t := runner.Task{Job: experiment.Job{Model: spec.Name, Axes: axes, Calibration: calibration}}
	weights := b.weights
	if _, tag := zoo.Split(name); weights == "" {
		weights = tag
	}
	if weights != "" {
		cache, err := runner.DefaultCache()
		if err != nil {
			return t, err
		}
		if t.Tag, t.Weights, err = cache.Resolve(spec, weights); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (a *app) latency() *cobra.Command {
	var b build
	var threads, batch, processes int
	var minDuration time.Duration
	var hour price
	c := &cobra.Command{
		Use:   "latency NETWORK...",
		Short: "Measure the latency of networks' forward calls, each in several processes",
		Long: "Measures the time of the forward call alone: the images are already prepared, and one batch follows the other.\n" +
			"Two processes differ by more than the calls within one process do. So the command measures each network in several\n" +
			"processes, in turn with those of the other networks. The interval is over the processes' medians. Without --weights the\n" +
			"command takes those that the program contains, or else generates some: speed does not depend on their values.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.networks,
		RunE: func(c *cobra.Command, names []string) error {
			if threads < 0 || batch < 1 || minDuration <= 0 || processes < 1 {
				return fmt.Errorf("--threads %d, --batch %d, --min-duration %v, --processes %d: "+
					"want at least 0, at least 1, more than 0 and at least 1", threads, batch, minDuration, processes)
			}
			tasks, err := b.tasks(a, names)
			if err != nil {
				return err
			}
			for i := range tasks {
				t := &tasks[i]
				t.Threads, t.Batch, t.Scenario, t.Processes = threads, batch, string(load.SingleStream), processes
				t.Job.Latency, t.Job.Price = &experiment.Latency{MinDuration: minDuration}, float64(hour)
			}
			title := []string{"model", "size", "batch", "threads", "params", "MACs", "p50", "95 % interval", "min", "mean", "n", "img/s", "weights",
				"arena", "peak RSS", "load", "trials", "verdict"}
			title = b.precision.title(title, "threads")
			out := newPrinter(a, hour.costTitle(title), func(r latencyRow) []string {
				verdict := "valid"
				if !r.Valid {
					verdict = "not valid: " + joinSemicolon(r.Reasons)
				} else if len(r.Warnings) > 0 {
					verdict = joinSemicolon(r.Warnings)
				}
				return hour.costCell(b.precision.cell([]string{
					r.Model, strconv.Itoa(r.ImgSize), strconv.Itoa(r.Batch), strconv.Itoa(r.Threads), millions(r.Params), billions(r.MACs),
					millis(r.P50), interval(r.P50Lo, r.P50Hi),
					millis(r.Min), millis(int64(r.Mean)), strconv.Itoa(r.N), fmt.Sprintf("%.1f", r.ImagesPerSec),
					mebibytes(r.WeightsBytes), mebibytes(r.ArenaBytes), mebibytes(r.PeakRSSBytes), millis(r.Load), millis(r.Tune), verdict,
				}, 3, precisionName(r.Precision)), r.Cost)
			})
			return errors.Join(a.each(c.Context(), tasks, func(r *record.Record) error {
				if r.Timing == nil || r.Footprint == nil || r.Cost == nil || r.Plan == nil {
					return &runner.Failure{Reason: r.Why("latency_p50_ns")}
				}
				return out.print(newLatencyRow(r))
			}), out.close())
		},
	}
	b.flags(c)
	b.precision.flag(c, "several give a row each")
	b.calibrationFlag(c, "generated images: the speed is right, predictions are not")
	b.weightsFlag(c, " (default: those that the program contains, else generated ones)")
	c.Flags().IntVar(&threads, "threads", 1, "number of threads; 0 for one for each processor")
	c.Flags().IntVar(&batch, "batch", 1, "images in a forward call")
	c.Flags().IntVar(&processes, "processes", experiment.DefaultProcesses,
		"number of processes that measure each network; a single one gives no interval")
	hour.flag(c)
	c.Flags().DurationVar(&minDuration, "min-duration", 3*time.Second, "time to measure each network, in all of its processes together")
	a.formatFlag(c)
	return c
}

// interval is a median's 95 % interval in milliseconds, a dash where there is none.
func interval(lo, hi int64) string {
	if lo == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f to %.2f", float64(lo)/1e6, float64(hi)/1e6)
}

// each measures tasks in turn, in processes of their own. If one of several fails, a line on standard error says so and the
// others go on; the failure of a single one is the error.
func (a *app) each(ctx context.Context, tasks []runner.Task, row func(*record.Record) error) error {
	a.warnOfHost(tasks[0].Threads)
	failed := 0
	err := a.worker.Rounds(ctx, tasks, func(int) {}, func(i int, r *record.Record, err error) error {
		if err == nil {
			err = row(r)
		}
		var failure *runner.Failure
		switch {
		case err == nil:
		case errors.As(err, &failure) && len(tasks) > 1:
			fmt.Fprintf(a.stderr, "zoobench: %s: %s\n", taskName(tasks[i]), clean(failure.Error()))
			failed++
		default:
			return fmt.Errorf("%s: %w", taskName(tasks[i]), err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if failed > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d of %d networks failed", failed, len(tasks))}
	}
	return nil
}

func (a *app) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Short:  "Measure one job, which standard input describes, for a run",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runner.WorkAlone(a.list, training.Measure, a.stdin, a.stdout)
		},
	}
}
