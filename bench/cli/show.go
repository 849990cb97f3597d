package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/outline"
)

// showRow is one layer of zoobench show.
type showRow struct {
	Name      string `json:"name"`
	Op        string `json:"op"` // and the operations fused into it, with +
	Out       []int  `json:"out"`
	Params    int64  `json:"params"`
	MACs      int64  `json:"macs"`
	Algorithm string `json:"algorithm"`

	MaxError float64 `json:"max_error,omitempty"` // that the algorithm states, see kernels.Algorithm
	Model    string  `json:"model"`

	Precision string `json:"precision,omitempty"` // of the layer, in a network that is run in int8
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
	var p profileFlags
	var diff, timed bool
	c := &cobra.Command{
		Use:   "show NETWORK... | show --diff NETWORK NETWORK",
		Short: "Print a network's layers, their times, or the differences between two networks",
		Long: "Prints a network's layers as the engine runs them. With --time, the command runs the network and prints how near each\n" +
			"layer comes to the limits of the machine. With --diff, it prints the stages of two networks side by side.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.networks,
		RunE: func(c *cobra.Command, names []string) error {
			names, err := a.expand(names, cachedTags)
			if err != nil {
				return err
			}
			if diff && len(names) != 2 {
				return fmt.Errorf("show --diff: have %d networks, want 2", len(names))
			}
			if err := b.check(); err != nil {
				return err
			}
			if err := p.check(c.Flags().Changed, timed); err != nil {
				return err
			}
			if diff {
				return a.showDiff(b, [2]string(names))
			}
			if len(b.precision) > 1 {
				return fmt.Errorf("--precision: have %d, want one", len(b.precision))
			}
			for i, name := range names {
				if i > 0 && a.format == "table" {
					if _, err := fmt.Fprintln(a.stdout); err != nil {
						return err
					}
				}
				if timed {
					err = a.showTimes(c.Context(), b, p, name)
				} else {
					err = a.showLayers(b, name)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	b.flags(c)
	b.precision.flag(c, "want one")
	c.Flags().BoolVar(&diff, "diff", false, "differences between two networks")
	c.Flags().BoolVar(&timed, "time", false, "time of each layer, beside the limits of the machine")
	p.flags(c)
	c.MarkFlagsMutuallyExclusive("diff", "time")
	a.formatFlag(c)
	return c
}

func (a *app) showLayers(b build, name string) error {
	spec, err := runner.Find(a.list, name)
	if err != nil {
		return err
	}
	g, err := spec.Graph(b.imgSize, b.classes)
	if err != nil {
		return err
	}
	e, err := a.planned(b, name, g)
	if err != nil {
		return err
	}
	defer e.Close()
	int8 := b.precision.all()[0] == engine.Int8
	title := []string{"layer", "op", "output", "params", "MACs", "algorithm"}
	if int8 {
		title = append(title, "precision")
	}
	out := newPrinter(a, title, func(r showRow) []string {
		cells := []string{r.Name, r.Op, shape(r.Out), strconv.FormatInt(r.Params, 10), strconv.FormatInt(r.MACs, 10), r.Algorithm}
		if int8 {
			cells = append(cells, r.Precision)
		}
		return cells
	})
	for _, l := range e.Layers() {
		row := newShowRow(spec.Name, l)
		if int8 {
			row.Precision = l.Precision
		}
		if err := out.print(row); err != nil {
			return err
		}
	}
	if err := out.close(); err != nil || a.format != "table" {
		return err
	}
	_, err = fmt.Fprintf(a.stdout,
		"\n%s at %d×%d: %d layers, %d parameters (%s), %d MACs (%s), %d activations; packed weights %s, arena %s\n%s%s",
		spec.Name, g.Input().H, g.Input().W, len(e.Layers()), g.ParamCount(), millions(g.ParamCount()), g.MACs(), billions(g.MACs()),
		g.Activations(), mebibytes(e.WeightBytes()), mebibytes(e.ArenaBytes()), planNote(e), shippedNote(spec))
	return err
}

// planned is an engine whose plan is that of the network's runs. Weights of zeros are enough for it, but not for int8: which
// layers compute in bytes follows from values, those of generated weights and images.
func (a *app) planned(b build, name string, g *nn.Graph) (*engine.Engine, error) {
	if b.precision.all()[0] == engine.Int8 {
		t, err := b.task(a, name)
		if err != nil {
			return nil, err
		}
		t.Threads, t.Batch, t.Latency = 1, 1, &experiment.Latency{}
		n, err := runner.Open(a.list, t)
		if err != nil {
			return nil, err
		}
		return n.Engine, nil
	}
	o := engine.Options{Threads: 1, Precision: b.precision.all()[0]}
	if !b.noTune {
		o.Tuner = runner.NewTuner()
	}
	return engine.New(g, newZeros(g), o)
}

func newShowRow(model string, l engine.Layer) showRow {
	return showRow{
		Name: l.Name, Op: strings.Join(append([]string{l.Op}, l.Fused...), "+"), Out: []int{l.Out.C, l.Out.H, l.Out.W},
		Params: l.Params, MACs: l.MACs, Algorithm: l.Algorithm, MaxError: l.Error, Model: model,
	}
}

// planNote says how the engine computes.
func planNote(e *engine.Engine) string {
	plan, trials := e.Plan(), e.Trials()
	text := fmt.Sprintf("plan %s: %d layers have a choice of algorithms; it was made by %s", plan.Hash, len(plan.Choices),
		map[string]string{engine.FromTable: "the table of measured preferences", engine.FromTrials: "trials"}[plan.Source])
	if plan.Source == engine.FromTrials {
		text += fmt.Sprintf(" of %d shapes, %d of them in earlier runs (%s)", trials.Shapes, trials.Remembered, millis(trials.Time.Nanoseconds()))
	}
	text += "\n" + winogradNote(e.Layers())
	for _, note := range trials.Notes {
		text += note + "\n"
	}
	return text
}

// shippedNote says that the program contains weights of a network and what they are, "" where it contains none.
func shippedNote(spec *zoo.Spec) string {
	c, ok := spec.Shipped()
	if !ok {
		return ""
	}
	w := c.Shipped
	return fmt.Sprintf("The program contains weights, %s: recipe %s of the study, seed %d, learned from %d computed images (%s).\n"+
		"Their top-1 on the %d test images of %s is %.2f %%. It says nothing about ImageNet.\n",
		c.Name(), w.Recipe, w.Seed, w.Images, w.Data, w.Test.Images, w.Data, w.Test.Top1Percent())
}

// winogradNote says what Winograd costs in digits, "" where no layer uses it. The figures are those that package
// kernels' tests hold its algorithms to.
func winogradNote(layers []engine.Layer) string {
	n, winograd, direct := 0, 0.0, 0.0
	for _, l := range layers {
		if l.Kind == engine.KindWinograd {
			n++
			winograd = max(winograd, l.Error)
		} else {
			direct = max(direct, l.Error)
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("Winograd's sums (%d layers) have rounding errors of at most %.0e of a layer's largest output, direct sums of %.0e.\n"+
		"Both figures are for normally distributed inputs and weights.\n", n, winograd, direct)
}

// showDiff prints two networks side by side.
func (a *app) showDiff(b build, names [2]string) error {
	var networks [2]outline.Network
	for i, name := range names {
		n := &networks[i]
		var err error
		if n.Spec, err = runner.Find(a.list, name); err != nil {
			return err
		}
		if n.Graph, err = n.Spec.Graph(b.imgSize, b.classes); err != nil {
			return err
		}
	}
	one, two := networks[0], networks[1]
	if one.Spec == two.Spec {
		return fmt.Errorf("show: %s and %s are the same network, %s; want two", names[0], names[1], one.Spec.Name)
	}
	rows := outline.Diff(one, two)
	if a.format == "table" {
		return writeDiff(a.stdout, [2]string{one.Spec.Name, two.Spec.Name}, rows)
	}
	return newPrinter[outline.Row](a, nil, nil).printAll(rows)
}
