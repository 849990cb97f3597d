package kernels

import (
	"unsafe"

	"zoobench/kernels/internal/bf16"
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/internal/i8"
	"zoobench/kernels/par"
)

// BF16Blocks is a BF16 by products of blocks, which add up in another order: of each chunk of up to sixteen pairs, the first
// numbers' products and the second ones' by themselves, then both sums together, then to the sum so far. So its bits are not a
// BF16's, but the same on every machine and with any number of workers.
type BF16Blocks struct {
	ConvShape // of pairs
	rounding
	blocks  i8.Blocks
	level   *f32.Level
	chunks  int
	chunk   int       // bytes of each
	packed  []float32 // by panel, (chunks·chunk/4, 16) pairs each
	bias    []float32 // by panel
	panels  int
	zeros   []float32 // what padding reads
	scratch []bf16Scratch

	dst, pairs, res  Tensor // the run under way
	rowTasks, ranges int
}

type bf16Scratch struct {
	left blockProduct
	act  f32.Rows
}

// NewBF16Blocks rounds and packs the weights of a convolution in one group; workers is the size of the pool that will run it.
func NewBF16Blocks(s ConvShape, workers int) *BF16Blocks {
	s.check()
	if s.Groups != 1 {
		panic("kernels: bf16: more than one group")
	}
	b := &BF16Blocks{
		ConvShape: s.inPairs(), rounding: newRounding(&s, workers), blocks: bf16.Blocks(), level: level,
		panels: parts(s.OC, i8.NR), scratch: make([]bf16Scratch, workers),
	}
	b.chunks, b.chunk = i8.Chunks(4 * b.depth())
	b.packed, b.bias = Alloc(b.panels*b.panel()), make([]float32, b.panels*i8.NR)
	copy(b.bias, s.Bias)
	inParallel(b.panels, func(i int, work *packWork) {
		columns, panel := min(i8.NR, s.OC-i*i8.NR), b.packed[i*b.panel():]
		work.read(&b.ConvShape, i*i8.NR, columns)
		for j := range columns {
			for k, pair := range work.filters[j*b.depth():][:b.depth()] { // by channel, then by position of the window
				panel[(k%b.taps()*b.C+k/b.taps())*i8.NR+j] = pair
			}
		}
	})
	b.zeros = make([]float32, b.depth())
	b.forget()
	return b
}

// panel is the elements of a panel of sixteen columns.
func (b *BF16Blocks) panel() int { return b.chunks * b.chunk / 4 * i8.NR }

// WeightBytes is the memory of the packed weights.
func (b *BF16Blocks) WeightBytes() int64 { return 4 * int64(len(b.packed)+len(b.bias)) }

// Algorithm is the name of what computes.
func (b *BF16Blocks) Algorithm() string { return "bf16_" + blockName }

// Run computes dst = act(src * weights + bias + res); res is nil (its Data) for none and must not overlap dst.
func (b *BF16Blocks) Run(pool *par.Pool, dst, src, res Tensor) {
	b.pairs = b.round(pool, src)
	b.checkTensors(dst, b.pairs, res)
	b.dst, b.res = dst, res
	b.rowTasks, b.ranges = split(dst.Pixels(), parts(b.panels, i8.BlockPanels), pool.Size(), true)
	left := b.left()
	b.space.reserve(0, pool.Size(), left.room(dst.Pixels(), b.rowTasks))
	pool.Run(b.rowTasks*b.ranges, bf16Blocks{b})
	b.dst, b.pairs, b.res = Tensor{}, Tensor{}, Tensor{}
}

// left is where the rows are.
func (b *BF16Blocks) left() blockSource[float32] {
	return blockSource[float32]{ConvShape: &b.ConvShape, depth: b.chunks * b.chunk / 4, data: b.pairs.Data, stride: b.pairs.Stride,
		padding: b.zeros}
}

// bf16Blocks are the tasks of the product: a block of output pixels by a range of pairs of panels each.
type bf16Blocks struct{ *BF16Blocks }

// Do computes one block.
func (b bf16Blocks) Do(worker, task int) {
	s := &b.scratch[worker]
	row, end := shareRows(b.dst.Pixels(), b.rowTasks, task/b.ranges)
	n := parts(b.panels, i8.BlockPanels)
	first, last := share(n, b.ranges, task%b.ranges)
	left := b.left()
	left.find(&s.left, b.space.own[worker], row, end-row)
	t, size := &s.left.block, b.panel()
	a, lda := t.A, t.LDA
	for i := first; i < last; i++ {
		panel, count := cutPanels(b.panels, i8.BlockPanels, i)
		col := panel * i8.NR
		*t = i8.Block{
			A: a, LDA: lda, B: unsafe.Pointer(&b.packed[panel*size]), Panel: 4 * size, Columns: min(count*i8.NR, b.OC-col),
			Bias: unsafe.Pointer(&b.bias[col]), Chunks: b.chunks, Chunk: b.chunk,
			C: unsafe.Pointer(&b.dst.Data[row*b.dst.Stride+col]), LDC: 4 * b.dst.Stride,
			Prefetch: uintptr(unsafe.Pointer(&b.packed[min((panel+count)*size, len(b.packed)-1)])),
		}
		t.Lo, t.Hi = b.Act.clamp()
		if b.res.Data != nil {
			t.R, t.LDR = unsafe.Pointer(&b.res.Data[row*b.res.Stride+col]), 4*b.res.Stride
		}
		s.left.run(&b.blocks, count)
	}
	if !b.Act.isClamp() {
		from, _ := cutPanels(b.panels, i8.BlockPanels, first)
		to, count := cutPanels(b.panels, i8.BlockPanels, last-1)
		from, to = from*i8.NR, min((to+count)*i8.NR, b.OC)
		b.Act.apply(b.level, &s.act, b.dst.Data[row*b.dst.Stride+from:], b.dst.Stride, to-from, end-row)
	}
}
