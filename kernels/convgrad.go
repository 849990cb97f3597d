package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// ConvGrad is the gradient of a convolution for its weights: for every position of the window, the product of the result's
// gradient, a row an output channel, and the input, a column an input channel, over all pixels of all images.
//
// Windows three taps wide, and windows of one pixel, take both as they lie, see gradRows, where channels come in whole eights and
// sixteens, or are few enough for a row of the window to be one vector; so do depthwise filters. For others the input is copied
// to panels of sixteen channels with its padding, and with a stride its rows and columns are dealt out, so that a position of the
// window is an offset in the panel. The gradient is turned to rows of the same width, with zeros where a row of the output ends
// before a row of the panel does.
//
// Images are dealt to tasks by a rule of the shape alone, each task has sums of its own, and these are added in order: the bits
// do not depend on the workers.
type ConvGrad struct {
	ConvShape
	level *f32.Level
	most  int // panels of a tile

	merged         bool                                            // a 1×1 convolution over every pixel: all images are one row of pixels
	windows        bool                                            // few channels: rows of the window lie in a panel, see gradRows
	depthwise      bool                                            // sixteen filters' sums stand together, see gradRows
	direct         func(r *gradRows, sums []float32, from, to int) // of images, or rows of a merged one; nil for matrix tiles
	ready          func() *gradRows                                // what a worker of direct keeps
	rows, columns  int                                             // of a panel: what a stride leaves of the padded input
	panels         []panel
	width          int // columns of a group's panels
	chunks, images int // tasks that share out images, and images at most

	room    *GradRoom
	scratch []gradScratch
	sums    []float32 // of the run under way: (chunks, OC, taps, width)

	// the run under way
	dw    []float32
	dy, x Tensor
	each  int // images of a chunk
}

type gradScratch struct {
	byRows *gradRows // nil where the products are matrix tiles'
	sum    []float32 // (taps, width), a filter's of all chunks
	args   f32.Rows
	product
	input []float32 // (panels of a group, phases, rows, columns, 16)
	turn  []float32 // (OC of a group, turnStride)
}

const (
	gradBlock  = 256            // pixels of a product: a panel's are 16 KiB, and stay in L1 for all positions of the window
	turnStride = gradBlock + 16 // rows of 1 KiB would meet in the same four sets of L1
	gradChunks = 16             // tasks at most
	gradSums   = 8 << 20        // elements that all tasks' sums may take, unless one alone takes more
)

// A GradRoom is memory in which the gradients of several convolutions compute, one after the other. It is as large as the one that
// takes most. The zero value is empty.
type GradRoom struct {
	elems, worker int // for a run, and for each of its workers
	sums          []float32
	workers       [][]float32
}

// Add makes room for the gradient of a shape.
func (r *GradRoom) Add(s ConvShape) { r.add(planConvGrad(s)) }

func (r *GradRoom) add(g *ConvGrad) {
	r.elems = max(r.elems, g.chunks*g.size())
	r.worker = max(r.worker, g.input()+g.turned())
}

// Elems is how many elements it has for a pool of workers.
func (r *GradRoom) Elems(workers int) int { return r.elems + workers*r.worker }

// ready takes memory where there is too little.
func (r *GradRoom) ready(workers int) {
	if len(r.sums) < r.elems {
		r.sums = Alloc(r.elems)
	}
	if len(r.workers) < workers || len(r.workers[0]) < r.worker {
		r.workers = make([][]float32, workers)
		for i := range r.workers {
			r.workers[i] = Alloc(r.worker)
		}
	}
}

// NewConvGrad plans the gradient for a shape, whose Weight, Bias and Act it does not need; workers is the size of the pool. The
// gradient computes in the room, which it shares with those that run before and after it.
func NewConvGrad(s ConvShape, workers int, room *GradRoom) *ConvGrad {
	g := planConvGrad(s)
	g.room = room
	room.add(g)
	g.scratch = make([]gradScratch, workers)
	for i := range g.scratch {
		w := &g.scratch[i]
		w.sum = make([]float32, g.taps()*g.width)
		if g.ready != nil {
			w.byRows = g.ready()
		} else {
			w.rows = make([]*float32, f32.MR)
		}
	}
	return g
}

// planConvGrad is the gradient without memory.
func planConvGrad(s ConvShape) *ConvGrad {
	s.forget()
	g := &ConvGrad{ConvShape: s, level: level, most: panelsOf(level)}
	g.merged, g.windows, g.depthwise = s.samePixels(), g.windowsFit(), g.depthwiseFits()
	g.rows = g.OH + (s.KH-1)*s.DH/s.SH
	g.columns = g.OW + (s.KW-1)*s.DW/s.SW
	if g.merged {
		g.rows, g.columns = 1, gradBlock
	}
	channels := s.C / s.Groups
	for group := range s.Groups {
		g.width = 0
		for c := 0; c < channels; c += f32.NR {
			g.panels = append(g.panels, panel{group: group, col: group*channels + c, cols: min(f32.NR, channels-c), left: g.width})
			g.width += f32.NR
		}
	}
	g.chunks = max(1, min(gradChunks, gradSums/g.size()))
	switch {
	case g.windows:
		g.direct, g.ready = g.windowsOf, g.newGradPadded
	case g.depthwise:
		g.direct, g.ready = g.depthwiseOf, g.newGradPadded
	case g.pointsFit():
		g.direct, g.ready = g.pointsOf, g.newGradPoints
	case g.rowsFit():
		g.direct, g.ready = g.rowsOf, g.newGradRows
	}
	return g
}

// input is the elements of a group's packed panels. Beyond the last row, products of zeros read on as far as the window reaches.
func (g *ConvGrad) input() int {
	if g.direct != nil {
		return 0
	}
	return g.width/f32.NR*g.panelSize() + (g.columns+g.KW*g.DW)*f32.NR
}

// turned is the elements of a block of the result's gradient.
func (g *ConvGrad) turned() int {
	if g.direct != nil {
		return 0
	}
	return g.OC / g.Groups * turnStride
}

// Run writes the gradient of the weights to dw (OC, C/Groups, KH, KW), from that of the result, dy, and the input.
func (g *ConvGrad) Run(pool *par.Pool, dw []float32, dy, x Tensor) {
	g.checkTensors(dy, x, Tensor{})
	if len(dw) != g.OC*g.depth() {
		panic("kernels: convolution's gradient: short destination")
	}
	if g.merged {
		dy.H, dy.W, dy.N = 1, dy.Pixels(), 1
		x.H, x.W, x.N = 1, x.Pixels(), 1
		g.images = parts(x.W, gradBlock)
	} else {
		g.images = x.N
	}
	g.dw, g.dy, g.x = dw, dy, x
	g.each = parts(g.images, g.chunks)
	g.room.ready(len(g.scratch))
	g.sums = g.room.sums[:g.chunks*g.size()]
	input, turned := g.input(), g.turned()
	for i := range g.scratch {
		w := &g.scratch[i]
		w.input, w.turn = g.room.workers[i][:input:input], g.room.workers[i][input:][:turned:turned]
		if input > 0 {
			clear(w.input[g.width/f32.NR*g.panelSize():])
		}
	}
	pool.Run(g.chunks, g)
	pool.Run(g.size()/(g.taps()*g.width), convGradFilters{g})
	g.dw, g.dy, g.x, g.sums = nil, Tensor{}, Tensor{}, nil
}

// size is the elements of a chunk's sums.
func (g *ConvGrad) size() int {
	if g.depthwise {
		return roundUp(g.C, f32.NR) * g.taps()
	}
	return g.OC * g.taps() * g.width
}

// convGradFilters are the tasks behind the chunks: a filter each, or sixteen depthwise ones.
type convGradFilters struct{ *ConvGrad }

// Do adds the chunks' sums of a filter or of sixteen, and writes them in the weights' order.
func (g convGradFilters) Do(worker, oc int) {
	w, taps, channels := &g.scratch[worker], g.taps(), g.C/g.Groups
	n := len(w.sum)
	w.args = f32.Rows{Out: &w.sum[0], In: &g.sums[oc*n], LDI: 4 * g.size(), C: n, RowsLeft: g.chunks, Mask: mask8(n)}
	g.level.ColumnSums(&w.args)
	if g.depthwise {
		for i, v := range w.sum {
			if c := oc*f32.NR + i%f32.NR; c < g.C {
				g.dw[c*taps+i/f32.NR] = v
			}
		}
		return
	}
	dw := g.dw[oc*channels*taps:][:channels*taps]
	for tap := range taps {
		at := tap * g.width
		if g.windows {
			at = tap/3*g.width + tap%3*channels
		}
		for c, v := range w.sum[at:][:channels] {
			dw[c*taps+tap] = v
		}
	}
}

// Do sums the products of one chunk's images.
func (g *ConvGrad) Do(worker, chunk int) {
	w, sums := &g.scratch[worker], g.sums[chunk*g.size():][:g.size()]
	clear(sums)
	if g.direct != nil {
		g.direct(w.byRows, sums, chunk*g.each, min((chunk+1)*g.each, g.images))
		return
	}
	outputs := g.OC / g.Groups
	for image := chunk * g.each; image < min((chunk+1)*g.each, g.images); image++ {
		for group := range g.Groups {
			panels := g.groupPanels(group)
			pixels := g.OH * g.columns
			if g.merged {
				pixels = min(gradBlock, g.x.W-image*gradBlock)
			}
			for i, p := range panels {
				g.pack(w.input[i*g.panelSize():], p, image)
			}
			for from := 0; from < pixels; from += gradBlock {
				n := min(gradBlock, pixels-from)
				g.turn(w, group*outputs, image, from, n)
				w.spaced(w.turn, turnStride, 0, outputs, 1)
				g.multiply(w, sums[group*outputs*g.taps()*g.width:], len(panels), from, n)
			}
		}
	}
}

// groupPanels are the panels of a group.
func (g *ConvGrad) groupPanels(group int) []panel {
	first, end := share(len(g.panels), g.Groups, group)
	return g.panels[first:end]
}

// panelSize is the elements of one panel of the input.
func (g *ConvGrad) panelSize() int { return g.SH * g.SW * g.rows * g.columns * f32.NR }

// multiply adds one block of pixels' products to the sums of a group's panels, for every position of the window. A tile takes
// several panels, or, where a group has one alone, neighbouring positions of the window, which are panels one pixel apart.
func (g *ConvGrad) multiply(w *gradScratch, sums []float32, panels, from, n int) {
	across, apart := panels, 4*g.panelSize()
	single := panels == 1 && g.SW == 1
	if single {
		across, apart = g.KW, 4*g.DW*f32.NR
	}
	for tap := 0; tap < g.taps(); {
		y, x := tap/g.KW*g.DH, tap%g.KW*g.DW
		phase := y%g.SH*g.SW + x%g.SW
		at := ((phase*g.rows+y/g.SH)*g.columns + x/g.SW + from) * f32.NR
		for i := range parts(across, g.most) {
			first, count := cutPanels(across, g.most, i)
			w.tile = f32.Tile{
				B: &w.input[at+first*apart/4], C: &sums[tap*g.width+first*f32.NR], Taps: 1, K: n, LDC: 4 * g.taps() * g.width, Flags: f32.Load,
				Panel: apart,
			}
			w.run(&g.level.Gemm[count], 0, count*f32.NR)
		}
		if tap++; single {
			tap += g.KW - 1
		}
	}
}

// pack copies the channels of a panel of one image: (phases, rows, columns, 16), zeros for padding and for channels that do
// not exist. Row r of phase py has the input's row r·SH + py − Top, and columns alike.
func (g *ConvGrad) pack(input []float32, p panel, image int) {
	data, stride := g.x.Data, g.x.Stride
	if g.merged {
		first := image * gradBlock
		for i := range min(gradBlock, g.x.W-first) {
			copyPanel(input[i*f32.NR:], data[(first+i)*stride+p.col:], p.cols)
		}
		return
	}
	clear(input[:g.panelSize()])
	for row := range g.SH * g.SW * g.rows {
		phase := row / g.rows
		y := row%g.rows*g.SH + phase/g.SW - g.Top
		if y < 0 || y >= g.H {
			continue
		}
		if g.SW == 1 && g.Left >= 0 && g.Left < g.columns && stride == f32.NR && p.cols == f32.NR { // a row as it lies
			n := min(g.columns-g.Left, g.W)
			copy(input[(row*g.columns+g.Left)*f32.NR:][:n*f32.NR], data[(image*g.H+y)*g.W*stride:])
			continue
		}
		for column := range g.columns {
			x := column*g.SW + phase%g.SW - g.Left
			if x < 0 || x >= g.W {
				continue
			}
			copyPanel(input[(row*g.columns+column)*f32.NR:], data[((image*g.H+y)*g.W+x)*stride+p.col:], p.cols)
		}
	}
}

// copyPanel copies n of sixteen channels.
func copyPanel(dst, src []float32, n int) {
	if n == f32.NR {
		for i := 0; i < f32.NR; i += 4 { // sixteen at once would be a call of memmove
			*(*[4]float32)(dst[i:]) = *(*[4]float32)(src[i:])
		}
		return
	}
	copy(dst[:n], src)
}

// turn writes a block of the result's gradient as rows, one an output channel of the group: pixel i of the block is pixel
// from + i of the panel's rows and columns, zero beyond the output's own.
func (g *ConvGrad) turn(w *gradScratch, channel, image, from, n int) {
	outputs, stride := g.OC/g.Groups, g.dy.Stride
	for i := 0; i < n; {
		pixel, run := image*gradBlock+i, n-i
		if !g.merged {
			y, x := (from+i)/g.columns, (from+i)%g.columns
			if x >= g.OW {
				run = min(run, g.columns-x)
				for oc := range outputs {
					clear(w.turn[oc*turnStride+i:][:run])
				}
				i += run
				continue
			}
			pixel, run = (image*g.OH+y)*g.OW+x, min(run, g.OW-x)
		}
		turn(g.level, &w.args, w.turn[i:], turnStride, g.dy.Data[pixel*stride+channel:], stride, run, outputs)
		i += run
	}
}
