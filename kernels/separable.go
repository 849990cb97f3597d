package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// Separable is a depthwise convolution with the convolution before it, the 1×1 convolution behind it, or both, computed some
// rows of the output at a time: what lies between them is a few rows of a worker's own, which stay in cache. The bits are
// those of the convolutions one after the other.
type Separable struct {
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

// CanSeparable tells whether Separable computes a depthwise convolution together with its neighbours, either of which may be
// nil.
func CanSeparable(first *ConvShape, middle ConvShape, last *ConvShape) bool {
	if first == nil && last == nil || first != nil && (first.Groups > 1 || first.CanWinograd()) {
		return false
	}
	if last != nil && (last.Groups > 1 || last.taps() > 1 || last.SH > 1 || last.SW > 1 || last.OH != last.H || last.OW != last.W) {
		return false
	}
	return middle.cutBands(level) != nil
}

// NewSeparable packs the weights of two or three convolutions; workers is the size of the pool that will run them.
func NewSeparable(first *ConvShape, middle ConvShape, last *ConvShape, workers int) *Separable {
	if !CanSeparable(first, middle, last) {
		panic("kernels: separable: convolutions of another form")
	}
	s := &Separable{middle: NewDepthwise(middle, workers), scratch: make([]separableScratch, workers)}
	most := s.middle.bands[0]
	s.ring = s.middle.inputs(most)
	if first != nil {
		s.first = NewConv(*first, workers)
	}
	if last != nil {
		s.last = NewConv(*last, workers)
	}
	if s.memory = middle.Scratch; s.memory == nil {
		s.memory = &Scratch{}
	}
	s.memory.reserve(0, workers, s.ring*middle.W*middle.C+most.rows*middle.OW*middle.C)
	return s
}

// take cuts the scratch memory up, which another operation may have used or had replaced by more.
func (s *Separable) take() {
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
func (s *Separable) WeightBytes() int64 {
	n := s.middle.WeightBytes()
	for _, c := range []*Conv{s.first, s.last} {
		if c != nil {
			n += c.WeightBytes()
		}
	}
	return n
}

// Algorithm is the names of the kernels.
func (s *Separable) Algorithm() string {
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
func (s *Separable) Run(pool *par.Pool, dst, src, res Tensor) {
	in, out := &s.middle.ConvShape, &s.middle.ConvShape
	if s.first != nil {
		in = &s.first.ConvShape
	}
	if s.last != nil {
		out = &s.last.ConvShape
	}
	src.check("kernels: separable: short source")
	dst.check("kernels: separable: short destination")
	if src.C != in.C || src.H != in.H || src.W != in.W || dst.C != out.OC || dst.H != out.OH || dst.W != out.OW || dst.N != src.N {
		panic("kernels: separable: tensors of another shape")
	}
	if res.Data != nil {
		res.check("kernels: separable: short residual")
		if s.last == nil || res.C != dst.C || res.Pixels() != dst.Pixels() {
			panic("kernels: separable: residual of another shape")
		}
	}
	if s.first != nil && s.first.merge {
		s.first.src = src
		s.first.copyPadded(pool)
		s.first.src = Tensor{}
	}
	s.dst, s.src, s.res = dst, src, res
	s.take()
	// Two parts a worker, for a worker that is late; each part begins with rows that the one before it computed too.
	s.parts = 1
	if pool.Size() > 1 {
		s.parts = min((2*pool.Size()+src.N-1)/src.N, len(s.middle.bands))
	}
	pool.Run(src.N*s.parts, s)
	s.dst, s.src, s.res = Tensor{}, Tensor{}, Tensor{}
}

// Do computes one part of an image, a band of the middle's rows after the other.
func (s *Separable) Do(worker, task int) {
	image, part := task/s.parts, task%s.parts
	d, t := s.middle, &s.scratch[worker]
	w := &d.work[worker]
	bands := d.bands[part*len(d.bands)/s.parts : (part+1)*len(d.bands)/s.parts]
	have := 0 // the middle's rows of input before it are there, or will not be wanted
	for _, b := range bands {
		pixel := t.input.Stride
		if s.first != nil {
			top := b.y*d.SH - d.Top
			have = max(have, top)
			for end := min(top+d.inputs(b), d.H); have < end; {
				rows := min(end-have, s.ring-have%s.ring)
				s.run(s.first, worker, s.src, (image*d.H+have)*d.W, t.input, have%s.ring*d.W, Tensor{}, rows*d.W)
				have += rows
			}
			for r := range d.inputs(b) {
				w.rows[r] = nil
				if y := top + r; uint(y) < uint(d.H) {
					w.rows[r] = &t.input.Data[y%s.ring*d.W*d.C]
				}
			}
		} else {
			d.findRows(w, s.src, image, b)
			pixel = s.src.Stride
		}
		at := (image*d.OH + b.y) * d.OW
		if s.last == nil {
			d.runBand(w, b, pixel, s.dst.Data[at*s.dst.Stride:], s.dst.Stride)
			continue
		}
		d.runBand(w, b, pixel, t.output.Data, t.output.Stride)
		s.run(s.last, worker, t.output, 0, s.dst, at, s.res, b.rows*d.OW)
	}
}

// run computes rows of a convolution's output, whose first is row of src's windows and pixel at of dst and res.
func (s *Separable) run(c *Conv, worker int, src Tensor, row int, dst Tensor, at int, res Tensor, rows int) {
	w := &c.scratch[worker]
	pieces := (rows + rowBlock - 1) / rowBlock
	for rows > 0 {
		n := min(rows, roundUp((rows+pieces-1)/pieces, f32.MR))
		c.findRows(w, src, row, n)
		w.dst, w.res, w.at = dst, res, at
		c.compute(w, 0, len(c.panels), n)
		row, at, rows, pieces = row+n, at+n, rows-n, pieces-1
	}
	w.dst, w.res = Tensor{}, Tensor{}
}
