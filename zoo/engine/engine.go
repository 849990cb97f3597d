// Package engine turns a network's graph and weights into a plan of fused layers over one arena, and runs it.
//
// The contract: New reads every weight once, folds batch norms, packs what is left for the kernels and gives the
// weights' memory back; Run then computes logits from images, channels last. A run that needs more working memory than
// those before it, as the first and one of more images may, allocates that; others allocate nothing. Batch norm, bias,
// activation and residual sum ride along with the convolution before them, and concatenations are written in place. Of
// a batch, the first layers take one image a worker at a time and the others, whose weights are larger than their
// activations, take all. The plan depends on the graph, the options and the instruction set only, and where there is a
// Tuner on the times that it finds; in one build, the same plan gives the same bits at any number of threads. An Engine
// is used by one goroutine at a time.
//
// A Quantized network is computed in bytes where it has numbers for that, with conversions at the borders to what stays in float32; what
// is in bytes is the same bits on every instruction set. Without one the plan is all float32.
//
// It leaves to kernels how a layer is computed, to zoo/interp to be right without being fast, and to others where
// weights come from and what logits mean.
package engine

import (
	"fmt"
	"sync/atomic"
	"time"

	"zoobench/kernels"
	"zoobench/kernels/par"
	"zoobench/zoo/nn"
)

// Weights are a network's parameters by state-dict name.
type Weights interface {
	// Float32 is a tensor in PyTorch's row-major order; the engine does not change it, and reads it no more after
	// Release.
	Float32(name string) ([]float32, error)
	Release(name string)

	// Read copies the elements of a tensor from first on into dst; several goroutines may read at once.
	Read(name string, first int, dst []float32) error
}

// Options of an engine. The zero value runs one image at a time on all processors, by the algorithms that the kernels'
// table of measured preferences names.
type Options struct {
	Threads int  // workers, the caller of Run included, 1024 at the most; 0 means one for each processor that Go may use
	Batch   int  // the largest number of images of one Run, 4096 at the most; 0 means 1
	Exact   bool // direct algorithms only, and shorter sums
	// Precision is what convolutions and matrix products are computed with, one of Precisions; "" for Float32.
	Precision string
	Tuner     *Tuner     // chooses algorithms by trials; nil for the table
	Choices   []Choice   // another engine's, to be made again without trials; nil for the Tuner or the table
	Quantized *Quantized // computes in bytes what this has numbers for, and Precision is Int8 then; nil for none
}

// Engine is a network ready to run.
type Engine struct {
	graph *nn.Graph
	batch int
	pool  *par.Pool

	steps       []step
	byImage     int // steps that run before the others, few images at a time
	few         int // so many, 1 or more
	layers      []Layer
	written     []written // in the order of execution
	buffers     []buffer
	arena       []float32
	constants   map[int][]float32 // by node, (H,W,C)
	scratch     kernels.Scratch   // of all steps
	input       kernels.Tensor    // its Data is Run's argument
	output      place
	weightBytes int64
	denormals   atomic.Int64 // weights below the normal range that are computed with as they are

	isa       string
	exact     bool
	precision string // "" for Float32
	source    string // of the choices
	choices   []Choice
	trials    Trials
}

// Layer is one step of the plan, as a table of layers shows it.
type Layer struct {
	Name      string   // of the parameters, "" where there are none
	Op        string   // of the first node
	Fused     []string // of the nodes that ride along
	Out       nn.Shape
	Params    int64
	MACs      int64
	Moved     int64 // elements of one image's activations that it reads and writes
	Algorithm string
	Error     float64 // the algorithm's rounding error, see kernels.Algorithm; 0 where none is stated
	Kind      Kind
	Precision string // Float32 or Int8
}

// Limits on Options, an experiment's too: far above any use, and low enough that no size overflows.
const (
	maxThreads = 1024
	maxBatch   = 4096
)

// New plans a network and packs its weights.
func New(g *nn.Graph, w Weights, o Options) (*Engine, error) {
	if o.Batch == 0 {
		o.Batch = 1
	}
	if o.Batch < 0 || o.Threads < 0 || o.Batch > maxBatch || o.Threads > maxThreads {
		return nil, fmt.Errorf("engine: %s: %d threads and a batch of %d, want 1 to %d and 1 to %d",
			g.Name, o.Threads, o.Batch, maxThreads, maxBatch)
	}
	if err := CheckPrecision(o.Precision); err != nil {
		return nil, fmt.Errorf("%w; %s is not run", err, g.Name)
	}
	if o.Quantized != nil && len(o.Quantized.Layers) > 0 {
		o.Precision = Int8
	} else if o.Precision == Int8 {
		return nil, fmt.Errorf("engine: %s: int8 needs the ranges of its values; zoobench quantize finds them", g.Name)
	}
	e := &Engine{graph: g, batch: o.Batch, pool: par.New(o.Threads), isa: kernels.ISA(), exact: o.Exact, precision: o.Precision}
	p := &planner{Engine: e, weights: w, options: o}
	if err := p.plan(); err != nil {
		e.pool.Close()
		return nil, fmt.Errorf("engine: %s: %w", g.Name, err)
	}
	return e, nil
}

// Close ends the engine's workers.
func (e *Engine) Close() { e.pool.Close() }

// Run computes the logits of n images: src is (n, H, W, C) and dst (n, outputs), both without gaps.
func (e *Engine) Run(dst, src []float32, n int) {
	e.begin(dst, src, n)
	for first := 0; first < n; first += e.few {
		for i := range e.byImage {
			e.runStep(&e.steps[i], first, min(e.few, n-first))
		}
	}
	for i := e.byImage; i < len(e.steps); i++ {
		e.runStep(&e.steps[i], 0, n)
	}
	e.finish(dst, n)
}

// RunTimed is Run with the time of every layer, in the order of Layers, added to times.
func (e *Engine) RunTimed(dst, src []float32, n int, times []time.Duration) {
	if len(times) < len(e.steps) {
		panic("engine: times for fewer layers than there are")
	}
	e.begin(dst, src, n)
	timed := func(i, first, n int) {
		start := time.Now()
		e.runStep(&e.steps[i], first, n)
		times[i] += time.Since(start)
	}
	for first := 0; first < n; first += e.few {
		for i := range e.byImage {
			timed(i, first, min(e.few, n-first))
		}
	}
	for i := e.byImage; i < len(e.steps); i++ {
		timed(i, 0, n)
	}
	e.finish(dst, n)
}

// begin checks what a run is given and takes the images.
func (e *Engine) begin(dst, src []float32, n int) {
	in, out := e.graph.Input(), e.graph.Output().Elems()
	if n < 1 || n > e.batch {
		panic("engine: no images, or more than the engine was made for")
	}
	if len(src) < n*in.Elems() || len(dst) < n*out {
		panic("engine: short images or logits")
	}
	e.input.Data = src
}

// finish copies the logits out.
func (e *Engine) finish(dst []float32, n int) {
	y := e.tensor(e.output, 0, n)
	pixels := y.H * y.W
	for p := range n * pixels {
		copy(dst[p*y.C:(p+1)*y.C], y.Data[p*y.Stride:])
	}
	e.input.Data = nil // not before: the logits can be a part of the images
}

// Threads is the number of workers.
func (e *Engine) Threads() int { return e.pool.Size() }

// Batch is the largest number of images of one Run.
func (e *Engine) Batch() int { return e.batch }

// Layers are the steps of the plan in the order of execution.
func (e *Engine) Layers() []Layer { return e.layers }

// Trials are what the Tuner did; without one, nothing.
func (e *Engine) Trials() Trials { return e.trials }

// WeightBytes is the memory of the packed weights.
func (e *Engine) WeightBytes() int64 { return e.weightBytes }

// Denormals is how many of the checkpoint's weights lie below the normal range and make the kernels slow. It is 0 where
// kernels/par flushes such numbers to zero: there they cost no time.
func (e *Engine) Denormals() int64 { return e.denormals.Load() }

// ArenaBytes is the memory of all activations.
func (e *Engine) ArenaBytes() int64 { return 4 * int64(len(e.arena)) }
