package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/choose"
	"zoobench/bench/export"
	"zoobench/bench/runner"
	"zoobench/zoo/engine"
	"zoobench/zoo/onnx"
)

// exportSeed is the seed of exported weights that are generated: the goldens' own.
const exportSeed = 1

func (a *app) export() *cobra.Command {
	var b build
	var head string
	o := export.Options{}
	o.Generator.Seed = exportSeed
	c := &cobra.Command{
		Use:   "export NETWORK...",
		Short: "Write networks as ONNX files",
		Long: "Writes a network with its weights as an ONNX file, for ONNX Runtime and other programs. The file takes any number of images,\n" +
			"as float32 of (batch, 3, height, width), and gives logits. With --with-preprocessing it takes images of any size as bytes of\n" +
			"(batch, height, width, 3). Its metadata has the preprocessing that the network needs, the names of the classes, and the\n" +
			"source and the licence of the weights. A network of more than 2 GiB has its weights in a second file, with .data after the\n" +
			"first one's name. The command reads back what it wrote and compares its answers for an image with the engine's before\n" +
			"it says that it is done. Without --weights the command generates weights. With --precision int8 the file has the numbers\n" +
			"of a network that quantize wrote, or that the command quantises on the images of --calibration.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.networks,
		RunE: func(c *cobra.Command, names []string) error {
			tasks, err := b.tasks(a, names)
			if err != nil {
				return err
			}
			if slices.Contains(b.precision, engine.BF16) || len(b.precision) > 1 {
				return fmt.Errorf("--precision %s: want float32 or int8", strings.Join(b.precision.names(), ","))
			}
			if len(tasks) > 1 && o.Out != "" {
				return fmt.Errorf("--out: have %d networks, want one", len(tasks))
			}
			if gain := o.Generator.Gain; b.given("generated-gain") && !(gain > 0 && gain <= 100) {
				return fmt.Errorf("--generated-gain %g: want more than 0 and at most 100", gain)
			}
			if len(tasks) > 1 && head != "" {
				return fmt.Errorf("--head: have %d networks, want one", len(tasks))
			}
			if head != "" {
				if o.Head, err = choose.LoadHead(head); err != nil {
					return err
				}
			}
			o.ONNX.Version = newVersionRow().Version
			return a.eachTask(c.Context(), tasks, func(t runner.Task) error { return a.exportTask(c.Context(), t, b, o) })
		},
	}
	c.Flags().StringVar(&o.Out, "out", "", "file to write (default: the network's name with .onnx)")
	c.Flags().IntVar(&o.ONNX.Opset, "opset", 0,
		fmt.Sprintf("version of the ONNX operators, up to %d (default: %d, or 18 with --with-preprocessing)", onnx.MaxOpset, onnx.MinOpset))
	c.Flags().BoolVar(&o.ONNX.Fold, "fold", false, "weights of convolutions with the batch norms after them multiplied in")
	c.Flags().BoolVar(&o.Preprocessing, "with-preprocessing", false,
		"operators that resize, crop and normalise images; the file then takes bytes of any size")
	c.Flags().StringVar(&head, "head", "",
		"head that choose --save wrote, a file or its folder; its classes replace the network's (default: none)")
	c.Flags().Float64Var(&o.Generator.Gain, "generated-gain", 0, "scale of generated weights, for tests (default: √2)")
	b.sizeFlags(c)
	b.weightsFlag(c, " (default: those that the program contains, else generated ones)")
	b.precision.flag(c, "int8 writes QuantizeLinear and DequantizeLinear")
	b.calibrationFlag(c, "none")
	return c
}

// exportTask writes the network of a task.
func (a *app) exportTask(ctx context.Context, t runner.Task, b build, o export.Options) error {
	if b.given("generated-gain") && t.Weights != "" {
		return fmt.Errorf("--generated-gain: the weights are those of %s, not generated", t.Weights)
	}
	r, err := runner.Describe(a.list, t)
	if err != nil {
		return err
	}
	defer r.Close()
	step, clear := a.imageBar()
	o.Step = step
	w, err := export.Write(ctx, r, o)
	clear()
	if err != nil {
		return err
	}
	of := "generated weights"
	if r.File != "" {
		of = "weights of " + r.File
	}
	if o.Head != nil {
		of += fmt.Sprintf(" and a head of %d classes", len(o.Head.Classes))
	}
	if r.Int8 != nil {
		of += fmt.Sprintf(" in int8 (%.1f %% of the multiply-accumulates in float32)", 100*r.Int8.Recipe.Kept)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: %s with %s, opset %d\n", clean(w.Path), clean(r.Name()), clean(of), w.Opset)
	return err
}
