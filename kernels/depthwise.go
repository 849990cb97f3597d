package kernels

import (
	"fmt"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// Depthwise is a convolution with one input channel and one output channel a group, or with a few of each: groups too
// narrow for a matrix product.
type Depthwise struct {
	ConvShape
	level  *f32.Level
	lo, hi float32
	each   int                 // channels of a group
	lanes  int                 // channels that are packed together
	packed []float32           // (⌈C/8⌉, KH·KW, each, 8), for bands (⌈C/16⌉, KH·KW, 16), for row as packGroups has it
	bias   []float32           // 16·⌈C/16⌉
	bands  []band[f32.Band]    // of an image; none where pixels are taken four at a time
	groups *f32.GroupedKernels // of groups of four channels or more; nil where pixels are taken four at a time
	row    *groupRow           // of these
	zeros  []float32           // what a window wholly in the padding reads
	first  int                 // output columns [first, last) read no padding at their sides
	last   int
	work   []depthwiseScratch

	dst, src Tensor // the run under way
}

type depthwiseScratch struct {
	taps  []f32.Tap
	args  f32.Depthwise
	rows  []*float32 // of a band's input
	band  f32.Band
	group f32.Grouped
	act   f32.Rows
}

// CanDepthwise reports whether a convolution has the form that Depthwise computes.
func (s *ConvShape) CanDepthwise() bool {
	return s.OC == s.C && (s.Groups == s.C || s.Groups*4 == s.C && s.C%8 == 0) || s.groupedBy(level) != nil
}

// NewDepthwise packs the weights of a depthwise convolution; workers is the size of the pool that will run it.
func NewDepthwise(s ConvShape, workers int) *Depthwise {
	s.check()
	if !s.CanDepthwise() {
		panic("kernels: depthwise: groups of so many channels")
	}
	d := &Depthwise{ConvShape: s, level: level, each: s.C / s.Groups, groups: s.groupedBy(level)}
	d.lo, d.hi = s.Act.clamp()
	d.bands = s.cutBands(level)
	d.bias = make([]float32, roundUp(s.C, 16))
	d.zeros = make([]float32, s.C)
	d.lanes = 8
	if d.groups != nil {
		d.lanes = d.groups.Lanes
	} else if d.bands != nil {
		d.lanes = 16
	}
	d.packed = Alloc(roundUp(s.C, d.lanes) * s.taps() * d.each)
	if d.groups != nil {
		d.row = d.groupRow(d.groups)
	}
	d.pack()
	d.first, d.last = s.inside()
	d.work = make([]depthwiseScratch, workers)
	for i := range d.work {
		d.work[i].taps = make([]f32.Tap, s.taps())
		d.work[i].rows = make([]*float32, (f32.MaxBand-1)*s.SH+s.KH)
	}
	return d
}

// pack packs weights and bias, and forgets where they come from.
func (d *Depthwise) pack() {
	clear(d.bias[copy(d.bias, d.Bias):])
	if d.groups != nil {
		d.packGroups()
	} else {
		d.packChannels()
	}
	d.forget()
}

// packChannels packs the weights, so many lanes at a time.
func (d *Depthwise) packChannels() {
	taps, lanes := d.taps(), d.lanes
	buffer := make([]float32, d.depth())
	for c := range d.C {
		filter := d.filter(c, buffer)
		for j := range d.each {
			for tap := range taps {
				d.packed[((c/lanes*taps+tap)*d.each+j)*lanes+c%lanes] = filter[j*taps+tap]
			}
		}
	}
}

// WeightBytes is the memory of the packed weights.
func (d *Depthwise) WeightBytes() int64 { return 4 * int64(len(d.packed)+len(d.bias)) }

// Algorithm is the name of the kernel.
func (d *Depthwise) Algorithm() string {
	switch {
	case d.row != nil:
		return fmt.Sprintf("grouped3p%d", d.row.px)
	case d.each == 4:
		return "gconv4g4c8"
	case d.bands != nil:
		return "dwband"
	}
	return "dwconv4c16"
}

// Repack takes new weights and bias.
func (d *Depthwise) Repack(_ *par.Pool, weight, bias []float32) {
	d.Weight, d.Bias = weight, bias
	d.ConvShape.check()
	d.pack()
}

func (d *Depthwise) repack(_ *par.Pool, filter func(oc int, dst []float32)) {
	d.Filter = filter
	d.pack()
}

// Run computes dst = act(src convolved with the weights + bias).
func (d *Depthwise) Run(pool *par.Pool, dst, src Tensor) {
	d.checkTensors(dst, src, Tensor{})
	d.dst, d.src = dst, src
	switch {
	case d.row != nil:
		pool.Run(dst.N*d.OH, depthwiseGroups{d})
	case d.bands != nil:
		pool.Run(dst.N*len(d.bands), depthwiseBands{d})
	default:
		pool.Run(dst.N*d.OH, depthwiseRows{d})
	}
	d.dst, d.src = Tensor{}, Tensor{}
}

// depthwiseBands are the tasks of a convolution that has bands: a band of an image each.
type depthwiseBands struct{ *Depthwise }

// Do computes one band.
func (d depthwiseBands) Do(worker, task int) {
	image, b := task/len(d.bands), d.bands[task%len(d.bands)]
	d.computeBand(worker, b, d.src, image, d.dst, (image*d.OH+b.y)*d.OW)
}

// depthwiseRows are the tasks of one without bands: a row of output pixels each.
type depthwiseRows struct{ *Depthwise }

// Do computes one row: pixels whose windows hang over a side one at a time, the others in groups.
func (d depthwiseRows) Do(worker, row int) {
	s := &d.work[worker]
	for ox := range d.first {
		d.pixels(s, row, ox, 1)
	}
	fours := (d.last - d.first) / 4 * 4
	d.pixels(s, row, d.first, fours)
	d.pixels(s, row, d.first+fours, d.last-d.first-fours)
	for ox := d.last; ox < d.OW; ox++ {
		d.pixels(s, row, ox, 1)
	}
	if !d.Act.isClamp() {
		d.Act.apply(d.level, &s.act, d.dst.Data[row*d.OW*d.dst.Stride:], d.dst.Stride, d.C, d.OW)
	}
}

// pixels computes n output pixels from column ox on, all of whose windows hold the same positions.
func (d *Depthwise) pixels(s *depthwiseScratch, row, ox, n int) {
	if n == 0 {
		return
	}
	image, oy := row/d.OH, row%d.OH
	taps := s.taps[:0]
	for ky := range d.KH {
		y := oy*d.SH - d.Top + ky*d.DH
		if uint(y) >= uint(d.H) {
			continue
		}
		for kx := range d.KW {
			x := ox*d.SW - d.Left + kx*d.DW
			if uint(x) >= uint(d.W) {
				continue
			}
			in := &d.src.Data[((image*d.H+y)*d.W+x)*d.src.Stride]
			taps = append(taps, f32.Tap{In: in, W: 32 * (ky*d.KW + kx)})
		}
	}
	step := 4 * d.SW * d.src.Stride
	if len(taps) == 0 { // windows in the padding: the same zeros for all
		taps, step = append(taps, f32.Tap{In: &d.zeros[0]}), 0
	}
	a := &s.args
	*a = f32.Depthwise{
		Taps: &taps[0], N: len(taps), W: &d.packed[0], WStep: 32 * d.each * d.taps(), Bias: &d.bias[0],
		Out: &d.dst.Data[(row*d.OW+ox)*d.dst.Stride], LDO: 4 * d.dst.Stride, Step: step,
		C: d.C, Mask: mask8(d.C), GroupsLeft: n, Lo: d.lo, Hi: d.hi,
	}
	four, one := d.level.Depthwise4, d.level.Depthwise1
	if d.each == 4 {
		four, one = d.level.Grouped4, d.level.Grouped1
	}
	if n%4 == 0 {
		a.GroupsLeft = n / 4
		four(a)
		return
	}
	one(a)
}
