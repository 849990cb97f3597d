package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/kernels"
)

// profileFlags are those of show --time.
type profileFlags struct {
	threads, batch int
	sort           string
}

func (p *profileFlags) flags(c *cobra.Command) {
	c.Flags().IntVar(&p.threads, "threads", 1, "number of threads, with --time; 0 for one for each processor")
	c.Flags().IntVar(&p.batch, "batch", 1, "images in a forward call, with --time")
	c.Flags().StringVar(&p.sort, "sort", "order", "order of the layers, with --time: order (of execution), time, or gap (to the roofline)")
	c.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions([]string{"order", "time", "gap"}, cobra.ShellCompDirectiveNoFileComp))
}

func (p *profileFlags) check(given func(flag string) bool, timed bool) error {
	for _, name := range []string{"threads", "batch", "sort"} {
		if given(name) && !timed {
			return fmt.Errorf("--%s: works only with --time", name)
		}
	}
	if p.threads < 0 || p.batch < 1 {
		return fmt.Errorf("--threads %d, --batch %d: want at least 0 and 1", p.threads, p.batch)
	}
	if !slices.Contains([]string{"order", "time", "gap"}, p.sort) {
		return fmt.Errorf("--sort: have %q, want order, time or gap", p.sort)
	}
	return nil
}

// profileWarn is how much longer than its layers together a run may take: reading the clock takes far less.
const profileWarn = 1.15

// timeRow is a layer of zoobench show --time.
type timeRow struct {
	runner.LayerTime
	Model string `json:"model"`
}

// showTimes runs a network and prints a row a layer.
func (a *app) showTimes(ctx context.Context, b build, p profileFlags, name string) error {
	t, err := b.task(a, name)
	if err != nil {
		return err
	}
	t.Threads, t.Batch = p.threads, p.batch
	t.Latency = &experiment.Latency{}
	n, err := runner.Open(a.list, t)
	if err != nil {
		return err
	}
	defer n.Close()
	measured, err := n.Profile(ctx)
	if err != nil {
		return err
	}
	rows, sum := measured.Rows, measured.Total
	switch p.sort {
	case "time":
		slices.SortStableFunc(rows, func(x, y runner.LayerTime) int { return cmp.Compare(y.Time, x.Time) })
	case "gap":
		slices.SortStableFunc(rows, func(x, y runner.LayerTime) int { return cmp.Compare(y.Gap(), x.Gap()) })
	}
	title := []string{"layer", "op", "output", "MACs", "moved", "ms", "GFLOP/s", "of peak", "roofline", "bound", "algorithm"}
	out := newPrinter(a, title, func(r timeRow) []string {
		return []string{
			r.Name, r.Op, shape(r.Out), fmt.Sprintf("%.2f M", float64(r.MACs)/1e6), fmt.Sprintf("%.2f MB", float64(r.Bytes)/1e6),
			fmt.Sprintf("%.4f", float64(r.Time)/1e6), strconv.FormatFloat(r.GFLOPS, 'f', 1, 64), fmt.Sprintf("%.0f %%", r.PeakPercent),
			fmt.Sprintf("%.4f", float64(r.Roofline)/1e6), r.Bound, r.Algorithm,
		}
	})
	for _, r := range rows {
		if err := out.print(timeRow{r, n.Spec.Name}); err != nil {
			return err
		}
	}
	if float64(measured.Whole) > profileWarn*float64(sum.Time) {
		fmt.Fprintf(a.stderr, "warning: a run takes %.2f times as long as its layers together: another program is running\n",
			float64(measured.Whole)/float64(sum.Time))
	}
	if err := out.close(); err != nil || a.format != "table" {
		return err
	}
	in := n.Graph.Input()
	_, err = fmt.Fprintf(a.stdout,
		"\n%s at %d×%d, batch %d, %d threads, %s: its layers take %.3f ms together, a run takes %.3f ms (medians of %d)\n"+
			"%s MACs per image, %.2f MB moved, %.1f GFLOP/s, %.1f %% of the peak; its rooflines are %.3f ms together\n"+
			"limits of as many threads, measured just now: a float32 peak of %.1f GFLOP/s, memory read %.1f GB/s\n"+
			"A layer can be faster than its roofline: a tensor in a cache is not read from memory, Winograd does fewer\n"+
			"multiplications than its MACs, and the peak is float32's whatever the precision.\n%s",
		n.Spec.Name, in.H, in.W, p.batch, n.Engine.Threads(), kernels.ISA(), float64(sum.Time)/1e6, float64(measured.Whole)/1e6, measured.Runs,
		billions(sum.MACs), float64(sum.Bytes)/1e6, sum.GFLOPS, sum.PeakPercent, float64(sum.Roofline)/1e6,
		measured.PeakGFLOPS, measured.ReadGBytes, planNote(n.Engine))
	return err
}
