package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
)

// pipelineRow is a row of zoobench pipeline; its names are relied on by scripts.
type pipelineRow struct {
	Model      string  `json:"model"`
	Threads    int     `json:"threads"`
	Batch      int     `json:"batch"`
	Images     int     `json:"n_images"`
	Decode     int64   `json:"decode_p50_ns"`     // an image, on one core
	Preprocess int64   `json:"preprocess_p50_ns"` // an image, on one core
	Forward    int64   `json:"forward_p50_ns"`    // an image, on all threads
	Alone      float64 `json:"forward_images_per_s"`
	Bound      float64 `json:"bound_images_per_s"` // with no core ever idle
	EndToEnd   float64 `json:"images_per_s"`
	Weights    string  `json:"weights"`             // the checkpoint's file; "" for generated ones
	Precision  string  `json:"precision,omitempty"` // "" for float32
}

func newPipelineRow(r *record.Record) pipelineRow {
	row := pipelineRow{
		Model: r.Name(), Threads: r.Threads, Batch: r.Batch, Images: r.PipelineN, Decode: r.Decode, Preprocess: r.Preprocess, Forward: r.Forward,
		EndToEnd: r.ImagesPerSec, Weights: r.WeightsFile, Precision: r.RanWith().Precision,
	}
	if r.Forward > 0 {
		row.Alone = 1e9 / float64(r.Forward)
		row.Bound = 1e9 / (float64(r.Forward) + float64(r.Decode+r.Preprocess)/float64(r.Threads))
	}
	return row
}

func (a *app) pipeline() *cobra.Command {
	var b build
	var images imageFlags
	var threads, batch int
	c := &cobra.Command{
		Use:   "pipeline NETWORK... --data DIR",
		Short: "Measure images per second from file to prediction, and of inference alone",
		Long: "Measures how fast image files become predictions. Images are decoded and prepared on the same cores on which the\n" +
			"network runs. Each network runs in a process of its own. The bound is the speed that the stages, timed one by one,\n" +
			"would reach together if no core were ever idle. Without --weights the command takes weights\n" +
			"that the program contains, or else generates some: speed does not depend on them.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.networks,
		RunE: func(c *cobra.Command, names []string) error {
			if threads < 0 || batch < 1 {
				return fmt.Errorf("--threads %d, --batch %d: want at least 0 and 1", threads, batch)
			}
			if err := images.check(a, "pipeline", nil); err != nil {
				return err
			}
			title := []string{"model", "threads", "batch", "images", "decode", "preprocess", "forward", "forward img/s", "bound img/s", "img/s",
				"of bound"}
			out := newPrinter(a, b.precision.title(title, "batch"), func(r pipelineRow) []string {
				share := "–"
				if r.Bound > 0 {
					share = fmt.Sprintf("%.0f %%", 100*r.EndToEnd/r.Bound)
				}
				return b.precision.cell([]string{
					r.Model, strconv.Itoa(r.Threads), strconv.Itoa(r.Batch), strconv.Itoa(r.Images), millis(r.Decode), millis(r.Preprocess),
					millis(r.Forward),
					fmt.Sprintf("%.1f", r.Alone), fmt.Sprintf("%.1f", r.Bound), fmt.Sprintf("%.1f", r.EndToEnd), share,
				}, 2, precisionName(r.Precision))
			})
			tasks, err := b.tasks(a, names)
			if err != nil {
				return err
			}
			for i := range tasks {
				t := &tasks[i]
				t.Threads, t.Batch, t.Pipeline, t.Job.Accuracy = threads, batch, true, &images.Accuracy
			}
			return errors.Join(a.each(c.Context(), tasks, func(r *record.Record) error {
				for _, warning := range r.Verdict.Warnings {
					fmt.Fprintf(a.stderr, "warning: %s: %s\n", r.Name(), clean(warning))
				}
				return out.print(newPipelineRow(r))
			}), out.close())
		},
	}
	b.flags(c)
	b.precision.flag(c, "several give a row each")
	b.weightsFlag(c, " (default: those that the program contains, else generated ones)")
	c.Flags().IntVar(&threads, "threads", 0, "number of cores (default: all)")
	c.Flags().IntVar(&batch, "batch", 8, "images in a forward call")
	images.flags(c, 0)
	a.formatFlag(c)
	return c
}
