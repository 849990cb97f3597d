package engine

import (
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"time"

	"zoobench/kernels"
	"zoobench/kernels/par"
)

// A Tuner chooses the algorithms of layers by short trials: each algorithm that can compute a layer's shape runs in
// turn with the others, on the engine's own workers, and the shortest time of each counts. The table's preference stays
// unless another one is clearly faster, so that noise does not change plans.
//
// Times are remembered in a file, by CPU, build of the kernels, instruction set, workers and shape, and used by every
// later engine. The file may be shared by processes, removed at any time and hold anything: what is no trial is left
// out, and Trials.Notes says so.
type Tuner struct {
	File  string // "" to remember nothing
	CPU   string // model of the processor
	Build string // identifies the kernels

	// Before is called before trials, for what would disturb them to end; nil for nothing.
	Before func()

	// measure times one run; nil for the clock. Tests have their own.
	measure func(s *kernels.ConvShape, algorithm string, run func()) time.Duration
}

// Trials are what an engine's Tuner did.
type Trials struct {
	Shapes     int           // that the network's layers with a choice have
	Remembered int           // of which an earlier engine's times were used
	Time       time.Duration // looking up included
	Notes      []string      // what went wrong with the file
}

// add adds what further trials did.
func (t *Trials) add(more Trials) {
	t.Shapes += more.Shapes
	t.Remembered += more.Remembered
	t.Time += more.Time
	t.Notes = append(t.Notes, more.Notes...)
}

// How a trial is made. A layer of VGG-16 takes 40 ms a run, one of a small network 40 µs.
const (
	// clearly is the share of time that another algorithm must save to take the place of the table's preference.
	clearly = 0.03
	// trialMACs bounds a run: it has as many images of the batch as make this work, or one image's first rows,
	// leastRows at the least. The rows after them cost the same.
	trialMACs = 200e6
	leastRows = 12
	// A trial ends after trialTime, trialRounds or, once one algorithm is over obvious times as slow as another,
	// leastRounds, but never before leastRounds, nor before upsetRounds while the table's preference is behind: other
	// programs may have held it up. The first run of each does not count: its memory is new.
	trialTime   = 20 * time.Millisecond
	trialRounds = 15
	leastRounds = 3
	upsetRounds = 6
	obvious     = 1.25
	// Between two runs of a layer, a network reads its other weights: a trial reads as many bytes, mostBetween at the
	// most, which is beyond the caches it is meant to empty.
	mostBetween = 64 << 20
)

// choose sets the choice of every site. A network's weights take weightBytes.
func (t *Tuner) choose(open []*site, pool *par.Pool, weightBytes int64) Trials {
	start := time.Now()
	var done Trials
	file := openTimes(t.File)
	between := 0
	if mib := min(weightBytes, mostBetween) >> 20; mib > 0 {
		between = 1 << (bits.Len64(uint64(mib)) - 1) // of few sizes, for networks to share times
	}
	var rest []float32
	seen := map[string]times{}
	for _, s := range open {
		shape, images := sample(s.shape, s.images)
		key := trialKey{CPU: t.CPU, Build: t.Build, ISA: kernels.ISA(), Threads: pool.Size(), Shape: shapeText(&shape, images, between)}
		ns, known := seen[key.Shape]
		if !known {
			if ns, known = file.find(key, s.algorithms); known {
				done.Remembered++
			} else {
				if rest == nil {
					if t.Before != nil {
						t.Before()
					}
					rest = slices.Repeat([]float32{1}, between<<20/4) // a page that was never written has no memory of its own
				}
				ns = t.try(shape, s.algorithms, pool, images, rest)
				file.add(key, ns)
			}
			seen[key.Shape] = ns
		}
		s.chosen = fastest(s.algorithms, ns)
	}
	done.Shapes = len(seen)
	if done.Remembered < done.Shapes {
		file.save()
		rest = nil
		runtime.GC() // the trials' memory is free before the weights take as much
	}
	done.Notes, done.Time = file.notes, time.Since(start)
	return done
}

// fastest is the first algorithm, or the fastest other one that saves clearly more than nothing.
func fastest(algorithms []kernels.Algorithm, ns times) int {
	best := 0
	for i, a := range algorithms {
		if ns[a.Name] < ns[algorithms[best].Name] {
			best = i
		}
	}
	if float64(ns[algorithms[best].Name]) < (1-clearly)*float64(ns[algorithms[0].Name]) {
		return best
	}
	return 0
}

// sample is the part of a layer that a run computes: so many images, or the first rows of one.
func sample(s kernels.ConvShape, batch int) (part kernels.ConvShape, images int) {
	row := float64(s.C/s.Groups*s.KH*s.KW) * float64(s.OC) * float64(s.OW)
	images = min(batch, max(1, int(trialMACs/row)/s.OH))
	if rows := (max(leastRows, int(trialMACs/row)) + 3) / 4 * 4; images == 1 && rows < s.OH { // whole tiles of Winograd's
		s.H -= (s.OH - rows) * s.SH
		s.OH = rows
	}
	return s, images
}

// try times every algorithm for a shape, in turn.
func (t *Tuner) try(shape kernels.ConvShape, algorithms []kernels.Algorithm, pool *par.Pool, images int, rest []float32) times {
	shape.Filter = func(oc int, dst []float32) {
		for i := range dst {
			dst[i] = float32((oc+i)%13-6) / 16
		}
	}
	src := kernels.Tensor{N: images, H: shape.H, W: shape.W, C: shape.C, Stride: shape.C}
	dst := kernels.Tensor{N: images, H: shape.OH, W: shape.OW, C: shape.OC, Stride: shape.OC}
	src.Data, dst.Data = make([]float32, src.Pixels()*src.C), make([]float32, dst.Pixels()*dst.C)
	for i := range src.Data {
		src.Data[i] = float32(i%17-8) / 8
	}
	measure := t.measure
	if measure == nil {
		measure = func(_ *kernels.ConvShape, _ string, run func()) time.Duration {
			start := time.Now()
			run()
			return time.Since(start)
		}
	}
	var ready []kernels.Convolution
	for _, a := range algorithms {
		c := a.New(shape, pool.Size())
		c.Run(pool, dst, src, kernels.Tensor{})
		ready = append(ready, c)
	}
	between := reader{all: rest, sums: make([]float32, pool.Size())}
	least := times{}
	start := time.Now()
	for round := 1; round <= trialRounds; round++ {
		for i, a := range algorithms {
			between.run(pool)
			kernels.ReadSum(src.Data) // the layer before has just written it
			ns := measure(&shape, a.Name, func() { ready[i].Run(pool, dst, src, kernels.Tensor{}) }).Nanoseconds()
			if before, ok := least[a.Name]; !ok || ns < before {
				least[a.Name] = max(1, ns)
			}
		}
		enough := leastRounds
		if fastest(algorithms, least) != 0 {
			enough = upsetRounds
		}
		if round >= enough && (time.Since(start) > trialTime || least.spread() > obvious) {
			break
		}
	}
	return least
}

// times are the shortest runs by algorithm, in nanoseconds.
type times map[string]int64

// spread is the longest time over the shortest.
func (t times) spread() float64 {
	least, most := int64(math.MaxInt64), int64(0)
	for _, ns := range t {
		least, most = min(least, ns), max(most, ns)
	}
	return float64(most) / float64(max(1, least))
}

// reader reads memory on all workers, as the rest of a network does.
type reader struct {
	all  []float32
	sums []float32 // by worker
}

// readBytes is one task's share: assembly cannot be preempted.
const readBytes = 1 << 20

func (r *reader) run(pool *par.Pool) {
	if len(r.all) > 0 {
		pool.Run((4*len(r.all)+readBytes-1)/readBytes, r)
	}
}

// Do reads one share.
func (r *reader) Do(worker, i int) {
	const n = readBytes / 4
	r.sums[worker] += kernels.ReadSum(r.all[i*n : min((i+1)*n, len(r.all))])
}

// shapeText is a trial's conditions, as a key: the geometry, the images of a run and the MiB read between two runs.
func shapeText(s *kernels.ConvShape, images, between int) string {
	precision := ""
	if s.Int8 {
		precision = Int8 + "/"
	} else if s.BF16 && s.Groups == 1 {
		precision = BF16 + "/"
	}
	return precision + fmt.Sprintf("n=%d/in=%dx%dx%d/out=%dx%dx%d/k=%dx%d/s=%dx%d/d=%dx%d/p=%d,%d/g=%d/between=%dMiB",
		images, s.C, s.H, s.W, s.OC, s.OH, s.OW, s.KH, s.KW, s.SH, s.SW, s.DH, s.DW, s.Top, s.Left, s.Groups, between)
}
