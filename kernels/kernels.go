// Package kernels computes a network's layers over plain slices: convolutions, matrix products, pools and element-wise
// passes in float32 or in bytes, cut into tiles, shared out over workers and run by the microkernels of the best
// instruction set that the machine has.
//
// The contract: activations are channels-last. A Tensor is n images of h×w pixels, and a pixel's channels stand
// together, Stride elements from the next pixel's, so that a tensor may be a range of another one's channels. Weights
// come in PyTorch's order and are packed once, when an operation is made. Outputs must not overlap inputs unless the
// operation says so. Memory needs no alignment. A NaN in an input reaches the outputs that depend on it; numbers below the
// normal range may count as zeros (kernels/par). A caller that breaks the contract gets a panic, before any microkernel
// runs.
//
// An operation is made once and run many times, by one goroutine at a time; a run that needs more working memory than
// those before it, as the first and one of more images may, allocates that, others nothing. The same operation on the
// same instruction set gives the same bits, whatever the number of workers.
//
// Why channels last: the other candidate, planes of sixteen channels (nChw16c), was run with the same tiles, blocks and
// microkernels on 21 layers of ResNet-50, VGG-16 and MobileNetV2 (BenchmarkLayout, both in turn, one thread; AMD EPYC
// of the Zen 4 kind with AVX-512 kernels, 2026-11-23). Its time over this layout's, the median of a layer:
//
//	dense layers, geometric mean of 16     1.11   from 0.93 (1×1, 16 to 96 channels, 112×112) to 1.78 (1×1, 144 to 24)
//	depthwise layers, geometric mean of 5  0.84   0.78 and 0.53 at 112×112, 0.79 at 56×56, 0.87 at 14×14, 1.48 at 7×7
//	all                                    1.04
//
// Depthwise layers would gain by planes, but they are a tenth of a mobile network's time, and the larger ones run
// joined with their neighbours, on rows that are in cache. Only the channels-last form prefetches its next weights;
// without that the dense layers' mean is 1.06 (a busier machine). Channels last also concatenates by address at any
// channel, needs no padding to sixteen, and is attention's own layout.
//
// Operations whose names end in 8 work on bytes (Tensor8): unsigned activations with a scale and a zero point a tensor, signed
// weights with a scale an output channel. Their results are the same bits on every instruction set.
//
// It leaves to zoo/engine what a network is, which operations are fused and where tensors live.
package kernels

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"zoobench/kernels/internal/cpu"
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/internal/i8"
)

// Tensor is N images of H×W pixels with C channels each: element (n, y, x, c) is Data[((n·H+y)·W+x)·Stride + c].
type Tensor struct {
	Data       []float32
	N, H, W, C int
	Stride     int // elements from one pixel to the next, at least C
}

// Pixels is the number of pixels of all images.
func (t Tensor) Pixels() int { return t.N * t.H * t.W }

// check panics unless the tensor's memory holds all its elements.
func (t Tensor) check(text string) {
	if t.N < 1 || t.H < 1 || t.W < 1 || t.C < 1 || t.Stride < t.C || len(t.Data) < (t.Pixels()-1)*t.Stride+t.C {
		panic(text)
	}
}

// widest is the columns of the widest tile.
const widest = f32.Panels * f32.NR

// tailMask[64−n:] is a mask of n columns.
var tailMask = func() (m [2 * widest]int32) {
	for i := range widest {
		m[i] = -1
	}
	return m
}()

// maskOf is a mask of the first n columns of a tile.
func maskOf(n int) *int32 { return &tailMask[widest-n] }

// mask8 is a mask of the last n%8 channels of n.
func mask8(n int) *int32 { return maskOf(n % 8) }

// infinity in float32, the clamp of layers that have none.
var infinity = float32(math.Inf(1))

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// inParallel calls f for every index below n on all processors: for packing, when there is no pool yet. work is memory that
// the calls of one processor share.
func inParallel(n int, f func(i int, work *packWork)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			var work packWork
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i, &work)
			}
		})
	}
	wait.Wait()
}

// L2Bytes is the size of a core's second-level cache, by which work is cut into blocks.
func L2Bytes() int { return cpu.L2Bytes }

// level is the instruction set in use; Use changes it for operations made afterwards.
var level = best()

func best() *f32.Level {
	all := f32.Levels()
	return all[len(all)-1]
}

// ISA is the name of the instruction set that new operations use.
func ISA() string { return level.Name }

// ISAs are the instruction sets that this machine can run, the plainest first.
func ISAs() []string {
	var names []string
	for _, l := range f32.Levels() {
		names = append(names, l.Name)
	}
	return names
}

// Use makes new operations use the instruction set of that name: one of ISAs, with the best for bytes that goes with it, or one
// of ISAs8, with the one for float32 that it goes with. It is set once, at the start of a program or a test, never while
// operations are being made elsewhere.
func Use(name string) error {
	base, bytes := name, best8(name)
	for _, l := range i8.Levels() {
		if l.Name == name {
			base, bytes = l.Base, l
		}
	}
	for _, l := range f32.Levels() {
		if l.Name == base {
			level, level8 = l, bytes
			return nil
		}
	}
	return fmt.Errorf("kernels: instruction set %q, this machine has %s", name, strings.Join(ISAs(), ", "))
}
