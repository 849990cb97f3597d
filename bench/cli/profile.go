package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/bench/stat"
	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/weights"
)

// profileRow is a layer of zoobench show --time.
type profileRow struct {
	Name        string  `json:"name"`
	Op          string  `json:"op"` // and the operations fused into it, with +
	Out         []int   `json:"out"`
	MACs        int64   `json:"macs"`        // of one image
	Bytes       int64   `json:"moved_bytes"` // of a batch: weights, inputs and output, each once
	Time        int64   `json:"time_ns"`     // of a batch, the median of the runs
	GFLOPS      float64 `json:"gflops"`
	PeakPercent float64 `json:"peak_percent"`
	Roofline    int64   `json:"roofline_ns"` // the longer of its MACs at the peak and its bytes at the memory's rate
	Bound       string  `json:"bound"`       // which one is: "peak" or "memory"
	Algorithm   string  `json:"algorithm"`
}

// gap is the time that the roofline does not explain.
func (r profileRow) gap() int64 { return r.Time - r.Roofline }

// profileFlags are those of show --time.
type profileFlags struct {
	threads, batch int
	sort           string
}

func (p *profileFlags) flags(c *cobra.Command) {
	c.Flags().IntVar(&p.threads, "threads", 1, "with --time: workers; 0 for one a processor")
	c.Flags().IntVar(&p.batch, "batch", 1, "with --time: images a forward call")
	c.Flags().StringVar(&p.sort, "sort", "order", "with --time: order (of execution), time, or gap (to the roofline)")
	c.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions([]string{"order", "time", "gap"}, cobra.ShellCompDirectiveNoFileComp))
}

func (p *profileFlags) check(given func(flag string) bool, timed bool) error {
	for _, name := range []string{"threads", "batch", "sort"} {
		if given(name) && !timed {
			return fmt.Errorf("--%s: only with --time", name)
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

// Runs of a profile: the median of a few is steady, and a second is enough for small networks.
const (
	profileWarmup = 3
	profileRuns   = 11
	profileTime   = time.Second
	profileWarn   = 1.15 // a run over the sum of its layers: reading the clock takes far less
)

// showTimes runs a network and prints a row a layer.
func (a *app) showTimes(ctx context.Context, b build, p profileFlags, name string) error {
	t, err := b.task(a, name)
	if err != nil {
		return err
	}
	t.Job = experiment.Job{Model: t.Model, ImgSize: b.imgSize, Threads: p.threads, Batch: p.batch, NoTune: b.noTune}
	n, err := runner.Open(a.list, t)
	if err != nil {
		return err
	}
	defer n.Close()
	threads := n.Engine.Threads()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	top, err := measureRoof(ctx, threads)
	if err != nil {
		return err
	}
	times, whole, runs, err := profile(ctx, n)
	if err != nil {
		return err
	}
	rows := top.rows(n.Engine.Layers(), times, p.batch)
	sum := profileRow{Name: "total", MACs: n.Graph.MACs()}
	for _, r := range rows {
		sum.Bytes, sum.Time, sum.Roofline = sum.Bytes+r.Bytes, sum.Time+r.Time, sum.Roofline+r.Roofline
	}
	sum.rate(top, p.batch)
	switch p.sort {
	case "time":
		slices.SortStableFunc(rows, func(x, y profileRow) int { return cmp.Compare(y.Time, x.Time) })
	case "gap":
		slices.SortStableFunc(rows, func(x, y profileRow) int { return cmp.Compare(y.gap(), x.gap()) })
	}
	title := []string{"layer", "op", "output", "MACs", "moved", "ms", "GFLOP/s", "of peak", "roofline", "bound", "algorithm"}
	out := newPrinter(a, title, func(r profileRow) []string {
		return []string{
			r.Name, r.Op, shape(r.Out), fmt.Sprintf("%.2f M", float64(r.MACs)/1e6), fmt.Sprintf("%.2f MB", float64(r.Bytes)/1e6),
			fmt.Sprintf("%.4f", float64(r.Time)/1e6), strconv.FormatFloat(r.GFLOPS, 'f', 1, 64), fmt.Sprintf("%.0f %%", r.PeakPercent),
			fmt.Sprintf("%.4f", float64(r.Roofline)/1e6), r.Bound, r.Algorithm,
		}
	})
	for _, r := range rows {
		if err := out.print(r); err != nil {
			return err
		}
	}
	if float64(whole) > profileWarn*float64(sum.Time) {
		fmt.Fprintf(a.stderr, "warning: a run takes %.2f times what its layers add up to: something else is running\n", float64(whole)/float64(sum.Time))
	}
	if err := out.close(); err != nil || a.format != "table" {
		return err
	}
	in := n.Graph.Input()
	_, err = fmt.Fprintf(a.stdout, "\n%s at %d×%d, batch %d, %d threads, %s: layers add up to %.3f ms, a run takes %.3f ms (medians of %d)\n"+
		"%s MACs an image, %.2f MB moved, %.1f GFLOP/s, %.1f %% of the peak; rooflines add up to %.3f ms\n"+
		"measured just now on as many threads: peak %.1f GFLOP/s, memory read %.1f GB/s\n"+
		"A layer can be under its roofline: tensors in the caches are not read from memory, and Winograd does fewer multiplications\n"+
		"than the MACs it is counted with.\n%s",
		n.Spec.Name, in.H, in.W, p.batch, threads, kernels.ISA(), float64(sum.Time)/1e6, float64(whole)/1e6, runs,
		billions(sum.MACs), float64(sum.Bytes)/1e6, sum.GFLOPS, sum.PeakPercent, float64(sum.Roofline)/1e6,
		top.peakGFLOPS, top.readGBytes, planNote(n.Engine))
	return err
}

// profile is the median time of each layer and of a whole run.
func profile(ctx context.Context, n *runner.Network) (times []int64, whole int64, runs int, err error) {
	batch, in := n.Engine.Batch(), n.Graph.Input()
	src, dst := make([]float32, batch*in.Elems()), make([]float32, batch*n.Graph.Output().Elems())
	image := weights.Generator{}.Images(in.H)
	for i := range src {
		src[i] = image[i%in.Elems()] // which number is which does not matter to the time
	}
	layers := len(n.Engine.Layers())
	samples, wholes := make([][]int64, layers), []int64(nil)
	run := make([]time.Duration, layers)
	for start := time.Now(); runs < profileRuns || time.Since(start) < profileTime; runs++ {
		if runs == 0 {
			for range profileWarmup {
				if err := ctx.Err(); err != nil {
					return nil, 0, 0, err
				}
				n.Engine.Run(dst, src, batch)
			}
			start = time.Now()
		}
		if err := ctx.Err(); err != nil {
			return nil, 0, 0, err
		}
		clear(run)
		began := time.Now()
		n.Engine.RunTimed(dst, src, batch, run)
		wholes = append(wholes, time.Since(began).Nanoseconds())
		for i, d := range run {
			samples[i] = append(samples[i], d.Nanoseconds())
		}
	}
	for _, s := range samples {
		times = append(times, median(s))
	}
	return times, median(wholes), runs, nil
}

func median(samples []int64) int64 { return stat.At(slices.Sorted(slices.Values(samples)), 0.5) }

// A roof is what the machine can do at most on a number of threads.
type roof struct {
	peakGFLOPS, readGBytes float64
}

// Sizes of what a roof is measured with, each thread.
const (
	roofRounds  = 1_000_000 // a millisecond or more
	roofSamples = 31
	roofBytes   = 128 << 20 // beyond the caches, as zoobench doctor has it for one thread
	roofPasses  = 7
)

// measureRoof measures both rates on all threads at once, with doctor's loops: shared memory does not read twice as fast
// for two. The best of a few passes counts.
func measureRoof(ctx context.Context, threads int) (roof, error) {
	together := func(work func(thread int)) int64 {
		var all sync.WaitGroup
		start := time.Now()
		for thread := range threads {
			all.Go(func() { work(thread) })
		}
		all.Wait()
		return time.Since(start).Nanoseconds()
	}
	sample := func(n int, work func(thread int)) (int64, error) {
		var samples []int64
		for range n {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			samples = append(samples, together(work))
		}
		return max(1, slices.Min(samples)), nil // a roof is the most that can be, whatever else was running
	}
	flops := make([]int64, threads)
	peak, err := sample(roofSamples, func(thread int) { flops[thread] = kernels.PeakRounds(roofRounds) })
	if err != nil {
		return roof{}, err
	}
	buffers := make([][]float32, threads)
	for i := range buffers {
		buffers[i] = slices.Repeat([]float32{1}, roofBytes/4) // a page that was never written has no memory of its own
	}
	sums := make([]float32, threads)
	read, err := sample(roofPasses, func(thread int) {
		sums[thread] = 0
		for chunk := range slices.Chunk(buffers[thread], 1<<18) { // assembly cannot be preempted
			sums[thread] += kernels.ReadSum(chunk)
		}
	})
	if err != nil {
		return roof{}, err
	}
	for _, sum := range sums {
		if sum <= 0 {
			return roof{}, errors.New("show: a sum of ones is not positive")
		}
	}
	n := int64(threads)
	return roof{float64(n*flops[0]) / float64(peak), float64(n*roofBytes) / float64(read)}, nil
}

// rate fills in what follows from MACs, bytes and time.
func (r *profileRow) rate(top roof, batch int) {
	r.GFLOPS = 2 * float64(r.MACs) * float64(batch) / float64(max(1, r.Time))
	r.PeakPercent = 100 * r.GFLOPS / top.peakGFLOPS
}

// rows are a plan's layers with their times beside what the roof allows.
func (top roof) rows(layers []engine.Layer, times []int64, batch int) []profileRow {
	var rows []profileRow
	for i, l := range layers {
		s := newShowRow(l)
		r := profileRow{
			Name: s.Name, Op: s.Op, Out: s.Out, MACs: s.MACs, Algorithm: s.Algorithm, Time: times[i],
			Bytes: 4 * (l.Params + int64(batch)*l.Moved), Bound: "peak",
		}
		compute, memory := 2*float64(r.MACs)*float64(batch)/top.peakGFLOPS, float64(r.Bytes)/top.readGBytes
		if memory > compute {
			r.Bound = "memory"
		}
		r.Roofline = int64(max(compute, memory))
		r.rate(top, batch)
		rows = append(rows, r)
	}
	return rows
}
