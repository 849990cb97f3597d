package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
)

// showRow is one layer of zoobench show.
type showRow struct {
	Name      string `json:"name"`
	Op        string `json:"op"` // and the operations fused into it, with +
	Out       []int  `json:"out"`
	Params    int64  `json:"params"`
	MACs      int64  `json:"macs"`
	Algorithm string `json:"algorithm"`
}

// zeros are weights enough to plan with: one slice of zeros serves every tensor. Running variances of zero are kept
// from dividing by zero by their epsilon.
type zeros struct {
	lengths map[string]int
	data    []float32
}

func newZeros(g *nn.Graph) *zeros {
	z := &zeros{lengths: map[string]int{}}
	longest := 0
	for _, p := range g.Params {
		z.lengths[p.Name] = p.Elems()
		longest = max(longest, p.Elems())
	}
	z.data = make([]float32, longest)
	return z
}

// Float32 is a tensor of zeros.
func (z *zeros) Float32(name string) ([]float32, error) {
	n, ok := z.lengths[name]
	if !ok {
		return nil, fmt.Errorf("%s: no such parameter", name)
	}
	return z.data[:n], nil
}

// Release does nothing: all tensors are one.
func (z *zeros) Release(string) {}

// Read leaves the zeros that dst has.
func (z *zeros) Read(string, int, []float32) error { return nil }

func (a *app) show() *cobra.Command {
	var b build
	c := &cobra.Command{
		Use:               "show MODEL",
		Short:             "Print a network's layers as the engine will run them",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.networks,
		RunE: func(_ *cobra.Command, args []string) error {
			spec, err := a.list.Find(args[0])
			if err != nil {
				return err
			}
			if b.imgSize < 0 || b.classes < 0 {
				return fmt.Errorf("--img-size %d, --num-classes %d: want none below 0", b.imgSize, b.classes)
			}
			g, err := spec.Graph(b.imgSize, b.classes)
			if err != nil {
				return err
			}
			e, err := engine.New(g, newZeros(g), engine.Options{Threads: 1})
			if err != nil {
				return err
			}
			defer e.Close()
			title := []string{"layer", "op", "output", "params", "MACs", "algorithm"}
			out := newPrinter(a, title, func(r showRow) []string {
				return []string{r.Name, r.Op, shape(r.Out), strconv.FormatInt(r.Params, 10), strconv.FormatInt(r.MACs, 10), r.Algorithm}
			})
			for _, l := range e.Layers() {
				row := showRow{
					Name: l.Name, Op: strings.Join(append([]string{l.Op}, l.Fused...), "+"), Out: []int{l.Out.C, l.Out.H, l.Out.W},
					Params: l.Params, MACs: l.MACs, Algorithm: l.Algorithm,
				}
				if err := out.print(row); err != nil {
					return err
				}
			}
			if err := out.close(); err != nil || a.format != "table" {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "\n%s at %d×%d: %d layers, %d parameters (%s), %d MACs (%s), %d activations; packed weights %s, arena %s\n",
				spec.Name, g.Input().H, g.Input().W, len(e.Layers()), g.ParamCount(), millions(g.ParamCount()), g.MACs(), billions(g.MACs()),
				g.Activations(), mebibytes(e.WeightBytes()), mebibytes(e.ArenaBytes()))
			return err
		},
	}
	b.flags(c)
	a.formatFlag(c)
	return c
}
