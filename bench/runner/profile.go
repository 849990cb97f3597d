package runner

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"zoobench/bench/stat"
	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/weights"
)

// A LayerTime is what a layer takes, beside what the machine allows.
type LayerTime struct {
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
	Precision   string  `json:"precision,omitempty"` // int8 where a layer of an int8 network computes in bytes
}

// Gap is the time that the roofline does not explain.
func (r LayerTime) Gap() int64 { return r.Time - r.Roofline }

// A Profile is a network's layers with their times, in order of execution.
type Profile struct {
	Rows       []LayerTime
	Total      LayerTime // their sum
	Whole      int64     // a whole run, the median of the runs, in nanoseconds
	Runs       int
	PeakGFLOPS float64 // of as many threads, measured just before
	ReadGBytes float64 // a second, read from memory by as many threads
}

// Runs of a profile: the median of a few is steady, and a second is enough for small networks.
const (
	profileWarmup = 3
	profileRuns   = 11
	profileTime   = time.Second
)

// Profile measures what the machine can do on the network's threads, and then the time of each layer.
func (n *Network) Profile(ctx context.Context) (*Profile, error) {
	threads, batch := n.Engine.Threads(), n.Engine.Batch()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	top, err := measureRoof(ctx, threads)
	if err != nil {
		return nil, err
	}
	times, whole, runs, err := n.layerTimes(ctx)
	if err != nil {
		return nil, err
	}
	p := &Profile{
		Rows: top.rows(n.Engine.Layers(), times, batch), Total: LayerTime{Name: "total", MACs: n.Graph.MACs()}, Whole: whole, Runs: runs,
		PeakGFLOPS: top.peakGFLOPS, ReadGBytes: top.readGBytes,
	}
	for _, r := range p.Rows {
		p.Total.Bytes, p.Total.Time, p.Total.Roofline = p.Total.Bytes+r.Bytes, p.Total.Time+r.Time, p.Total.Roofline+r.Roofline
	}
	p.Total.rate(top, batch)
	return p, nil
}

// layerTimes are the median times of each layer and of a whole run.
func (n *Network) layerTimes(ctx context.Context) (times []int64, whole int64, runs int, err error) {
	batch, in := n.Engine.Batch(), n.Graph.Input()
	src, dst := make([]float32, batch*in.Elems()), make([]float32, batch*n.Graph.Output().Elems())
	image := weights.Generator{}.Planes(in.C, in.H, in.W)
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
		times = append(times, middleSample(s))
	}
	return times, middleSample(wholes), runs, nil
}

// middleSample is the median of samples, in their unit.
func middleSample(samples []int64) int64 { return stat.At(slices.Sorted(slices.Values(samples)), 0.5) }

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
			return roof{}, errors.New("runner: profile: a sum of ones is not positive")
		}
	}
	n := int64(threads)
	return roof{float64(n*flops[0]) / float64(peak), float64(n*roofBytes) / float64(read)}, nil
}

// rate fills in what follows from MACs, bytes and time.
func (r *LayerTime) rate(top roof, batch int) {
	r.GFLOPS = 2 * float64(r.MACs) * float64(batch) / float64(max(1, r.Time))
	r.PeakPercent = 100 * r.GFLOPS / top.peakGFLOPS
}

// rows are a plan's layers with their times beside what the roof allows.
func (top roof) rows(layers []engine.Layer, times []int64, batch int) []LayerTime {
	var rows []LayerTime
	for i, l := range layers {
		r := LayerTime{
			Name: l.Name, Op: strings.Join(append([]string{l.Op}, l.Fused...), "+"), Out: []int{l.Out.C, l.Out.H, l.Out.W}, MACs: l.MACs,
			Algorithm: l.Algorithm, Time: times[i],
			Bytes: 4 * (l.Params + int64(batch)*l.Moved), Bound: "peak",
		}
		if l.Precision == engine.Int8 {
			r.Precision, r.Bytes = l.Precision, r.Bytes/4
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
