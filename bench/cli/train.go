package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/bench/stat"
	"zoobench/bench/training"
	"zoobench/datasets"
	"zoobench/internal/recipe"
)

// trainRow is the row of zoobench train, accuracies in percent; its names are relied on by scripts.
type trainRow struct {
	Model      string   `json:"model"`
	Classes    int      `json:"n_classes"`
	Images     int      `json:"n_images"`
	HeldOut    int      `json:"n_held_out"`
	Epochs     int      `json:"epochs"`
	Loss       float64  `json:"loss"`
	Accuracy   float64  `json:"train_top1"`
	Held       float64  `json:"held_out_top1"`
	HeldLo     float64  `json:"held_out_top1_lo"`
	HeldHi     float64  `json:"held_out_top1_hi"`
	File       string   `json:"file"`
	Start      string   `json:"start_sha256,omitempty"`
	Resumed    int      `json:"resumed_from_step,omitempty"`
	Unreadable []string `json:"unreadable_files,omitempty"`

	Curve []training.Epoch `json:"curve"`
}

func newTrainRow(r *training.Result) trainRow {
	last := r.Curve[len(r.Curve)-1]
	row := trainRow{
		Model: r.Network, Classes: len(r.Classes), Images: r.Images, HeldOut: r.HeldOut, Epochs: len(r.Curve), Loss: last.Loss,
		Accuracy: 100 * last.Accuracy, Held: 100 * last.Held, File: r.File, Start: r.Start, Resumed: r.Resumed, Unreadable: r.Unreadable,
		Curve: r.Curve,
	}
	lo, hi := stat.WilsonShare(last.Held, float64(r.HeldOut))
	row.HeldLo, row.HeldHi = 100*lo, 100*hi
	return row
}

// trainFlags are the flags of train that are no part of a training.Job.
type trainFlags struct {
	b                 build
	data, split, file string
	epochs, batch     int
	checkpointing     bool
	seed              uint64
	given             func(string) bool
}

func (a *app) train() *cobra.Command {
	var f trainFlags
	j := training.Job{SaveEvery: time.Minute}
	c := &cobra.Command{
		Use:   "train NETWORK --data DIR",
		Short: "Train a network on images of your own",
		Long: "Trains a network on labelled images: a folder for each class. With a checkpoint, the command fine-tunes it: first the\n" +
			"classifier learns alone, then all layers learn, the first ones at the lowest rates. Without a checkpoint, the network learns\n" +
			"from scratch.\n\n" +
			"A part of the images is held out. The network does not learn from them; they show how well it does on new images. The\n" +
			"result is a checkpoint for eval, predict, latency and choose. It contains the names of the classes.\n\n" +
			"While the command runs, it saves its state beside the result. If it is interrupted, the same command continues. The result\n" +
			"has the same bits as without the interruption.",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.network,
		RunE: func(c *cobra.Command, args []string) error {
			f.given = c.Flags().Changed
			return a.runTrain(c.Context(), args[0], f, j)
		},
	}
	c.Flags().StringVar(&f.data, "data", "", "folder of images, with a folder for each class")
	splitFlag(c, &f.split)
	f.b.given = c.Flags().Changed
	f.b.weightsFlag(c, " (default: none, the network learns from scratch)")
	c.Flags().IntVar(&f.b.imgSize, "img-size", 0, "input size in pixels (default: the checkpoint's or the network's own)")
	c.Flags().StringSliceVar(&j.Freeze, "freeze", nil,
		"patterns of parameters that do not change, as 'layer1' or 'features.*' (default: none)")
	c.Flags().IntVar(&f.epochs, "epochs", 0, "number of times that each image is learned from (default: the recipe's)")
	c.Flags().DurationVar(&j.Time, "time", 0, "time for all epochs, as 30m: their number is chosen to fit (default: the recipe's number)")
	c.Flags().BoolVar(&f.checkpointing, "checkpointing", false,
		"less memory for about a third more time, with the same bits: some values of a step are computed twice")
	c.Flags().IntVar(&f.batch, "batch", 0, "number of images of a step (default: the recipe's)")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed of everything that is random: the same seed gives the same bits")
	c.Flags().IntVar(&j.Threads, "threads", 0, "number of threads; 0 for one for each processor")
	c.Flags().Float64Var(&j.HeldOut, "held-out", 0.2, "share of each class's images that is held out")
	c.Flags().StringVar(&f.file, "recipe", "", "YAML file with a block train: optimizer, schedule, augment and more (default: none)")
	c.Flags().StringVar(&j.Out, "out", "", "file of the result (default: the network's name, with .safetensors)")
	a.formatFlag(c)
	return c
}

// adapt puts the recipe of a file, and flags, over the one that fits.
func (f *trainFlags) adapt(r recipe.Recipe) (recipe.Recipe, error) {
	var err error
	if f.file != "" {
		if r, err = experiment.LoadRecipe(f.file, r); err != nil {
			return r, err
		}
	}
	r.Epochs, r.Batch = cmp.Or(f.epochs, r.Epochs), cmp.Or(f.batch, r.Batch)
	r.Checkpointing = r.Checkpointing || f.checkpointing
	if f.given("seed") {
		r.Seeds = []uint64{f.seed}
	}
	return r, nil
}

func (a *app) runTrain(ctx context.Context, name string, f trainFlags, j training.Job) (err error) {
	switch {
	case f.data == "":
		return errors.New("train: no images: name their folder with --data")
	case f.given("epochs") && f.epochs < 1, f.given("batch") && f.batch < 1:
		return fmt.Errorf("--epochs %d, --batch %d: want at least 1", f.epochs, f.batch)
	case f.given("epochs") && j.Time != 0:
		return errors.New("--epochs and --time: want one of them")
	case j.Time < 0:
		return fmt.Errorf("--time %v: want more than 0", j.Time)
	}
	if j.Task, err = f.b.task(a, name); err != nil {
		return err
	}
	if j.Images, err = runner.OpenImages(f.data, datasets.Options{Split: f.split, Ranks: true}); err != nil {
		return err
	}
	defer j.Images.Close()
	for _, warning := range j.Images.Warnings {
		fmt.Fprintln(a.stderr, "warning: "+clean(warning))
	}
	j.List, j.Adapt, j.Out = a.list, f.adapt, cmp.Or(j.Out, j.Task.Model+".safetensors")
	step, clearBar := a.imageBar()
	defer clearBar()
	j.Progress = func(p training.Progress) {
		if p.Done == nil {
			if step != nil {
				step(p.Step, p.Steps)
			}
			return
		}
		clearBar()
		fmt.Fprintf(a.notes, "epoch %d of %d: loss %.3f, %.1f %% right, held-out %.1f %% right, %.1f images/s, about %v left\n",
			p.Epoch, p.Epochs,
			p.Done.Loss, 100*p.Done.Accuracy, 100*p.Done.Held, p.ImagesPerSec, p.Left.Round(time.Second))
	}
	r, err := training.Train(ctx, j)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			clearBar()
			fmt.Fprintln(a.stderr, clean(err.Error()))
		}
		return err
	}
	for _, class := range r.Single {
		fmt.Fprintf(a.stderr, "warning: class %s has one image: the network learned from it, and nothing is known of how well "+
			"it finds the class\n",
			clean(class))
	}
	for _, file := range r.Unreadable {
		fmt.Fprintf(a.stderr, "warning: %s could not be read and was left out\n", clean(file))
	}
	out := newPrinter(a, []string{"model", "classes", "images", "held out", "epochs", "loss", "train", "held-out top-1",
		"95 % interval", "file"},
		func(r trainRow) []string {
			return []string{r.Model, strconv.Itoa(r.Classes), strconv.Itoa(r.Images), strconv.Itoa(r.HeldOut), strconv.Itoa(r.Epochs),
				fmt.Sprintf("%.3f", r.Loss), fmt.Sprintf("%.2f %%", r.Accuracy), fmt.Sprintf("%.2f %%", r.Held),
				fmt.Sprintf("%.2f–%.2f", r.HeldLo, r.HeldHi), r.File}
		})
	if err := out.printAll([]trainRow{newTrainRow(r)}); err != nil {
		return err
	}
	fmt.Fprintf(a.notes, "To get the class of other images, type: zoobench predict %s --weights %s IMAGE...\n", r.Network, clean(r.File))
	return nil
}
