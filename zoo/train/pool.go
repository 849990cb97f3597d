package train

import (
	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// pooling is a maximum or a mean of windows.
type pooling struct {
	site
	shape kernels.PoolShape
	run   *kernels.Pool
	grad  *kernels.PoolGrad
}

func newPool(s site) *pooling {
	in, out, k := s.Graph.Nodes[s.node.In[0]].Out, s.node.Out, s.node.Kernel
	p := &pooling{site: s}
	p.shape = kernels.PoolShape{
		C: in.C, H: in.H, W: in.W, OH: out.H, OW: out.W, KH: k.H, KW: k.W, SH: k.SH, SW: k.SW,
		Top: k.Pad.Top, Left: k.Pad.Left, Bottom: k.Pad.Bottom, Right: k.Pad.Right,
		Max: s.node.Op == nn.MaxPool, CountPad: !k.ExcludePad, Adaptive: s.node.Op == nn.AdaptiveAvgPool,
	}
	if p.columns() {
		p.shape.C, p.shape.W, p.shape.OW = in.W*in.C, 1, 1
	}
	p.run = kernels.NewPool(p.shape, s.pool.Size())
	p.grad = kernels.NewPoolGrad(p.shape, s.pool.Size())
	return p
}

// columns reports whether windows are parts of columns, so that a row's pixels are as good as one pixel's channels: CBAM pools over
// channels as over the rows of an image of one channel.
func (p *pooling) columns() bool {
	s := &p.shape
	if s.Adaptive {
		return s.OW == s.W
	}
	return s.KW == 1 && s.SW == 1 && s.Left == 0 && s.Right == 0
}

// tensor is one of the node's or its input's as the pool sees it.
func (p *pooling) tensor(t kernels.Tensor) kernels.Tensor {
	if t.C != p.shape.C {
		t.W, t.C, t.Stride = 1, p.shape.C, p.shape.C
	}
	return t
}

func (p *pooling) forward() error {
	p.run.Run(p.pool, p.tensor(p.y()), p.tensor(p.x(0)))
	return nil
}

func (p *pooling) backward() error {
	p.to(0, func(dst kernels.Tensor) {
		p.grad.Run(p.pool, p.tensor(dst), p.tensor(p.dy()), p.tensor(p.x(0)), p.tensor(p.y()))
	})
	return nil
}
