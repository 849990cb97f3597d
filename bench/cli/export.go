package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"zoobench/bench/export"
	"zoobench/bench/runner"
	"zoobench/zoo/onnx"
)

// exportSeed is the seed of exported weights that are generated: the goldens' own.
const exportSeed = 1

func (a *app) export() *cobra.Command {
	var b build
	o := export.Options{}
	o.Generator.Seed = exportSeed
	c := &cobra.Command{
		Use:   "export NETWORK...",
		Short: "Write networks as ONNX files",
		Long: "Writes a network with its weights as an ONNX file, for ONNX Runtime and other programs. The file takes any number of images,\n" +
			"as float32 of (batch, 3, height, width), and gives logits. Its metadata has the preprocessing that the network needs, the\n" +
			"names of the classes, and the source and the licence of the weights. A network of more than 2 GiB has its weights in a second\n" +
			"file, with .data after the first one's name. The command reads both back before it says that it is done. Without --weights\n" +
			"the command generates weights.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.networks,
		RunE: func(c *cobra.Command, names []string) error {
			tasks, err := b.tasks(a, names)
			if err != nil {
				return err
			}
			if len(tasks) > 1 && o.Out != "" {
				return fmt.Errorf("--out: have %d networks, want one", len(tasks))
			}
			if gain := o.Generator.Gain; b.given("generated-gain") && !(gain > 0 && gain <= 100) {
				return fmt.Errorf("--generated-gain %g: want more than 0 and at most 100", gain)
			}
			o.ONNX.Version = newVersionRow().Version
			return a.eachTask(c.Context(), tasks, func(t runner.Task) error { return a.exportTask(t, b, o) })
		},
	}
	c.Flags().StringVar(&o.Out, "out", "", "file to write (default: the network's name with .onnx)")
	c.Flags().IntVar(&o.ONNX.Opset, "opset", onnx.MinOpset,
		fmt.Sprintf("version of the ONNX operators, %d to %d", onnx.MinOpset, onnx.MaxOpset))
	c.Flags().BoolVar(&o.ONNX.Fold, "fold", false, "weights of convolutions with the batch norms after them multiplied in")
	c.Flags().Float64Var(&o.Generator.Gain, "generated-gain", 0, "scale of generated weights, for tests (default: √2)")
	b.sizeFlags(c)
	b.weightsFlag(c, " (default: generated weights)")
	return c
}

// exportTask writes the network of a task.
func (a *app) exportTask(t runner.Task, b build, o export.Options) error {
	if b.given("generated-gain") && t.Weights != "" {
		return fmt.Errorf("--generated-gain: the weights are those of %s, not generated", t.Weights)
	}
	r, err := runner.Describe(a.list, t)
	if err != nil {
		return err
	}
	defer r.Close()
	path, err := export.Write(r, o)
	if err != nil {
		return err
	}
	of := "generated weights"
	if r.File != "" {
		of = "weights of " + r.File
	}
	_, err = fmt.Fprintf(a.stdout, "%s: %s with %s, opset %d\n", clean(path), clean(r.Name()), clean(of), o.ONNX.Opset)
	return err
}
