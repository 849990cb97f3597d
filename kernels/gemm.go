package kernels

import (
	"unsafe"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// Block sizes of the matrix product, in elements. A panel of depthBlock×16 weights (16 KiB) stays in L1 while rowBlock
// rows of input (192 KiB at full depth) stay in L2. A block's sum joins the others' when it is done, so that shorter
// blocks lose fewer digits: over the goldens of the mobile networks the largest error is 2.2e-5 of the largest logit
// with blocks of 256 and 4.5e-6 with blocks of 64.
const (
	depthBlock = 256
	exactBlock = 64
	rowBlock   = 192
	leastRows  = 24 // of a block that is cut off for another worker
)

// Conv is a convolution by matrix product: every output pixel is a row, its window the row's elements, found by
// address. A linear layer is a 1×1 convolution of images of one pixel.
type Conv struct {
	ConvShape
	level   *f32.Level
	block   int // depth of a block
	width   int // columns of a group's panels
	most    int // panels of sixteen columns of a tile
	lo, hi  float32
	packed  []float32 // by group, block of depth, tile of columns, sixteen of these, depth: in the order in which it is read
	blocks  []depthRange
	bias    []float32 // OC, each group's rounded up to its panels
	panels  []panel
	zeros   []float32 // what padding reads
	merge   bool      // a whole row of the window is one run: the input is copied with its padding
	padded  []float32 // that copy
	scratch []convScratch

	// the run under way
	dst, src, res Tensor
	rowTasks      int // blocks of rows, for each range of panels
	ranges        int // of panels
}

// panel is columns of one group that a tile takes: one to four panels of sixteen, packed one behind the other.
type panel struct {
	group int
	col   int // first output channel
	cols  int
	nr    int // a multiple of 16, or 8 where no more are needed and tiles take one panel
	left  int // columns of the group's panels before it
	bias  int // offset in bias
}

// depthRange is a block of depth: several whole taps, or elements [from, to) of one.
type depthRange struct {
	tap, taps int
	from, to  int
	start     int // depth before the block
}

// depth is the number of elements of a block.
func (d depthRange) depth() int { return d.taps * (d.to - d.from) }

type convScratch struct {
	product
	act f32.Rows
}

// A stripe is rows of the product: n pixels of dst and res from at on, the first of which has window row of src.
type stripe struct {
	dst, src, res Tensor
	at, row, n    int
}

// mergeBelow is the depth of a row of the window under which rows are merged: three channels of a 7×7 stem make runs of
// 21 instead of seven runs of 3.
const mergeBelow = 8

// mergesRows reports whether a whole row of the window is to be one run.
func (s *ConvShape) mergesRows() bool {
	return s.Groups == 1 && s.C < mergeBelow && s.KW > 1 && s.DW == 1 && s.Left >= 0
}

// NewConv packs the weights of a convolution; workers is the size of the pool that will run it.
func NewConv(s ConvShape, workers int) *Conv {
	s.check()
	return newConv(s, workers, level)
}

// newConv packs the weights for a level's tiles.
func newConv(s ConvShape, workers int, level *f32.Level) *Conv {
	c := &Conv{ConvShape: s, level: level, block: depthBlock, most: panelsOf(level)}
	if s.Exact {
		c.block = exactBlock
	}
	c.lo, c.hi = s.Act.clamp()
	c.merge = s.mergesRows()
	c.cutColumns()
	c.cutDepth()
	c.packed = Alloc(s.Groups * c.width * s.depth())
	inParallel(len(c.panels), func(i int, work *packWork) { c.pack(c.panels[i], work) })
	taps, run := c.tapsAndRun()
	c.zeros = make([]float32, max(run, s.C))
	c.scratch = make([]convScratch, workers)
	for i := range c.scratch {
		c.scratch[i].rows = make([]*float32, roundUp(rowBlock+rowBlock/3, f32.MR)*taps)
	}
	c.forget()
	return c
}

// cutColumns cuts each group's output channels into panels.
func (c *Conv) cutColumns() {
	columns := c.OC / c.Groups
	for g := range c.Groups {
		left, n := 0, parts(columns, f32.NR)
		for i := range parts(n, c.most) {
			first, count := cutPanels(n, c.most, i)
			col, nr := first*f32.NR, count*f32.NR
			p := panel{group: g, col: g*columns + col, cols: min(nr, columns-col), nr: nr, left: left, bias: len(c.bias)}
			if p.cols <= 8 && c.most == 1 {
				p.nr = 8
			}
			c.panels = append(c.panels, p)
			c.bias = append(c.bias, make([]float32, p.nr)...)
			left += p.nr
		}
		c.width = left
	}
}

// tapsAndRun is how many runs of how many elements make up a row: a window's position each, or its whole row.
func (s *ConvShape) tapsAndRun() (taps, run int) {
	if s.mergesRows() {
		return s.KH, s.KW * s.C
	}
	return s.taps(), s.C / s.Groups
}

// cutDepth cuts a row's elements into blocks of about c.block.
func (c *Conv) cutDepth() {
	taps, run := c.tapsAndRun()
	for tap := 0; tap < taps; {
		d := depthRange{tap: tap, taps: min(max(1, c.block/run), taps-tap), start: tap * run}
		for d.from < run {
			d.to = run
			if run-d.from > c.block+c.block/2 {
				d.to = d.from + c.block
			}
			d.start = tap*run + d.from
			c.blocks = append(c.blocks, d)
			d.from = d.to
		}
		tap += d.taps
	}
}

// weights is where a panel's block of depth begins in packed.
func (c *Conv) weights(p panel, d depthRange) int {
	return p.group*c.width*c.C/c.Groups*c.taps() + d.start*c.width + d.depth()*p.left
}

// pack copies one panel's weights from (OC, C/Groups, KH, KW) to its blocks, (KH, KW, C/Groups, nr) within each: sixteen
// filters side by side, so that a line of the panel is written once.
func (c *Conv) pack(p panel, work *packWork) {
	gc, taps, depth, width := c.C/c.Groups, c.taps(), c.depth(), min(p.nr, f32.NR)
	at := make([]int, depth) // where each step of depth lies in packed
	for first := 0; first < p.cols; first += width {
		for _, d := range c.blocks {
			for k := range d.depth() {
				at[d.start+k] = c.weights(p, d) + first*d.depth() + k*width
			}
		}
		columns := min(width, p.cols-first)
		work.read(&c.ConvShape, p.col+first, columns)
		for from := 0; from < depth; from += turnedElems {
			n := min(turnedElems, depth-from)
			work.turn(&c.ConvShape, c.level, from, n)
			ic, tap := from/taps, from%taps
			for k := range n {
				copy(c.packed[at[tap*gc+ic]:][:columns], work.lines[k*f32.NR:])
				if tap++; tap == taps {
					ic, tap = ic+1, 0
				}
			}
		}
	}
	if c.Bias != nil {
		copy(c.bias[p.bias:], c.Bias[p.col:p.col+p.cols])
	}
}

// WeightBytes is the memory of the packed weights.
func (c *Conv) WeightBytes() int64 { return 4 * int64(len(c.packed)+len(c.bias)) }

// Algorithm is the name of what NewConv chose.
func (c *Conv) Algorithm() string {
	most := 1
	for _, p := range c.panels {
		most = max(most, p.nr/f32.NR)
	}
	name := "gemm" + tileName(most)
	if c.merge {
		name += "_rows"
	}
	return name
}

// Run computes dst = act(src * weights + bias + res); res is nil (its Data) for none and must not overlap dst.
func (c *Conv) Run(pool *par.Pool, dst, src, res Tensor) {
	c.checkTensors(dst, src, res)
	c.prepare(pool, src)
	c.dst, c.src, c.res = dst, src, res
	c.rowTasks, c.ranges = split(dst.Pixels(), len(c.panels), pool.Size(), c.most > 1)
	pool.Run(c.rowTasks*c.ranges, convBlocks{c})
	c.dst, c.src, c.res = Tensor{}, Tensor{}, Tensor{}
}

// prepare does what the rows of src's windows need before any of them is multiplied.
func (c *Conv) prepare(pool *par.Pool, src Tensor) {
	if !c.merge {
		return
	}
	width, height := c.paddedSize()
	if need := src.N * height * width * c.C; len(c.padded) < need {
		c.padded = Alloc(need)
	}
	c.src = src
	pool.Run(src.N*c.H, convCopies{c})
	c.src = Tensor{}
}

// split cuts the output into tasks: blocks of rows of even size, and ranges of columns where rows alone do not
// keep the workers busy; as many for each worker, if that can be. Few is whether panels are few and wide.
func split(m, panels, workers int, few bool) (rowTasks, ranges int) {
	blocks, ranges := parts(m, rowBlock), 1
	if m <= rowBlock+rowBlock/3 {
		blocks = 1 // weights read twice cost more than rows that leave L2
	}
	if want := 4 * workers; workers > 1 && blocks < want {
		ranges = min(panels, parts(want, blocks))
		if few { // so that rows must do
			blocks = max(blocks, min(parts(want, ranges), m/leastRows))
		}
	}
	for blocks == 1 && ranges%workers != 0 && ranges < panels {
		ranges++
	}
	for blocks > 1 && blocks*ranges%workers != 0 {
		blocks++
	}
	return min(blocks, parts(m, f32.MR)), ranges
}

// convBlocks are the tasks of a product: a block of output pixels by a range of panels each.
type convBlocks struct{ *Conv }

// Do computes one block.
func (c convBlocks) Do(worker, task int) {
	row, end := shareRows(c.dst.Pixels(), c.rowTasks, task/c.ranges)
	first, last := share(len(c.panels), c.ranges, task%c.ranges)
	c.compute(worker, &stripe{dst: c.dst, src: c.src, res: c.res, at: row, row: row, n: end - row}, first, last)
}

// computeRows computes a stripe of any height, all panels of it, a block of rows after the other.
func (c *Conv) computeRows(worker int, all stripe) {
	pieces := parts(all.n, rowBlock)
	for left := all.n; left > 0; pieces-- {
		all.n = min(left, roundUp(parts(left, pieces), f32.MR))
		c.compute(worker, &all, 0, len(c.panels))
		all.at, all.row, left = all.at+all.n, all.row+all.n, left-all.n
	}
}

// compute computes panels [first, last) of a stripe, which has a block's rows at the most.
func (c *Conv) compute(worker int, r *stripe, first, last int) {
	s := &c.scratch[worker]
	from, to := c.panels[first].col, c.panels[last-1].col+c.panels[last-1].cols
	if c.merge {
		c.mergedRows(s, r, c.panels[first:last])
	} else {
		c.windowRows(s, r)
		for group := c.panels[first].group; first < last; group++ {
			end := first
			for end < last && c.panels[end].group == group {
				end++
			}
			c.multiply(s, r, c.panels[first:end])
			first = end
		}
	}
	if !c.Act.isClamp() {
		c.Act.apply(c.level, &s.act, r.dst.Data[r.at*r.dst.Stride+from:], r.dst.Stride, to-from, r.n)
	}
}

// multiply runs the panels over a stripe whose rows s has found, one block of depth after another, so that a panel's
// block stays in L1 for all rows.
func (c *Conv) multiply(s *convScratch, r *stripe, panels []panel) {
	for i, d := range c.blocks {
		flags := 0
		if i > 0 {
			flags |= f32.Load
		}
		if i == len(c.blocks)-1 {
			flags |= f32.Final
		}
		for _, p := range panels {
			c.panelRows(s, r, p, d, flags)
		}
	}
}

// panelRows computes one panel's block over a stripe.
func (c *Conv) panelRows(s *convScratch, r *stripe, p panel, d depthRange, flags int) {
	gemm := &c.level.Gemm[p.nr/f32.NR]
	if p.nr == 8 {
		gemm = &c.level.Gemm8
	}
	weights := c.weights(p, d)
	next := min(weights+d.depth()*p.nr, len(c.packed)-1)
	t := &s.tile
	*t = f32.Tile{
		B: &c.packed[weights], C: &r.dst.Data[r.at*r.dst.Stride+p.col], Bias: &c.bias[p.bias],
		Taps: d.taps, K: d.to - d.from, Offset: 4 * (p.group*c.C/c.Groups + d.from), LDC: 4 * r.dst.Stride,
		Flags: flags, Lo: c.lo, Hi: c.hi, Prefetch: uintptr(unsafe.Pointer(&c.packed[next])),
		Panel: 4 * f32.NR * d.depth(),
	}
	if r.res.Data != nil {
		t.R, t.LDR = &r.res.Data[r.at*r.res.Stride+p.col], 4*r.res.Stride
	}
	if p.cols < p.nr {
		t.Mask = maskOf(p.cols)
	}
	s.run(gemm, d.tap, p.nr)
}

// windowRows fills in the address of every row's input for every position of the window; padding reads zeros. A group's
// channels lie a fixed distance behind.
func (c *Conv) windowRows(s *convScratch, r *stripe) {
	if data, stride := r.src.Data, r.src.Stride; c.samePixels() {
		s.spaced(data[r.row*stride:], stride, 0, r.n, 1)
	} else {
		fillRows(&c.ConvShape, &s.rowTable, data, stride, r.row, r.n, &c.zeros[0])
	}
}

// mergedRows multiplies panels over the padded copy, with a whole row of the window as one tap: a row of the output after the
// other, whose windows lie the same distance apart.
func (c *Conv) mergedRows(s *convScratch, all *stripe, panels []panel) {
	width, _ := c.paddedSize()
	r := *all
	for at, n := range c.paddedRuns(all.row, all.n) {
		r.n = n
		s.spaced(c.padded[at:], c.SW*c.C, c.DH*width*c.C, n, c.KH)
		c.multiply(s, &r, panels)
		r.at += n
	}
}

// convCopies are the tasks of the padded copy: a row of the source each.
type convCopies struct{ *Conv }

// Do copies one row behind its left padding; the padding itself stays zero from the start.
func (c convCopies) Do(_, row int) {
	copyPadded(&c.ConvShape, c.padded, c.src.Data, c.src.Stride, row)
}
