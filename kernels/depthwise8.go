package kernels

import (
	"math"
	"unsafe"

	"zoobench/kernels/internal/i8"
	"zoobench/kernels/par"
)

// Depthwise8 is a convolution of bytes with one input channel and one output channel a group. With a window of one pixel it
// scales and shifts each channel, as a batch norm that could not be folded does.
type Depthwise8 struct {
	Conv8Shape
	level  *i8.Level
	packed []int8 // (KH·KW, C), or as i8.Band has it
	bias   []int32
	scale  []float32
	bands  []band[i8.Band] // of an image; none where pixels are taken one by one
	finish finish8
	zeros  []uint8 // what windows read in the padding: as long as a row of the input
	first  int     // output columns [first, last) read no padding at their sides
	last   int
	work   []depthwise8Scratch

	dst, src Tensor8 // the run under way
}

type depthwise8Scratch struct {
	taps []i8.Tap
	args i8.Window
	rows i8.Rows

	band    i8.Band
	inputs  [i8.BandInputs]*uint8
	padding [i8.BandInputs]*uint8
}

// cutBands8 is cutBands for bytes.
func (s *ConvShape) cutBands8(l *i8.Level) []band[i8.Band] {
	if !s.bandsFit() || s.C < i8.NR {
		return nil
	}
	return bandsOf(s.OH, l.Bands[(s.KH-3)/2][s.SH-1][:])
}

// NewDepthwise8 packs the weights of a depthwise convolution; workers is the size of the pool that will run it.
func NewDepthwise8(s Conv8Shape, workers int) *Depthwise8 {
	s.check()
	if s.Groups != s.C || s.OC != s.C {
		panic("kernels: depthwise8: groups of more than a channel")
	}
	if s.Out.Scale == 0 || s.Res.Scale != 0 {
		panic("kernels: depthwise8: an output of float32, or a residual")
	}
	d := &Depthwise8{Conv8Shape: s, level: level8, finish: s.finish()}
	taps := s.taps()
	if d.bands = s.cutBands8(level8); d.bands != nil {
		d.packBands()
	} else {
		d.packed, d.bias, d.scale = make([]int8, taps*s.C), make([]int32, s.C), make([]float32, s.C)
		for c := range s.C {
			d.bias[c], d.scale[c] = s.folded(c, 0), s.multiplier(c)
			for tap := range taps {
				d.packed[tap*s.C+c] = s.Weight[c*taps+tap]
			}
		}
	}
	d.Weight, d.Scale, d.Bias = nil, nil, nil
	d.forget()
	d.first, d.last = s.inside()
	d.work = make([]depthwise8Scratch, workers)
	for i := range d.work {
		d.work[i].taps = make([]i8.Tap, taps)
	}
	return d
}

// packBands packs biases, scales and weights as i8.Band has them.
func (d *Depthwise8) packBands() {
	k, rows := d.KH, d.level.BandRows
	size := i8.BandBlock(k, rows)
	d.packed = bytesOf[int8](parts(d.C, i8.NR) * size)
	for block := range parts(d.C, i8.NR) {
		into := d.packed[block*size:][:size]
		for j := range i8.NR {
			c := min(block*i8.NR, d.C-i8.NR) + j
			putInt32(into[4*j:], uint32(d.folded(c, 0)))
			putInt32(into[4*(i8.NR+j):], math.Float32bits(d.multiplier(c)))
			for i := range rows * (k + rows - 1) * k { // row, column, shift
				if ky := i/rows/k - (rows - 1) + i%rows; ky >= 0 && ky < k {
					w, at := d.Weight[(c*k+ky)*k+i/rows%k], 4*(2*i8.NR+i/rows*i8.NR+j)+4/rows*(i%rows)
					if into[at] = w; rows == 2 {
						into[at+1] = w >> 7 // the sign
					}
				}
			}
		}
	}
}

// putInt32 writes a number of four bytes in the machine's order.
func putInt32(to []int8, x uint32) { *(*uint32)(unsafe.Pointer(&to[:4][0])) = x }

// WeightBytes is the memory of the packed weights.
func (d *Depthwise8) WeightBytes() int64 {
	return int64(len(d.packed) + 4*len(d.bias) + 4*len(d.scale))
}

// Algorithm is the name of the kernel.
func (d *Depthwise8) Algorithm() string {
	if d.bands != nil {
		return "dwband8"
	}
	return "dwconv8"
}

// Run computes dst = act(src convolved with the weights + bias).
func (d *Depthwise8) Run(pool *par.Pool, dst, src Tensor8) {
	src.check(d.In, "kernels: depthwise8: short source", "kernels: depthwise8: a source of another scale")
	dst.check(d.Out, "kernels: depthwise8: short destination", "kernels: depthwise8: a destination of another scale")
	if src.C != d.C || src.H != d.H || src.W != d.W || dst.C != d.C || dst.H != d.OH || dst.W != d.OW || dst.N != src.N {
		panic("kernels: depthwise8: tensors of another shape")
	}
	if need := max(d.OW*d.SW, d.W) * src.Stride; len(d.zeros) < need {
		d.zeros = make([]uint8, need)
		fill(d.zeros, d.In.Zero)
	}
	d.dst, d.src = dst, src
	if d.bands != nil {
		pool.Run(dst.N*len(d.bands), depthwise8Bands{d})
	} else {
		pool.Run(dst.N*d.OH, d)
	}
	d.dst, d.src = Tensor8{}, Tensor8{}
}

// Do computes one row: pixels whose windows hang over a side one at a time, the others together.
func (d *Depthwise8) Do(worker, row int) {
	s := &d.work[worker]
	for ox := range d.first {
		d.pixels(s, row, ox, 1)
	}
	d.pixels(s, row, d.first, d.last-d.first)
	for ox := d.last; ox < d.OW; ox++ {
		d.pixels(s, row, ox, 1)
	}
	d.finish.apply(d.level, &s.rows, d.dst.Data[row*d.OW*d.dst.Stride:], d.dst.Stride, d.C, d.OW)
}

// pixels computes n output pixels from column ox on, of whose windows the same positions are padding.
func (d *Depthwise8) pixels(s *depthwise8Scratch, row, ox, n int) {
	if n == 0 {
		return
	}
	image, oy := row/d.OH, row%d.OH
	for tap := range s.taps {
		y, x := oy*d.SH-d.Top+tap/d.KW*d.DH, ox*d.SW-d.Left+tap%d.KW*d.DW
		s.taps[tap] = i8.Tap{In: &d.zeros[0], W: tap * d.C}
		if uint(y) < uint(d.H) && uint(x) < uint(d.W) {
			s.taps[tap].In = &d.src.Data[((image*d.H+y)*d.W+x)*d.src.Stride]
		}
	}
	s.args = i8.Window{
		Taps: &s.taps[0], N: len(s.taps), W: &d.packed[0], Bias: &d.bias[0], Scale: &d.scale[0],
		Out: &d.dst.Data[(row*d.OW+ox)*d.dst.Stride], LDO: d.dst.Stride, Step: d.SW * d.src.Stride, C: d.C, PixelsLeft: n,
		Finish: d.finish.Finish,
	}
	d.level.Depthwise(&s.args)
}

// depthwise8Bands are the tasks of a convolution that has bands: a band of an image each.
type depthwise8Bands struct{ *Depthwise8 }

// Do computes one band.
func (d depthwise8Bands) Do(worker, task int) {
	s, image, b := &d.work[worker], task/len(d.bands), d.bands[task%len(d.bands)]
	for r := range (b.rows-1)*d.SH + d.KH {
		s.padding[r], s.inputs[r] = &d.zeros[0], &d.zeros[0]
		if y := b.y*d.SH - d.Top + r; uint(y) < uint(d.H) {
			s.inputs[r] = &d.src.Data[(image*d.H+y)*d.W*d.src.Stride]
		}
	}
	out := d.dst.Data[(image*d.OH+b.y)*d.OW*d.dst.Stride:]
	s.band = i8.Band{
		In: &s.inputs[0], Padding: &s.padding[0], W: &d.packed[0], Out: &out[0],
		InPixel: d.src.Stride, OutRow: d.OW * d.dst.Stride, OutPixel: d.dst.Stride,
		Cols: d.W, Left: d.Left, OW: d.OW, C: d.C, Finish: d.finish.Finish,
	}
	b.run(&s.band)
	d.finish.apply(d.level, &s.rows, out, d.dst.Stride, d.C, b.rows*d.OW)
}
