package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/datasets/preprocess"
	"zoobench/zoo"
)

// evalRow is a row of zoobench eval, accuracies in percent with 95 % Wilson intervals; its names are relied on by
// scripts.
type evalRow struct {
	Model         string   `json:"model"`
	Images        int      `json:"n_images"`
	Top1          float64  `json:"top1"`
	Top1Lo        float64  `json:"top1_lo"`
	Top1Hi        float64  `json:"top1_hi"`
	Top5          float64  `json:"top5"`
	Top5Lo        float64  `json:"top5_lo"`
	Top5Hi        float64  `json:"top5_hi"`
	Unreadable    int      `json:"unreadable"`
	ImagesPerSec  float64  `json:"images_per_s"`
	ImgSize       int      `json:"img_size"`
	CropPct       float64  `json:"crop_pct"`
	Interpolation string   `json:"interpolation"`
	WeightsSHA256 string   `json:"weights_sha256"`
	DatasetSHA256 string   `json:"dataset_sha256"`
	Reading       string   `json:"reading"`
	Split         string   `json:"split,omitempty"`
	Exif          string   `json:"exif,omitempty"`
	Corruption    string   `json:"corruption,omitempty"`
	CorruptedBy   string   `json:"corrupted_by,omitempty"`
	Precision     string   `json:"precision,omitempty"` // "" for float32
	Answers       string   `json:"answers,omitempty"`   // classes among which answers were chosen; all where there is none
	Files         []string `json:"unreadable_files,omitempty"`
	Warnings      []string `json:"warnings,omitempty"`
	Plan          string   `json:"plan"` // hash of how the engine computed

	Notes map[string]int `json:"image_notes,omitempty"`

	WeightsSection string `json:"weights_section,omitempty"` // of the file's dictionaries the one that was read
	WeightsPrefix  string `json:"weights_prefix,omitempty"`  // cut from the front of the file's names
	WeightsNames   string `json:"weights_names,omitempty"`   // whose parameter names the file has, "" for the network's own
	RecipeSource   string `json:"recipe_source,omitempty"`   // what the preprocessing follows
}

// recipeFlags override parts of a checkpoint's preprocessing.
type recipeFlags struct {
	cropPct       float64
	interpolation string
	mean, std     []float64
	mode          string
	loadImg       bool
}

func (r *recipeFlags) flags(c *cobra.Command) {
	c.Flags().Float64Var(&r.cropPct, "crop-pct", 0, "share of the resized edge that the crop keeps (default: the checkpoint's)")
	c.Flags().StringVar(&r.interpolation, "interpolation", "",
		"interpolation: nearest, box, bilinear, hamming, bicubic or lanczos (default: the checkpoint's)")
	c.Flags().Float64SliceVar(&r.mean, "mean", nil,
		"mean `r,g,b` that is subtracted from values from 0 to 1 (default: the checkpoint's)")
	c.Flags().Float64SliceVar(&r.std, "std", nil, "standard deviation `r,g,b` that values are divided by (default: the checkpoint's)")
	c.Flags().StringVar(&r.mode, "mode", "",
		"channels, mean and deviation by Keras's mode: caffe, tf, torch or none (default: the checkpoint's)")
	c.Flags().BoolVar(&r.loadImg, "load-img", false,
		"resizing to the input's size directly, by the nearest pixels, as Keras's load_img does with target_size")
	c.MarkFlagsMutuallyExclusive("load-img", "crop-pct")
	c.MarkFlagsMutuallyExclusive("mode", "mean")
	c.MarkFlagsMutuallyExclusive("mode", "std")
	c.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions([]string{"caffe", "tf", "torch", "none"}, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"mean", "std"} {
		c.Flags().Lookup(name).DefValue = "" // the help names the default in words
	}
	c.RegisterFlagCompletionFunc("interpolation", cobra.FixedCompletions(
		[]string{"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}, cobra.ShellCompDirectiveNoFileComp))
}

func (r *recipeFlags) recipe() (runner.Recipe, error) {
	over := runner.Recipe{CropPct: r.cropPct, Interpolation: r.interpolation}
	if r.mode != "" {
		mode, known := zoo.KerasModes[r.mode]
		if !known {
			return over, fmt.Errorf("--mode %q: want caffe, tf, torch or none", r.mode)
		}
		over.Mean, over.Std, over.BGR = &mode.Mean, &mode.Std, &mode.BGR
	}
	if r.loadImg {
		over.CropPct, over.CropMode = 1, string(preprocess.Squash)
		over.Interpolation = cmp.Or(r.interpolation, string(preprocess.Nearest))
	}
	for _, f := range []struct {
		name string
		have []float64
		into **[3]float64
	}{{"mean", r.mean, &over.Mean}, {"std", r.std, &over.Std}} {
		if f.have == nil {
			continue
		}
		if len(f.have) != 3 {
			return over, fmt.Errorf("--%s: have %d numbers, want 3: r,g,b", f.name, len(f.have))
		}
		*f.into = (*[3]float64)(f.have)
		if err := preprocess.CheckScale("--"+f.name, **f.into); err != nil {
			return over, err
		}
	}
	if over.Std != nil && !(min(over.Std[0], over.Std[1], over.Std[2]) > 0) {
		return over, fmt.Errorf("--std %v: want more than 0", r.std)
	}
	return over, nil
}

func (a *app) eval() *cobra.Command {
	var b build
	var rf recipeFlags
	var images imageFlags
	var perSample string
	var worsened corruptions
	c := &cobra.Command{
		Use:   "eval NETWORK... --weights FILE|TAG --data DIR",
		Short: "Measure a checkpoint's accuracy on labelled images",
		Long: "Measures the top-1 and top-5 accuracy of a checkpoint. --data is a folder with a folder for each class, named by WordNet\n" +
			"ID or by index; a folder of images with a label file; the tar of ILSVRC-2012's validation set or of ImageNetV2; or\n" +
			"WebDataset's or Parquet shards. --limit draws a random subset that is balanced over the classes. If class folders are part of the\n" +
			"network's classes, answers are chosen among these alone, as is usual for ImageNet-A, ImageNet-R and ObjectNet; --answers all\n" +
			"chooses among all. The program contains weights of some small networks, as pocket_resnet20: for these, --weights and --data\n" +
			"may be left out.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.networks,
		RunE: func(c *cobra.Command, args []string) error {
			tasks, err := b.checkpoints(a, "eval", args)
			if err != nil {
				return err
			}
			recipe, err := rf.recipe()
			if err != nil {
				return err
			}
			if err := images.check(a, "eval", tasks); err != nil {
				return err
			}
			if len(tasks) > 1 && perSample != "" {
				return fmt.Errorf("--per-sample: have %d checkpoints or precisions, want one", len(tasks))
			}
			if tasks = worsened.of(tasks); len(tasks) > 1 && perSample != "" {
				return fmt.Errorf("--per-sample: have %d corruptions, want one", len(tasks))
			}
			out := a.evalPrinter()
			return errors.Join(a.eachTask(c.Context(), tasks, func(t runner.Task) error {
				t.Recipe, t.Job.Accuracy = recipe, images.of(a, t)
				r, err := a.accuracy(c.Context(), t, perSample)
				if err != nil {
					return err
				}
				for _, warning := range r.Verdict.Warnings {
					fmt.Fprintln(a.stderr, "warning: "+clean(warning))
				}
				return out.print(newEvalRow(r))
			}), out.close())
		},
	}
	b.flags(c)
	b.precision.flag(c, "several give a row each")
	b.calibrationFlag(c, "none")
	b.weightsFlag(c, "")
	rf.flags(c)
	images.flags(c, 0)
	worsened.flag(c, "corruptions of the images, a row each")
	c.Flags().StringVar(&perSample, "per-sample", "",
		"file for a line for each image: CSV if its name ends in .csv, else JSON (default: none)")
	a.formatFlag(c)
	return c
}

// accuracy evaluates a checkpoint, with a line for each image in the file perSample if that is not "".
func (a *app) accuracy(ctx context.Context, t runner.Task, perSample string) (_ *record.Record, failed error) {
	watch := runner.Watch{Ready: a.sayReady}
	if perSample != "" {
		w, err := record.NewSampleWriter(perSample)
		if err != nil {
			return nil, err
		}
		watch.Sample = func(s runner.Sample) error { return w.Write(s.Record()) }
		defer func() {
			if closed := w.Close(failed); failed == nil {
				failed = closed
			}
		}()
	}
	return runner.Accuracy(ctx, a.list, t, watch)
}

// sayReady says on standard error what was recognised and what will be done with it, since an accuracy depends on it.
// There are no images where no accuracy is measured.
func (a *app) sayReady(n *runner.Network, images *datasets.Files) {
	names := "the network's own"
	if n.Naming != "" {
		names = "those of " + n.Naming
	}
	r := n.Recipe
	if differs := n.Spec.Variant(n.Naming).Graph; differs != "" {
		names += ", and so is the graph (it " + differs + ")"
	}
	file := append([]string{filepath.Base(n.File)}, n.Taken.Notes()...)
	fmt.Fprintf(a.notes, "%s: %s, parameter names are %s; %d classes\n", clean(n.Name()), clean(strings.Join(file, ", ")), names,
		n.Graph.Classes)
	order := ""
	if r.BGR {
		order = ", channels " + r.Channels()
	}
	for _, note := range n.Notes() {
		fmt.Fprintf(a.notes, "note: %s\n", note)
	}
	fmt.Fprintf(a.notes, "preprocessing: resize %d, %s crop %d, %s, mean %v, std %v%s; from %s\n", r.Resize, r.CropMode, r.Size,
		r.Interpolation, r.Mean, r.Std, order, clean(n.Source))
	a.sayCorruption(n.Corruption())
	if images == nil {
		return
	}
	fmt.Fprintf(a.notes, "images: %s\n", clean(reading(images)))
	if images.Answers.Classes != nil {
		fmt.Fprintf(a.notes, "answers: chosen among %s\n", clean(images.Answers.String()))
	}
}

// reading says how images' labels were read.
func reading(images *datasets.Files) string {
	if images.Split == "" {
		return images.Reading
	}
	return images.Reading + "; split " + images.Split
}

func newEvalRow(r *record.Record) evalRow {
	return evalRow{
		Model: r.Name(), Images: r.Images, Top1: r.Top1, Top1Lo: r.Top1Lo, Top1Hi: r.Top1Hi, Top5: r.Top5, Top5Lo: r.Top5Lo, Top5Hi: r.Top5Hi,
		Unreadable: r.Unreadable, ImagesPerSec: r.ImagesPerSec,
		ImgSize: r.Recipe.ImgSize, CropPct: r.Recipe.CropPct, Interpolation: r.Recipe.Interpolation,
		Reading: r.Reading, Split: r.Split, Exif: r.Exif, Answers: r.Answers, Corruption: r.RanWith().Corruption, CorruptedBy: r.CorruptedBy,
		Precision:     r.RanWith().Precision,
		WeightsSHA256: r.WeightsSHA256, DatasetSHA256: r.DatasetSHA256, Files: r.UnreadableFiles, Notes: r.ImageNotes,
		Warnings: r.Verdict.Warnings, Plan: r.Plan.Hash, WeightsSection: r.WeightsSection, WeightsPrefix: r.WeightsPrefix,
		WeightsNames: r.WeightsNames, RecipeSource: r.RecipeSource,
	}
}

func (a *app) evalPrinter() *printer[evalRow] {
	title := []string{"model", "images", "top-1", "95 % interval", "top-5", "95 % interval", "unreadable", "img/s"}
	percent := func(v float64) string { return fmt.Sprintf("%.2f %%", v) }
	interval := func(lo, hi float64) string { return fmt.Sprintf("%.2f to %.2f", lo, hi) }
	return newPrinter(a, title, func(r evalRow) []string {
		return []string{
			record.Axes{Precision: r.Precision, Corruption: r.Corruption}.Named(r.Model),
			strconv.Itoa(r.Images), percent(r.Top1), interval(r.Top1Lo, r.Top1Hi),
			percent(r.Top5), interval(r.Top5Lo, r.Top5Hi),
			strconv.Itoa(r.Unreadable), fmt.Sprintf("%.1f", r.ImagesPerSec),
		}
	})
}
