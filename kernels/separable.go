package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// separable is a depthwise convolution with the convolution before it, the 1×1 convolution behind it, or both, computed
// some rows of the output at a time: what lies between them is a few rows of a worker's own, which stay in cache. The
// bits are those of the convolutions one after the other.
type separable struct {
	first, last *Conv // nil for none
	middle      *Depthwise
	ring        int // rows of the middle's input that are kept: row y in place y%ring
	parts       int // an image is cut into
	memory      *Scratch
	scratch     []separableScratch

	dst, src, res Tensor // the run under way
}

type separableScratch struct {
	input  Tensor // of the middle: (ring, W, C)
	output Tensor // of the middle: (rows of a band, OW, C)
}

// CanSeparable reports whether NewSeparable takes a depthwise convolution together with its neighbours, either of
// which may be nil.
func CanSeparable(first *ConvShape, middle ConvShape, last *ConvShape) bool {
	if first == nil && last == nil || first != nil && (first.Groups > 1 || first.canWinograd()) {
		return false
	}
	if last != nil && (last.Groups > 1 || last.taps() > 1 || last.SH > 1 || last.SW > 1 || last.OH != last.H || last.OW != last.W) {
		return false
	}
	return middle.cutBands(level) != nil
}

// NewSeparable packs the weights of a depthwise convolution and of those before and behind it, either of which may be
// nil, to run together; the Convolution's residual is the last one's. workers is the size of the pool that will run them.
func NewSeparable(first *ConvShape, middle ConvShape, last *ConvShape, workers int) Convolution {
	if !CanSeparable(first, middle, last) {
		panic("kernels: separable: convolutions of another form")
	}
	s := &separable{middle: NewDepthwise(middle, workers), scratch: make([]separableScratch, workers)}
	most := s.middle.bands[0]
	s.ring = s.middle.inputs(most)
	if first != nil {
		s.first = NewConv(*first, workers)
	}
	if last != nil {
		s.last = NewConv(*last, workers)
	}
	s.memory = middle.Scratch.orOwn()
	s.memory.reserve(0, workers, s.ring*middle.W*middle.C+most.rows*middle.OW*middle.C)
	return s
}

// take cuts the scratch memory up, which another operation may have used or had replaced by more.
func (s *separable) take() {
	d := s.middle
	for i := range s.scratch {
		own := s.memory.own[i]
		s.scratch[i].input = room(&own, s.ring, d.W, d.C)
		s.scratch[i].output = room(&own, d.bands[0].rows, d.OW, d.C)
	}
}

// room is a tensor of one image in memory that it is cut off.
func room(memory *[]float32, h, w, c int) Tensor {
	return Tensor{Data: cut(memory, h*w*c), N: 1, H: h, W: w, C: c, Stride: c}
}

// WeightBytes is the memory of the packed weights.
func (s *separable) WeightBytes() int64 {
	n := s.middle.WeightBytes()
	for _, c := range []*Conv{s.first, s.last} {
		if c != nil {
			n += c.WeightBytes()
		}
	}
	return n
}

// Algorithm is the names of the kernels.
func (s *separable) Algorithm() string {
	name := s.middle.Algorithm()
	if s.first != nil {
		name = s.first.Algorithm() + "+" + name
	}
	if s.last != nil {
		name += "+" + s.last.Algorithm()
	}
	return name
}

// Run computes the last convolution's output, with res added to it; res is nil (its Data) for none and must not overlap dst.
func (s *separable) Run(pool *par.Pool, dst, src, res Tensor) {
	whole := s.middle.ConvShape
	if s.first != nil {
		whole.C, whole.H, whole.W = s.first.C, s.first.H, s.first.W
	}
	if s.last != nil {
		whole.OC, whole.OH, whole.OW = s.last.OC, s.last.OH, s.last.OW
	}
	whole.checkTensors(dst, src, res)
	if s.last == nil && res.Data != nil {
		panic("kernels: separable: a residual with nothing behind the depthwise convolution")
	}
	if s.first != nil {
		s.first.prepare(pool, src)
	}
	s.dst, s.src, s.res = dst, src, res
	s.take()
	// Two parts a worker, for a worker that is late; each part begins with rows that the one before it computed too.
	s.parts = 1
	if pool.Size() > 1 {
		s.parts = min(parts(2*pool.Size(), src.N), len(s.middle.bands))
	}
	pool.Run(src.N*s.parts, s)
	s.dst, s.src, s.res = Tensor{}, Tensor{}, Tensor{}
}

// Do computes one part of an image, a band of the middle's rows after the other.
func (s *separable) Do(worker, task int) {
	image, part := task/s.parts, task%s.parts
	d, own := s.middle, &s.scratch[worker]
	first, end := share(len(d.bands), s.parts, part)
	bands := d.bands[first:end]
	have := 0 // the middle's rows of input before it are there, or will not be wanted
	for _, b := range bands {
		in, of := s.src, image
		if s.first != nil {
			have = s.fill(worker, image, b, have)
			in, of = own.input, 0
		}
		at := (image*d.OH + b.y) * d.OW
		if s.last == nil {
			d.computeBand(worker, b, in, of, s.dst, at)
			continue
		}
		d.computeBand(worker, b, in, of, own.output, 0)
		s.last.computeRows(worker, stripe{dst: s.dst, src: own.output, res: s.res, at: at, n: b.rows * d.OW})
	}
}

// fill computes the rows of the middle's input that a band reads, from row have on, and is the row behind them.
func (s *separable) fill(worker, image int, b band[f32.Band], have int) int {
	d, ring := s.middle, s.scratch[worker].input
	top := b.y*d.SH - d.Top
	have = max(have, top)
	for end := min(top+d.inputs(b), d.H); have < end; {
		rows := min(end-have, s.ring-have%s.ring)
		s.first.computeRows(worker, stripe{dst: ring, src: s.src, at: have % s.ring * d.W, row: (image*d.H + have) * d.W, n: rows * d.W})
		have += rows
	}
	return have
}
