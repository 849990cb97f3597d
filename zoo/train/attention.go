package train

import (
	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// attention is that of all tokens to all, without a bias.
type attention struct {
	site
	run  *kernels.Attention
	grad *kernels.AttentionGrad // nil where no parameter learns from it
}

// plainAttention reports whether kernels take a node backward: it has no windows and no bias.
func plainAttention(node *nn.Node) bool {
	return node.Attention.Window == 0 && node.Attention.Shift == 0 && len(node.In) == 1
}

func newAttention(s site) *attention {
	a, in := s.node.Attention, s.Graph.Nodes[s.node.In[0]].Out
	shape := kernels.AttentionShape{H: in.H, W: in.W, Heads: a.Heads, D: in.C / 3 / a.Heads, Scale: float32(a.Scale), HeadsFirst: a.HeadsFirst}
	layer := &attention{site: s, run: kernels.NewAttention(shape, s.pool.Size())}
	if s.wanted[s.node.In[0]] {
		layer.grad = kernels.NewAttentionGrad(shape, s.pool.Size())
	}
	return layer
}

func (a *attention) forward() error {
	a.run.Run(a.pool, a.y(), a.x(0))
	return nil
}

func (a *attention) backward() error {
	a.to(0, func(dst kernels.Tensor) { a.grad.Run(a.pool, dst, a.x(0), a.dy()) })
	return nil
}
