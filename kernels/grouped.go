package kernels

import "zoobench/kernels/internal/f32"

// widestGroup is the most channels of a group that fit every vector. A matrix product has groups of sixteen fill its tiles.
const widestGroup = 8

// groupedBy are the kernels that compute a convolution in groups of four channels or more; nil where there are none.
func (s *ConvShape) groupedBy(l *f32.Level) *f32.GroupedKernels {
	each := s.C / s.Groups
	if s.OC != s.C || each&(each-1) != 0 || each < 4 || each > widestGroup || s.Exact && s.depth() > exactBlock ||
		s.KW != 3 || s.DW != 1 || s.SW > 2 || s.Left < 0 || s.Left > 1 || (s.OW-1)*s.SW-s.Left+2 > s.W {
		return nil
	}
	for i := range l.Grouped {
		if k := &l.Grouped[i]; s.C%k.Lanes == 0 {
			return k
		}
	}
	return nil
}

// A groupRow is how a row of output is cut into tiles of px pixels, of which the last two may share some.
type groupRow struct {
	px     int
	kernel func(*f32.Grouped)
	args   f32.Grouped // what all tiles have in common
}

// groupRow cuts rows into the tiles that have the fewest pixels together, and of these the largest.
func (d *Depthwise) groupRow(k *f32.GroupedKernels) *groupRow {
	r := &groupRow{}
	for px, kernel := range k.By[d.SW-1] {
		if kernel != nil && px <= d.OW && (r.px == 0 || parts(d.OW, px)*px <= parts(d.OW, r.px)*r.px) {
			r.px, r.kernel = px, kernel
		}
	}
	index := make([]int32, k.Lanes)
	for i := range index {
		index[i] = int32(i / d.each * d.each)
	}
	r.args = f32.Grouped{
		W: &d.packed[0], WStep: 4 * d.depth() * k.Lanes, Bias: &d.bias[0], C: 4 * d.C, Each: d.each,
		Index: &index[0], Lo: d.lo, Hi: d.hi, Zeros: &d.zeros[0],
	}
	return r
}

// packGroups packs the weights: (C/lanes, KH, channels of a group, 3, lanes).
func (d *Depthwise) packGroups() {
	taps, lanes, buffer := d.taps(), d.lanes, make([]float32, d.depth())
	for c := range d.C {
		filter := d.filter(c, buffer)
		out := d.packed[c/lanes*lanes*d.depth()+c%lanes:]
		for ky := range d.KH {
			for j := range d.each {
				for kx := range d.KW {
					out[((ky*d.each+j)*d.KW+kx)*lanes] = filter[j*taps+ky*d.KW+kx]
				}
			}
		}
	}
}

// depthwiseGroups are the tasks of a convolution in groups of four channels or more: a row of output pixels each.
type depthwiseGroups struct{ *Depthwise }

// Do computes one row, a tile after the other.
func (d depthwiseGroups) Do(worker, row int) {
	s := &d.work[worker]
	image, top := row/d.OH, row%d.OH*d.SH-d.Top
	n := 0
	for ky := range d.KH {
		if y := top + ky*d.DH; uint(y) < uint(d.H) {
			s.taps[n] = f32.Tap{In: &d.src.Data[(image*d.H+y)*d.W*d.src.Stride], W: d.row.args.WStep / d.KH * ky}
			n++
		}
	}
	a := &s.group
	*a = d.row.args
	a.Taps, a.N, a.Pixel, a.LDO = &s.taps[0], n, 4*d.src.Stride, 4*d.dst.Stride
	out := d.dst.Data[row*d.OW*d.dst.Stride:]
	for i := range parts(d.OW, d.row.px) {
		ox := min(i*d.row.px, d.OW-d.row.px)
		x := ox*d.SW - d.Left
		a.Out, a.First = &out[ox*d.dst.Stride], x*a.Pixel
		a.Before, a.Behind = 0, 0
		if x < 0 {
			a.Before = 1
		}
		if x+(d.row.px-1)*d.SW+2 == d.W {
			a.Behind = 1
		}
		d.row.kernel(a)
	}
	if !d.Act.isClamp() {
		d.Act.apply(d.level, &s.act, out, d.dst.Stride, d.C, d.OW)
	}
}
