package train

import (
	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// pooling is a maximum or a mean of windows.
type pooling struct {
	site
	pool kernels.PoolShape
	run  *kernels.Pool
}

func newPool(s site) *pooling {
	in, out, k := s.Graph.Nodes[s.node.In[0]].Out, s.node.Out, s.node.Kernel
	p := &pooling{site: s}
	p.pool = kernels.PoolShape{
		C: in.C, H: in.H, W: in.W, OH: out.H, OW: out.W, KH: k.H, KW: k.W, SH: k.SH, SW: k.SW,
		Top: k.Pad.Top, Left: k.Pad.Left, Bottom: k.Pad.Bottom, Right: k.Pad.Right,
		Max: s.node.Op == nn.MaxPool, CountPad: !k.ExcludePad, Adaptive: s.node.Op == nn.AdaptiveAvgPool,
	}
	p.run = kernels.NewPool(p.pool, s.Network.pool.Size())
	return p
}

func (p *pooling) forward() error {
	p.run.Run(p.Network.pool, p.y(), p.x(0))
	return nil
}

func (p *pooling) backward() error {
	p.to(0, func(dst kernels.Tensor) {
		p.each(dst.N, func(image int) {
			clear(dst.Data[image*dst.H*dst.W*dst.C:][:dst.H*dst.W*dst.C])
			for o := range p.pool.OH * p.pool.OW {
				p.window(dst, image, o)
			}
		})
	})
	return nil
}

// window adds the gradient of one window, output pixel o of an image.
func (p *pooling) window(dst kernels.Tensor, image, o int) {
	s := &p.pool
	top, left := o/s.OW*s.SH-s.Top, o%s.OW*s.SW-s.Left
	bottom, right := top+s.KH, left+s.KW
	if s.Adaptive {
		row, column := o/s.OW, o%s.OW
		top, bottom = row*s.H/s.OH, ((row+1)*s.H+s.OH-1)/s.OH
		left, right = column*s.W/s.OW, ((column+1)*s.W+s.OW-1)/s.OW
	}
	g := p.dy().Data[(image*s.OH*s.OW+o)*s.C:][:s.C]
	counted := (bottom - top) * (right - left)
	if !s.Adaptive && s.CountPad { // what hangs over the padding never counts
		counted = (min(bottom, s.H+s.Bottom) - top) * (min(right, s.W+s.Right) - left)
	}
	top, left, bottom, right = max(top, 0), max(left, 0), min(bottom, s.H), min(right, s.W)
	if !s.Adaptive && !s.CountPad {
		counted = (bottom - top) * (right - left)
	}
	if s.Max {
		p.largest(dst, image, g, top, left, bottom, right)
		return
	}
	share := 1 / float32(counted)
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			out := dst.Data[((image*s.H+y)*s.W+x)*s.C:][:s.C]
			for c, v := range g {
				out[c] += v * share
			}
		}
	}
}

// largest gives each channel's gradient to the first of its largest elements in a window; a NaN is larger than all.
func (p *pooling) largest(dst kernels.Tensor, image int, g []float32, top, left, bottom, right int) {
	s, in := &p.pool, p.x(0).Data
	for c, v := range g {
		best := -1
		for y := top; y < bottom; y++ {
			for x := left; x < right; x++ {
				if at := ((image*s.H+y)*s.W+x)*s.C + c; best < 0 || in[at] > in[best] || in[at] != in[at] {
					best = at
				}
			}
		}
		dst.Data[best] += v
	}
}
