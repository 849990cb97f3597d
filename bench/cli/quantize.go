package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/zoo/quantize"
)

// quantizeRow is a layer of a quantised network; its names are relied on by scripts.
type quantizeRow struct {
	Model     string  `json:"model"`
	Layer     string  `json:"layer"`
	MACs      int64   `json:"macs"`
	Distance  float64 `json:"logit_distance"` // with this layer alone in int8, as a share of the logits' size
	Precision string  `json:"precision"`
}

// quantizeFlags are the command's own flags.
type quantizeFlags struct {
	b      build
	images imageFlags
	seed   uint64
	out    string
	rule   string
	o      quantize.Options
}

func (a *app) quantize() *cobra.Command {
	var f quantizeFlags
	var rules []string
	for _, r := range quantize.Rules() {
		rules = append(rules, string(r))
	}
	c := &cobra.Command{
		Use:   "quantize NETWORK --weights FILE|TAG --data DIR --out FILE",
		Short: "Write a checkpoint's weights in int8, with the ranges of its values on images",
		Long: "Writes a network in int8. The command runs the network on images and finds the range of each value. It chooses the ranges,\n" +
			"corrects the biases and measures what each layer in int8 does to the logits. The layers that change them most stay in\n" +
			"float32. The labels of the images are not used. The file is a checkpoint for eval, predict and latency: each of them computes\n" +
			"the same sums on every processor.",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.network,
		RunE: func(c *cobra.Command, args []string) error {
			if err := onlyZoo(args, "zoobench export --precision int8 --calibration DIR writes it in int8"); err != nil {
				return err
			}
			if f.rule != "" && !slices.Contains(rules, f.rule) {
				return fmt.Errorf("--range %s: want %s", f.rule, strings.Join(rules, ", "))
			}
			if f.out == "" {
				return fmt.Errorf("quantize: no file for the result; name one with --out")
			}
			if s := f.o.Share; !(s >= 0 && s <= 1) {
				return fmt.Errorf("--float-share %g: want 0 to 1", s)
			}
			if err := f.images.check(a, "quantize", nil); err != nil {
				return err
			}
			return a.runQuantize(c.Context(), args, f)
		},
	}
	f.b.sizeFlags(c)
	f.b.weightsFlag(c, "")
	f.images.flags(c, experiment.CalibrationImages)
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of the random subset that --limit draws")
	c.Flags().StringVar(&f.out, "out", "", "file to write, as NETWORK.int8.safetensors")
	c.Flags().StringVar(&f.rule, "range", "", "rule for the ranges of values: "+strings.Join(rules, ", ")+
		" (default: the one whose logits are nearest to float32's)")
	c.RegisterFlagCompletionFunc("range", cobra.FixedCompletions(rules, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().Float64Var(&f.o.Share, "float-share", quantize.FloatShare, "share of the multiply-accumulates that may stay in float32")
	a.formatFlag(c)
	return c
}

func (a *app) runQuantize(ctx context.Context, args []string, f quantizeFlags) error {
	tasks, err := f.b.checkpoints(a, "quantize", args)
	if err != nil {
		return err
	}
	f.images.Seed = f.seed
	if f.o.Rule = quantize.Rule(f.rule); f.o.Share == 0 {
		f.o.Share = -1
	}
	r, err := runner.Describe(a.list, tasks[0])
	if err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	defer r.Close()
	about, err := a.makeInt8(ctx, r, f.images, f.o)
	if err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	if err := r.WriteInt8(f.out, about); err != nil {
		return err
	}
	return a.printQuantized(r.Name(), r.Int8, f.out)
}

// makeInt8 quantises a checkpoint on images and says on standard error how it goes.
func (a *app) makeInt8(ctx context.Context, r *runner.Ready, f imageFlags, o quantize.Options) (quantize.Calibration, error) {
	if r.Int8 != nil {
		return quantize.Calibration{}, fmt.Errorf("%s is in int8 already", r.File)
	}
	f.Answers = datasets.AllAnswers
	step, clear := a.imageBar()
	images, about, err := r.Calibrate(ctx, f.Accuracy, step)
	clear()
	if err != nil {
		return about, err
	}
	o.Progress = func(done string) { fmt.Fprintln(a.notes, done) }
	return about, r.MakeInt8(images, o)
}

// printQuantized prints the layers, and behind a table what became of all.
func (a *app) printQuantized(model string, n *quantize.Network, file string) error {
	out := newPrinter(a, []string{"layer", "MACs", "logit distance", "precision"}, func(r quantizeRow) []string {
		return []string{r.Layer, strconv.FormatInt(r.MACs, 10), fmt.Sprintf("%.4f", r.Distance), r.Precision}
	})
	for _, l := range n.Layers {
		row := quantizeRow{Model: model, Layer: l.Name, MACs: l.MACs, Distance: l.Distance, Precision: "int8"}
		if l.Float {
			row.Precision = "float32"
		}
		if err := out.print(row); err != nil {
			return err
		}
	}
	if err := out.close(); err != nil || a.format != "table" {
		return err
	}
	moved := map[bool]string{true: "scale was moved between layers", false: "no scale was moved between layers"}[n.Recipe.Equal]
	_, err := fmt.Fprintf(a.stdout, "\n%s: ranges by the rule %s on %d images; %s; %.1f %% of the multiply-accumulates stay in float32; "+
		"the logits of %d images are %.4f of their size from float32's\n", cmp.Or(file, model), n.Recipe.Rule, n.Recipe.Images, moved,
		100*n.Recipe.Kept, n.Recipe.Trials, n.Recipe.Distance)
	return err
}
