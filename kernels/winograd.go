package kernels

import (
	"unsafe"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// winograd is a 3×3 convolution of stride 1 by Lavin and Gray's (2015) F(4×4, 3×3): 36 products for 16 outputs of a
// tile where the direct sum takes 144. Tiles are transformed a block at a time, the block's products are 36 matrix
// products over channels, and a chunk of output channels is transformed back, with the epilogue, while it is in cache.
//
// Its sums differ from the direct ones by rounding: about ten times the direct sum's error. A NaN or an infinity
// reaches the whole tile that it is in.
type winograd struct {
	ConvShape
	level   *f32.Level
	lo, hi  float32
	most    int       // panels of a matrix tile
	packed  []float32 // by chunk of panels, point, matrix tile, block of depth, panel: (depth, 16)
	bias    []float32
	block   int  // tiles transformed at a time, at the most
	sub     int  // of which one task multiplies this many, at the most
	chunks  int  // ranges of panels, one a task
	chunk   int  // panels of the largest
	alone   bool // a worker takes a block from beginning to end
	scratch []winogradScratch

	// the run under way
	dst, src, res Tensor
	down, across  int // tiles of an image
	first, count  int // tiles of the block under way, or all
	blocks        int // of workers alone
	subs          int // parts of the block under way
}

type winogradScratch struct {
	points   []float32 // (36, block, C), points spread: the block that this worker is at, transformed
	first    int       // the block's first tile
	patch    []float32 // (6, 6, C): a tile at an edge, with its padding
	products []float32 // (36, sub, 16·chunk), points spread
	edge     []float32 // (2, 16, 16·chunk): a tile's outputs and residuals where it hangs over
	args     f32.Winograd
	act      f32.Rows
	product
}

// winogradPoints is the number of points of a transformed tile.
const winogradPoints = 36

// canWinograd reports whether a convolution has the form that winograd computes, and is of float32.
func (s *ConvShape) canWinograd() bool {
	return s.KH == 3 && s.KW == 3 && s.SH == 1 && s.SW == 1 && s.DH == 1 && s.DW == 1 && s.Groups == 1 && !s.BF16
}

// PrefersWinograd reports whether winograd is the faster way to compute a convolution. Measured against the direct sum
// on a Zen 4 core, it takes 0.35 to 0.7 of the time with 16 channels or more, but for few tiles with many weights:
// these are 36/9 times the direct sum's and come from memory each time (7×7 with 512 channels: 1.07).
func (s *ConvShape) PrefersWinograd() bool {
	tiles := (s.OH + 3) / 4 * ((s.OW + 3) / 4)
	return s.canWinograd() && s.C >= 16 && s.OC >= 16 && (tiles > 8 || s.C*s.OC <= 1<<16)
}

// newWinograd transforms and packs the weights of a convolution; workers is the size of the pool that will run it.
func newWinograd(s ConvShape, workers int) *winograd {
	s.check()
	if !s.canWinograd() {
		panic("kernels: winograd: not a 3×3 convolution of stride 1")
	}
	w := &winograd{ConvShape: s, level: level, most: panelsOf(level)}
	w.lo, w.hi = s.Act.clamp()
	panels := roundUp(s.OC, f32.NR) / f32.NR
	w.packed = Alloc(panels * winogradPoints * s.C * f32.NR)
	w.bias = make([]float32, panels*f32.NR)
	copy(w.bias, s.Bias)
	// A block's points (36·block·C) and a task's products share L2 where channels are few or L2 holds the weights, and a
	// worker takes blocks of its own from beginning to end; elsewhere a point's rows and weights do, and all workers are
	// at one block. With two workers, blocks of their own take 0.87 of the time in ResNet-18 and 0.94 in DenseNet-121.
	w.block, w.alone = 24, s.C <= 96 || 4*len(w.packed) <= L2Bytes()
	if !w.alone {
		w.block = 112
	}
	most := w.most
	if most == 1 {
		most = 4
	}
	w.cutChunks(panels, parts(panels, most))
	if tiles := (s.OH + 3) / 4 * ((s.OW + 3) / 4); !w.alone && tiles <= w.sub {
		// The tiles of an image make one part: as many chunks for each worker.
		chunks := w.chunks
		for chunks%workers != 0 && chunks < min(panels, 4*workers) {
			chunks++
		}
		w.cutChunks(panels, chunks)
	}
	inParallel(panels, w.pack)
	w.forget()
	w.Scratch = w.Scratch.orOwn()
	shared, own, patch, products, edge := w.needs()
	w.Scratch.reserve(shared, workers, own+patch+products+edge)
	w.scratch = make([]winogradScratch, workers)
	for i := range w.scratch {
		w.scratch[i].rows = make([]*float32, roundUp(w.sub, f32.MR))
	}
	return w
}

// cutChunks cuts panels into so many chunks. With wide tiles a part of a block has as many tiles as leave half of L2 to the
// weights of its chunk, all of which it reads, and to the points.
func (w *winograd) cutChunks(panels, chunks int) {
	w.chunks, w.chunk, w.sub = chunks, parts(panels, chunks), 25
	if w.most > 1 {
		w.sub = min(w.block, max(w.sub, L2Bytes()/2/(4*winogradPoints*f32.NR*w.chunk)))
	}
}

// needs is the elements of the points, all workers' or each worker's, and of a worker's patch, products and edge.
func (w *winograd) needs() (shared, own, patch, products, edge int) {
	if own = winogradPoints * w.pointStep(); !w.alone {
		shared, own = own, 0
	}
	return shared, own, 36 * w.C, winogradPoints * spread(w.sub*f32.NR*w.chunk), 2 * 16 * f32.NR * w.chunk
}

// take cuts the scratch memory up, which another operation may have used or had replaced by more.
func (w *winograd) take() {
	shared, points, patch, products, edge := w.needs()
	for i := range w.scratch {
		s, own := &w.scratch[i], w.Scratch.own[i]
		if s.points = w.Scratch.shared[:shared]; w.alone {
			s.points = cut(&own, points)
		}
		s.patch, s.products, s.edge = cut(&own, patch), cut(&own, products), cut(&own, edge)
	}
}

// pack transforms one panel's filters: U = G·g·Gᵀ.
func (w *winograd) pack(panel int, work *packWork) {
	work.read(&w.ConvShape, panel*f32.NR, min(f32.NR, w.OC-panel*f32.NR))
	first, _ := w.chunkOf(panel)
	if w.most == 1 {
		first = panel
	}
	step := w.weights(first, 1, 0) - w.weights(first, 0, 0)
	for from := 0; from < w.C; from = w.blockEnd(from) {
		block := w.blockEnd(from) - from
		at := w.weights(first, 0, from) + (panel-first)*block*f32.NR
		for c := 0; c < block; c += turnedElems / 9 {
			n := min(turnedElems/9, block-c)
			work.turn(&w.ConvShape, w.level, 9*(from+c), 9*n)
			work.transform = f32.Filters{In: &work.lines[0], Out: &w.packed[at+c*f32.NR], Step: 4 * step, N: n}
			w.level.WinogradFilters(&work.transform)
		}
	}
}

// weights is where the filters of one point begin in packed, from channel c on, a block's first, of the matrix tile that
// begins with a panel: chunks of panels follow one another, and within a chunk points, in the order in which a task reads
// them.
func (w *winograd) weights(panel, point, c int) int {
	first, panels := w.chunkOf(panel)
	tile := 1
	if w.most > 1 {
		tile = panels
	}
	return ((first*winogradPoints+point*panels+panel-first)*w.C + c*tile) * f32.NR
}

// chunkOf is the chunk that a panel is in: its first panel, and how many it has.
func (w *winograd) chunkOf(panel int) (first, panels int) {
	first, end := share(w.panels(), w.chunks, ((panel+1)*w.chunks-1)/w.panels())
	return first, end - first
}

// blockEnd is the end of the block of channels that begins with one.
func (w *winograd) blockEnd(from int) int {
	to := min(from+depthBlock, w.C)
	if w.C-to < depthBlock/2 {
		return w.C
	}
	return to
}

// WeightBytes is the memory of the transformed weights.
func (w *winograd) WeightBytes() int64 { return 4 * int64(len(w.packed)+len(w.bias)) }

// Algorithm is the name of the kernel.
func (w *winograd) Algorithm() string {
	if w.most == 1 {
		return "winograd4x3"
	}
	return "winograd4x3_" + tileName(w.chunk)
}

// Run computes dst = act(src convolved with the weights + bias + res), as Conv does.
func (w *winograd) Run(pool *par.Pool, dst, src, res Tensor) {
	w.checkTensors(dst, src, res)
	w.dst, w.src, w.res = dst, src, res
	w.down, w.across = (w.OH+3)/4, (w.OW+3)/4
	tiles := src.N * w.down * w.across
	w.take()
	if w.alone {
		// Blocks of even size, as many for each worker.
		w.blocks = roundUp(parts(tiles, w.block), pool.Size())
		w.count = tiles
		pool.Run(w.blocks, winogradBlocks{w})
	} else {
		for i, n := 0, parts(tiles, w.block); i < n; i++ {
			first, end := share(tiles, n, i)
			w.first, w.count = first, end-first
			w.subs = parts(w.count, w.sub)
			pool.Run(w.count, winogradTransforms{w})
			pool.Run(w.subs*w.chunks, winogradProducts{w})
		}
	}
	w.dst, w.src, w.res = Tensor{}, Tensor{}, Tensor{}
}

// spread is how far points of n elements are put apart: an odd number of cache lines. The 36 points of a tile are
// written and read together, and at a multiple of 4 KiB they would all want the same few lines of L1: without this,
// layers of the zoo took 1.02 to 1.16 times as long with AVX2 and 0.99 to 1.09 times with AVX-512 (Zen 4).
func spread(n int) int { return roundUp(n, f32.NR) | f32.NR }

// pointStep is how far apart the points of a block are.
func (w *winograd) pointStep() int { return spread(w.block * w.C) }

func (w *winograd) panels() int { return len(w.bias) / f32.NR }

// winogradTransforms are the tasks before a block's products: a tile each.
type winogradTransforms struct{ *winograd }

// Do transforms one tile of the block under way.
func (w winogradTransforms) Do(worker, task int) {
	s := &w.scratch[worker]
	s.first = w.first
	w.transform(s, task)
}

// winogradProducts are the tasks behind a block's transforms: a chunk of channels of some of its tiles each. Tasks of
// one worker have the same tiles, those that it transformed, where there are enough.
type winogradProducts struct{ *winograd }

// Do computes one chunk of channels of a part of the block under way.
func (w winogradProducts) Do(worker, task int) {
	s := &w.scratch[worker]
	s.first = w.first
	tiles := w.subs
	if workers := len(w.scratch); tiles%workers == 0 {
		tiles /= workers
	}
	group := task / (tiles * w.chunks)
	part := group*tiles + task%tiles
	panel, end := share(w.panels(), w.chunks, task/tiles%w.chunks)
	from, to := share(w.count, w.subs, part)
	w.products(s, from, to-from, panel, end-panel)
}

// winogradBlocks are the tasks of workers alone: a block from beginning to end each.
type winogradBlocks struct{ *winograd }

// Do transforms one block's tiles and computes all their channels.
func (w winogradBlocks) Do(worker, task int) {
	s := &w.scratch[worker]
	from, to := share(w.count, w.blocks, task)
	s.first = from
	n := to - from
	for i := range n {
		w.transform(s, i)
	}
	for chunk := 0; chunk < w.chunks && n > 0; chunk++ {
		panel, end := share(w.panels(), w.chunks, chunk)
		w.products(s, 0, n, panel, end-panel)
	}
}

// products computes n tiles of a block from sub on, for a range of panels.
func (w *winograd) products(s *winogradScratch, sub, n, panel, panels int) {
	w.multiply(s, sub, n, panel, panels)
	for i := range n {
		w.finish(s, sub+i, i, panel, panels)
	}
}

// place is where tile i of the block is: its image and its first output pixel.
func (w *winograd) place(s *winogradScratch, i int) (image, y, x int) {
	i += s.first
	return i / (w.down * w.across), i / w.across % w.down * 4, i % w.across * 4
}

// transform takes tile i of the block to its 36 points.
func (w *winograd) transform(s *winogradScratch, i int) {
	image, y, x := w.place(s, i)
	y, x = y-w.Top, x-w.Left
	pixel := func(y, x int) []float32 { return w.src.Data[((image*w.H+y)*w.W+x)*w.src.Stride:] }
	s.args = f32.Winograd{Out: &s.points[i*w.C], OutRow: 4 * w.pointStep(), C: w.C, Mask: mask8(w.C)}
	if y >= 0 && x >= 0 && y+6 <= w.H && x+6 <= w.W {
		s.args.In, s.args.InRow, s.args.InPixel = &pixel(y, x)[0], 4*w.W*w.src.Stride, 4*w.src.Stride
	} else {
		from, to := max(0, -x), min(6, w.W-x) // columns of the patch that the input has
		for dy := range 6 {
			row := s.patch[dy*6*w.C:][:6*w.C]
			if uint(y+dy) >= uint(w.H) || from >= to {
				clear(row)
				continue
			}
			clear(row[:from*w.C])
			clear(row[to*w.C:])
			if w.src.Stride == w.C {
				copy(row[from*w.C:to*w.C], pixel(y+dy, x+from))
				continue
			}
			for dx := from; dx < to; dx++ {
				copy(row[dx*w.C:][:w.C], pixel(y+dy, x+dx))
			}
		}
		s.args.In, s.args.InRow, s.args.InPixel = &s.patch[0], 4*6*w.C, 4*w.C
	}
	w.level.WinogradIn(&s.args)
}

// multiply computes the products of n tiles from sub on with a range of panels, point by point.
func (w *winograd) multiply(s *winogradScratch, sub, n, panel, panels int) {
	s.spaced(s.points[sub*w.C:], w.C, 0, n, 1)
	width, tile := panels*f32.NR, min(panels, w.most)
	for point := range winogradPoints {
		for j := 0; j < panels; j += tile {
			for from := 0; from < w.C; {
				to, flags, weights := w.blockEnd(from), 0, w.weights(panel+j, point, from)
				if from > 0 {
					flags = f32.Load
				}
				next := min(weights+(to-from)*tile*f32.NR, len(w.packed)-1)
				s.tile = f32.Tile{
					B: &w.packed[weights], C: &s.products[point*spread(w.sub*width)+j*f32.NR],
					Taps: 1, K: to - from, Offset: 4 * (point*w.pointStep() + from), LDC: 4 * width, Flags: flags,
					Prefetch: uintptr(unsafe.Pointer(&w.packed[next])), Panel: 4 * (to - from) * f32.NR,
				}
				s.run(&w.level.Gemm[tile], 0, tile*f32.NR)
				from = to
			}
		}
	}
}

// finish takes the products of tile i of the block, the k-th of its task, to outputs.
func (w *winograd) finish(s *winogradScratch, i, k, panel, panels int) {
	image, y, x := w.place(s, i)
	width, col := panels*f32.NR, panel*f32.NR
	cols := min(width, w.OC-col)
	pixel := (image*w.OH+y)*w.OW + x
	a := &s.args
	*a = f32.Winograd{In: &s.products[k*width], InRow: 4 * spread(w.sub*width), Bias: &w.bias[col], C: cols, Mask: mask8(cols),
		Lo: w.lo, Hi: w.hi}
	rows, columns := min(4, w.OH-y), min(4, w.OW-x)
	if rows == 4 && columns == 4 {
		a.Out, a.OutRow, a.OutPixel = &w.dst.Data[pixel*w.dst.Stride+col], 4*w.OW*w.dst.Stride, 4*w.dst.Stride
		if w.res.Data != nil {
			a.R, a.ResRow, a.ResPixel = &w.res.Data[pixel*w.res.Stride+col], 4*w.OW*w.res.Stride, 4*w.res.Stride
		}
		w.level.WinogradOut(a)
	} else {
		out, res := s.edge[:16*width], s.edge[16*width:]
		a.Out, a.OutRow, a.OutPixel = &out[0], 4*4*width, 4*width
		if w.res.Data != nil {
			a.R, a.ResRow, a.ResPixel = &res[0], 4*4*width, 4*width
			for p := range rows * columns {
				dy, dx := p/columns, p%columns
				copy(res[(dy*4+dx)*width:][:cols], w.res.Data[(pixel+dy*w.OW+dx)*w.res.Stride+col:])
			}
		}
		w.level.WinogradOut(a)
		for p := range rows * columns {
			dy, dx := p/columns, p%columns
			copy(w.dst.Data[(pixel+dy*w.OW+dx)*w.dst.Stride+col:][:cols], out[(dy*4+dx)*width:])
		}
	}
	if !w.Act.isClamp() {
		for dy := range rows {
			w.Act.apply(w.level, &s.act, w.dst.Data[(pixel+dy*w.OW)*w.dst.Stride+col:], w.dst.Stride, cols, columns)
		}
	}
}
