package train

import "zoobench/kernels"

// attention is that of tokens to those of their window, or to all, with or without a bias of relative positions.
type attention struct {
	site
	run  *kernels.Attention
	grad *kernels.AttentionGrad // nil where no parameter learns from it

	biasGradient []float32 // nil where nothing learns from it
}

func newAttention(s site) *attention {
	a, in := s.node.Attention, s.Graph.Nodes[s.node.In[0]].Out
	shape := kernels.AttentionShape{H: in.H, W: in.W, Heads: a.Heads, D: in.C / 3 / a.Heads, Scale: float32(a.Scale), HeadsFirst: a.HeadsFirst,
		Window: a.Window, Shift: a.Shift}
	if len(s.node.In) > 1 {
		shape.Bias = make([]float32, s.Graph.Nodes[s.node.In[1]].Out.Elems())
	}
	layer := &attention{site: s, run: kernels.NewAttention(shape, s.pool.Size())}
	if s.wanted[s.i] {
		layer.grad = kernels.NewAttentionGrad(layer.run, s.pool.Size())
	}
	if len(s.node.In) > 1 && s.wanted[s.node.In[1]] {
		layer.biasGradient = make([]float32, len(shape.Bias))
	}
	return layer
}

func (a *attention) forward() error {
	if len(a.node.In) > 1 {
		a.run.Take(a.x(1).Data)
	}
	a.run.Run(a.pool, a.y(), a.x(0))
	return nil
}

func (a *attention) backward() error {
	run := func(dst kernels.Tensor) { a.grad.Run(a.pool, dst, a.biasGradient, a.x(0), a.dy()) }
	if a.wanted[a.node.In[0]] {
		a.to(0, run)
	} else {
		unwanted := a.x(0)
		unwanted.Data = a.spare[:len(unwanted.Data)]
		run(unwanted)
	}
	if a.biasGradient != nil {
		a.to(1, func(dst kernels.Tensor) { copy(dst.Data, a.biasGradient) })
	}
	return nil
}
