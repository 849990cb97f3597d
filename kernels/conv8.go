package kernels

import (
	"unsafe"

	"zoobench/kernels/internal/i8"
	"zoobench/kernels/par"
)

// Conv8 is a convolution of bytes by matrix product, with exact sums. The real result,
//
//	act(In.Scale·Scale[oc]·(Bias[oc] + Σ (src − In.Zero)·Weight) + Res.Scale·(res − Res.Zero)),
//
// becomes a byte by a rounding at each of a few steps (kernels/internal/i8), the same on every instruction set. Padding is In.Zero.
type Conv8 struct {
	Conv8Shape
	level   *i8.Level
	blocks  bool      // by blocks, not by tiles of rows that are found by address
	padTo   int       // bytes of a tap, a multiple of four; of all taps together with blocks
	packed  []int8    // by panel, (taps, padTo/4, 16, 4) each
	bias    []int32   // by panel
	scale   []float32 // by panel
	chunks  int       // of a block's depth
	chunk   int       // bytes of each
	panels  []panel8
	most    int // panels of a tile
	finish  finish8
	zeros   []uint8 // what padding reads
	merge   bool    // a whole row of the window is one run: the input is copied with its padding
	padded  []uint8 // that copy
	last    []uint8 // a copy of the source's last pixels with room behind each
	scratch []conv8Scratch
	space   *Scratch // has copies of windows for blocks

	// the run under way
	dst, src, res Tensor8
	dstF, resF    Tensor
	rowTasks      int // blocks of rows, for each range of panels
	ranges        int // of panels
}

// panel8 is columns of one group that a tile takes: one to four panels of sixteen.
type panel8 struct {
	group  int
	col    int // first output channel
	cols   int
	panels int
	first  int // panel of all
}

type conv8Scratch struct {
	rowTable[uint8]
	tile i8.Tile
	left blockProduct
	rows i8.Rows
	// What a panel with columns that do not exist reads and writes where tiles are whole: rows of sixteen columns.
	out, res []float32
}

// NewConv8 packs the weights of a convolution; workers is the size of the pool that will run it. It panics where a sum could
// be beyond 32 bits.
func NewConv8(s Conv8Shape, workers int) *Conv8 {
	s.check()
	c := &Conv8{Conv8Shape: s, level: level8, most: i8.Panels}
	for c.level.Gemm[c.most][i8.MR] == nil {
		c.most--
	}
	c.finish = s.finish()
	c.merge = s.mergesRows()
	taps, run := s.tapsAndRun()
	c.padTo = roundUp(run, i8.Depth)
	if c.blocks = s.choice() == gemm8Blocks; c.blocks {
		c.most, c.merge, taps = i8.BlockPanels, false, 1
		c.chunks, c.chunk = i8.Chunks(s.depth())
		c.padTo = c.chunks * c.chunk
	}
	c.cutColumns()
	c.pack(taps)
	c.zeros = make([]uint8, max(c.padTo, s.C+i8.Depth))
	fill(c.zeros, s.In.Zero)
	c.last = make([]uint8, i8.Depth*(s.C+i8.Depth))
	c.scratch = make([]conv8Scratch, workers)
	c.space = s.Scratch.orOwn()
	c.Weight, c.Scale, c.Bias = nil, nil, nil
	c.forget()
	if c.blocks {
		return c
	}
	for i := range c.scratch {
		rows := roundUp(rowBlock+rowBlock/3, i8.MR)
		c.scratch[i].rowTable.rows = make([]*uint8, rows*taps)
		if c.level.Whole && s.OC/s.Groups%i8.NR != 0 {
			c.scratch[i].out, c.scratch[i].res = make([]float32, rows*i8.NR), make([]float32, rows*i8.NR)
		}
	}
	return c
}

// The algorithms of a Conv8.
const (
	gemm8Blocks = "gemm8_amx"
	gemm8Tiles  = "gemm8"
)

// cutColumns cuts each group's output channels into panels.
func (c *Conv8) cutColumns() {
	columns, all := c.OC/c.Groups, 0
	for g := range c.Groups {
		n := parts(columns, i8.NR)
		for i := range parts(n, c.most) {
			first, count := cutPanels(n, c.most, i)
			col := first * i8.NR
			c.panels = append(c.panels, panel8{group: g, col: g*columns + col, cols: min(count*i8.NR, columns-col), panels: count, first: all})
			all += count
		}
	}
	c.bias, c.scale = make([]int32, all*i8.NR), make([]float32, all*i8.NR)
}

// panelBytes is the size of a panel of sixteen columns.
func (c *Conv8) panelBytes(taps int) int { return taps * c.padTo * i8.NR }

// pack copies the weights from (OC, C/Groups, KH, KW) to their panels.
func (c *Conv8) pack(taps int) {
	size, window := c.panelBytes(taps), c.taps()
	c.packed = bytesOf[int8](len(c.bias) / i8.NR * size)
	inParallel(len(c.panels), func(i int, _ *packWork) {
		p := c.panels[i]
		for j := range p.cols {
			oc, column := p.col+j, p.first*i8.NR+j
			c.bias[column], c.scale[column] = c.folded(oc, c.less()), c.multiplier(oc)
			out := c.packed[column/i8.NR*size:]
			for k, w := range c.Weight[oc*c.depth():][:c.depth()] {
				ic, tap := k/window, k%window
				if c.blocks {
					ic, tap = tap*c.C+ic, 0
				} else if c.merge { // a row of the window, pixel by pixel
					ic, tap = tap%c.KW*c.C+ic, tap/c.KW
				}
				step := (tap*c.padTo + ic) / i8.Depth
				out[step*i8.NR*i8.Depth+c.place(column%i8.NR, ic%i8.Depth)] = w
			}
		}
	})
}

// less is what the product takes from every byte of the left matrix.
func (c *Conv8) less() int32 {
	if c.blocks {
		return 0
	}
	return c.level.Less
}

// place is where a panel's step has an element of a column.
func (c *Conv8) place(column, k int) int {
	if c.level.Pairs && !c.blocks {
		return k/2*2*i8.NR + 2*column + k%2
	}
	return column*i8.Depth + k
}

// WeightBytes is the memory of the packed weights.
func (c *Conv8) WeightBytes() int64 { return int64(len(c.packed) + 4*len(c.bias) + 4*len(c.scale)) }

// Algorithm is the name of the kernel.
func (c *Conv8) Algorithm() string {
	if c.blocks {
		return "gemm8_" + blockName
	}
	most := 1
	for _, p := range c.panels {
		most = max(most, p.panels)
	}
	name := "gemm8_" + tileName(most)
	if c.merge {
		name += "_rows"
	}
	return name
}

// Run computes dst = act(src * weights + bias + res) in bytes; res is nil (its Data) for none and must not overlap dst.
func (c *Conv8) Run(pool *par.Pool, dst, src, res Tensor8) {
	if c.Out.Scale == 0 {
		panic("kernels: conv8: bytes of an operation whose output is float32")
	}
	dst.check(c.Out, "kernels: conv8: short destination", "kernels: conv8: a destination of another scale")
	if res.Data != nil {
		res.check(c.Res, "kernels: conv8: short residual", "kernels: conv8: a residual of another scale")
		if c.Res.Scale == 0 || res.C != dst.C || res.Pixels() != dst.Pixels() {
			panic("kernels: conv8: residual of another shape")
		}
	}
	c.dst, c.res = dst, res
	c.start(pool, src, Tensor{N: dst.N, H: dst.H, W: dst.W, C: dst.C})
	c.dst, c.res = Tensor8{}, Tensor8{}
}

// RunFloat computes the same in float32, for an operation without a scale of its output.
func (c *Conv8) RunFloat(pool *par.Pool, dst Tensor, src Tensor8, res Tensor) {
	if c.Out.Scale != 0 {
		panic("kernels: conv8: float32 of an operation whose output is bytes")
	}
	dst.check("kernels: conv8: short destination")
	if res.Data != nil {
		res.check("kernels: conv8: short residual")
		if res.C != dst.C || res.Pixels() != dst.Pixels() {
			panic("kernels: conv8: residual of another shape")
		}
	}
	c.dstF, c.resF = dst, res
	c.start(pool, src, dst)
	c.dstF, c.resF = Tensor{}, Tensor{}
}

// start runs the tasks for a destination of dst's shape.
func (c *Conv8) start(pool *par.Pool, src Tensor8, dst Tensor) {
	src.check(c.In, "kernels: conv8: short source", "kernels: conv8: a source of another scale")
	if src.C != c.C || src.H != c.H || src.W != c.W || dst.C != c.OC || dst.H != c.OH || dst.W != c.OW || dst.N != src.N {
		panic("kernels: conv8: tensors of another shape")
	}
	c.src = src
	c.prepare(pool)
	c.rowTasks, c.ranges = split(dst.Pixels(), len(c.panels), pool.Size(), c.most > 1)
	if c.blocks {
		left := c.left()
		c.space.reserve(0, pool.Size(), left.room(dst.Pixels(), c.rowTasks))
	}
	pool.Run(c.rowTasks*c.ranges, conv8Blocks{c})
	c.src = Tensor8{}
}

// prepare makes copies of the source: all of it with padding, or its last pixels.
func (c *Conv8) prepare(pool *par.Pool) {
	if c.blocks {
		return
	}
	if !c.merge {
		c.copyLast()
		return
	}
	width, height := c.paddedSize()
	if need := c.src.N*height*width*c.C + i8.Depth; len(c.padded) < need { // a row of the window is rounded up to whole steps
		c.padded = make([]uint8, need)
		fill(c.padded, c.In.Zero)
	}
	pool.Run(c.src.N*c.H, conv8Copies{c})
}

// conv8Copies are the tasks of the padded copy: a row of the source each.
type conv8Copies struct{ *Conv8 }

// Do copies one row behind its left padding, which is there from the start.
func (c conv8Copies) Do(_, row int) {
	copyPadded(&c.ConvShape, c.padded, c.src.Data, c.src.Stride, row)
}

// lastPixels is how many of the source's pixels are so near its end that their last step would read beyond it.
func (c *Conv8) lastPixels() int {
	beyond := c.padTo - c.C/c.Groups // bytes behind a pixel's
	if beyond <= 0 {
		return 0
	}
	return min(c.src.Pixels(), 1+(beyond-1)/c.src.Stride)
}

// copyLast copies those pixels to where reading on does no harm.
func (c *Conv8) copyLast() {
	n, pixels := c.lastPixels(), c.src.Pixels()
	for i := range n {
		copy(c.last[i*(c.C+i8.Depth):][:c.C], c.src.Data[(pixels-n+i)*c.src.Stride:])
	}
}

// conv8Blocks are the tasks of a product: a block of output pixels by a range of panels each.
type conv8Blocks struct{ *Conv8 }

// Do computes one block.
func (c conv8Blocks) Do(worker, task int) {
	s := &c.scratch[worker]
	row, end := shareRows(c.src.N*c.OH*c.OW, c.rowTasks, task/c.ranges)
	first, last := share(len(c.panels), c.ranges, task%c.ranges)
	panels := c.panels[first:last]
	if c.blocks {
		left := c.left()
		left.find(&s.left, c.space.own[worker], row, end-row)
		c.multiplyBlocks(s, row, panels)
	} else if c.merge {
		width, _ := c.paddedSize()
		at := row
		for from, n := range c.paddedRuns(row, end-row) {
			s.spaced(c.padded[from:], c.SW*c.C, c.DH*width*c.C, n, c.KH)
			c.multiply(s, at, panels)
			at += n
		}
	} else {
		c.windowRows(s, row, end-row)
		c.multiply(s, row, panels)
	}
	if c.finish.table != nil {
		from, to := panels[0].col, panels[len(panels)-1].col+panels[len(panels)-1].cols
		c.finish.apply(c.level, &s.rows, c.dst.Data[row*c.dst.Stride+from:], c.dst.Stride, to-from, end-row)
	}
}

// windowRows fills in the address of every row's input for every position of the window.
func (c *Conv8) windowRows(s *conv8Scratch, row, n int) {
	data, stride := c.src.Data, c.src.Stride
	last := c.lastPixels()
	if last == 0 && c.samePixels() {
		s.spaced(data[row*stride:], stride, 0, n, 1)
		return
	}
	fillRows(&c.ConvShape, &s.rowTable, data, stride, row, n, &c.zeros[0])
	if last == 0 {
		return
	}
	first := c.src.Pixels() - last
	for i, p := range s.rowTable.rows[:(s.cut.big+s.cut.small)*s.taps*i8.MR] {
		if at := uintptr(unsafe.Pointer(p)) - uintptr(unsafe.Pointer(&data[first*stride])); p != nil && at <= uintptr((last-1)*stride) {
			s.rowTable.rows[i] = &c.last[int(at)/stride*(c.C+i8.Depth)]
		}
	}
}

// multiply runs panels over the rows that s has found, which are those of the output from at on.
func (c *Conv8) multiply(s *conv8Scratch, at int, panels []panel8) {
	size := c.panelBytes(s.taps)
	for _, p := range panels {
		t := &s.tile
		*t = i8.Tile{
			B: &c.packed[p.first*size], Bias: &c.bias[p.first*i8.NR], Scale: &c.scale[p.first*i8.NR], Columns: p.cols,
			Taps: s.taps, K: c.padTo, Offset: p.group * c.C / c.Groups, Panel: size, Finish: c.finish.Finish,
			Prefetch: uintptr(unsafe.Pointer(&c.packed[min((p.first+p.panels)*size, len(c.packed)-1)])),
		}
		t.C, t.LDC, t.R, t.LDR = c.output(at, p.col)
		if c.level.Whole && p.cols%i8.NR != 0 {
			s.runWhole(&c.level.Gemm[p.panels], p.panels, c.outBytes())
		} else {
			s.run(&c.level.Gemm[p.panels], p.panels)
		}
	}
}

// output is where the output from row at and column col on is, and its residual, and the bytes from a row of each to the next.
func (c *Conv8) output(at, col int) (out unsafe.Pointer, ldo int, res unsafe.Pointer, ldr int) {
	if c.dstF.Data != nil {
		out, ldo = unsafe.Pointer(&c.dstF.Data[at*c.dstF.Stride+col]), 4*c.dstF.Stride
	} else {
		out, ldo = unsafe.Pointer(&c.dst.Data[at*c.dst.Stride+col]), c.dst.Stride
	}
	if c.resF.Data != nil {
		res, ldr = unsafe.Pointer(&c.resF.Data[at*c.resF.Stride+col]), 4*c.resF.Stride
	} else if c.res.Data != nil {
		res, ldr = unsafe.Pointer(&c.res.Data[at*c.res.Stride+col]), c.res.Stride
	}
	return out, ldo, res, ldr
}

// left is where the rows for blocks are.
func (c *Conv8) left() blockSource[uint8] {
	return blockSource[uint8]{ConvShape: &c.ConvShape, depth: c.padTo, data: c.src.Data, stride: c.src.Stride, padding: c.zeros}
}

// multiplyBlocks runs panels over the rows that s.left has found, which are those of the output from at on.
func (c *Conv8) multiplyBlocks(s *conv8Scratch, at int, panels []panel8) {
	size, t := c.panelBytes(1), &s.left.block
	a, lda := t.A, t.LDA
	for _, p := range panels {
		*t = i8.Block{
			A: a, LDA: lda, B: unsafe.Pointer(&c.packed[p.first*size]), Panel: size, Columns: p.cols,
			Bias: unsafe.Pointer(&c.bias[p.first*i8.NR]), Scale: &c.scale[p.first*i8.NR],
			Chunks: c.chunks, Chunk: c.chunk, Finish: c.finish.Finish,
			Prefetch: uintptr(unsafe.Pointer(&c.packed[min((p.first+p.panels)*size, len(c.packed)-1)])),
		}
		t.C, t.LDC, t.R, t.LDR = c.output(at, p.col)
		s.left.run(&c.level.Blocks, p.panels)
	}
}

// outBytes is the size of an element of the output.
func (c *Conv8) outBytes() int {
	if c.Out.Scale == 0 {
		return 4
	}
	return 1
}

// runWhole is run of a panel of whose columns, of so many bytes each, some do not exist: by way of memory that has them all.
func (s *conv8Scratch) runWhole(gemm *i8.Tiles, panels, size int) {
	t, n := &s.tile, s.cut.big*s.cut.rows+s.cut.small*(s.cut.rows-1)
	c, ldc, width := t.C, t.LDC, panels*i8.NR*size
	if t.R != nil {
		for i := range n {
			copyBytes(unsafe.Add(unsafe.Pointer(&s.res[0]), i*width), unsafe.Add(t.R, i*t.LDR), t.Columns*size)
		}
		t.R, t.LDR = unsafe.Pointer(&s.res[0]), width
	}
	t.C, t.LDC = unsafe.Pointer(&s.out[0]), width
	s.run(gemm, panels)
	for i := range n {
		copyBytes(unsafe.Add(c, i*ldc), unsafe.Add(unsafe.Pointer(&s.out[0]), i*width), t.Columns*size)
	}
}

// copyBytes copies n bytes.
func copyBytes(to, from unsafe.Pointer, n int) {
	copy(unsafe.Slice((*uint8)(to), n), unsafe.Slice((*uint8)(from), n))
}

// run multiplies all rows by the panels that s.tile describes.
func (s *conv8Scratch) run(gemm *i8.Tiles, panels int) {
	cut, t := &s.cut, &s.tile
	t.A, t.Step, t.TilesLeft = &s.rowTable.rows[0], 8*s.taps*i8.MR, cut.big
	t.Ahead = parts(64*panels, cut.big+cut.small)
	if s.across > 0 {
		t.Step, t.Move = 0, cut.rows*s.across
	}
	gemm[cut.rows](t)
	if cut.small == 0 {
		return
	}
	t.A = (**uint8)(unsafe.Add(unsafe.Pointer(t.A), cut.big*t.Step))
	t.C = unsafe.Add(t.C, cut.big*cut.rows*t.LDC)
	if t.R != nil {
		t.R = unsafe.Add(t.R, cut.big*cut.rows*t.LDR)
	}
	t.TilesLeft, t.Move = cut.small, (cut.rows-1)*s.across
	gemm[cut.rows-1](t)
}
