package engine

import (
	"fmt"

	"zoobench/kernels"
	"zoobench/kernels/par"
	"zoobench/zoo/nn"
)

// A step is one kernel call of the plan: exactly one of its operations is set.
type step struct {
	conv      *kernels.Conv
	depthwise *kernels.Depthwise
	pool      *kernels.Pool
	pointwise *kernels.Pointwise
	flatten   *flatten

	dst, src place
	gate     place
	hasGate  bool
	add      []place
	summands []kernels.Tensor // room for add's tensors
}

// runStep computes one step for n images.
func (e *Engine) runStep(s *step, n int) {
	dst, src := e.tensor(s.dst, n), e.tensor(s.src, n)
	for i, a := range s.add {
		s.summands[i] = e.tensor(a, n)
	}
	switch {
	case s.conv != nil:
		var res kernels.Tensor
		if len(s.add) > 0 {
			res = s.summands[0]
		}
		s.conv.Run(e.pool, dst, src, res)
	case s.depthwise != nil:
		s.depthwise.Run(e.pool, dst, src)
	case s.pool != nil:
		s.pool.Run(e.pool, dst, src)
	case s.pointwise != nil:
		var gate kernels.Tensor
		if s.hasGate {
			gate = e.tensor(s.gate, n)
		}
		s.pointwise.Run(e.pool, dst, src, gate, s.summands)
	case s.flatten != nil:
		s.flatten.run(e.pool, dst, src)
	}
}

// emit makes a group's steps.
func (p *planner) emit(g *group) error {
	i := g.nodes[0]
	n := &p.graph.Nodes[i]
	s := step{dst: p.places[g.last()], src: p.at(n.In[0])}
	for _, r := range g.residual {
		s.add = append(s.add, p.at(r))
	}
	s.summands = make([]kernels.Tensor, len(s.add))
	var algorithm string
	switch n.Op {
	case nn.Conv, nn.Linear:
		shape, err := p.convShape(g)
		if err != nil {
			return err
		}
		if shape.Groups > 1 && shape.Groups == shape.C && shape.OC == shape.C {
			s.depthwise = kernels.NewDepthwise(shape, p.pool.Size())
			algorithm = s.depthwise.Algorithm()
			p.weightsB += s.depthwise.WeightBytes()
		} else {
			s.conv = kernels.NewConv(shape, p.pool.Size())
			algorithm = s.conv.Algorithm()
			p.weightsB += s.conv.WeightBytes()
		}
		p.release(n.Weight, n.Bias)
		if g.flatten >= 0 {
			s.src = p.at(g.flatten)
		}
	case nn.MaxPool, nn.AvgPool, nn.AdaptiveAvgPool:
		s.pool = kernels.NewPool(p.poolShape(n), p.pool.Size())
		algorithm = s.pool.Algorithm()
	case nn.BatchNorm, nn.Mul, nn.Add, nn.Activate:
		var scale, shift []float32
		if g.norm >= 0 {
			a, b, err := p.normOf(g.norm)
			if err != nil {
				return err
			}
			scale, shift = float32s(a), float32s(b)
			p.weightsB += 8 * int64(len(scale))
		}
		s.pointwise = kernels.NewPointwise(scale, shift, acts[g.act], p.pool.Size())
		algorithm = s.pointwise.Algorithm()
		if g.gate >= 0 {
			s.hasGate, s.gate = true, p.at(g.gate)
		}
	case nn.Concat:
		p.emitConcat(g.last())
		return nil
	case nn.Flatten:
		s.flatten, algorithm = &flatten{}, "transpose"
	default:
		return fmt.Errorf("%s: no kernel for %s", n.Name, n.Op)
	}
	p.steps = append(p.steps, s)
	p.describe(g, algorithm)
	return nil
}

// emitConcat copies the parts that could not be written where they belong.
func (p *planner) emitConcat(i int) {
	whole := p.places[i]
	channel := whole.channel
	for _, in := range p.graph.Nodes[i].In {
		part := p.at(in)
		if part.buffer != whole.buffer || part.channel != channel {
			to := place{buffer: whole.buffer, channel: channel, stride: whole.stride, shape: part.shape}
			p.steps = append(p.steps, step{pointwise: kernels.NewPointwise(nil, nil, kernels.None, p.pool.Size()), dst: to, src: part})
			p.layers = append(p.layers, Layer{Op: nn.Concat.String(), Out: part.shape, Algorithm: "copy"})
		}
		channel += part.shape.C
	}
}

// describe adds a group's row to the table of layers.
func (p *planner) describe(g *group, algorithm string) {
	i := g.nodes[0]
	n := &p.graph.Nodes[i]
	l := Layer{Name: n.Name, Op: n.Op.String(), Out: p.graph.Nodes[g.last()].Out, Algorithm: algorithm, MACs: p.graph.NodeMACs(i)}
	for k, j := range g.nodes {
		l.Params += p.graph.NodeParams(j)
		if k == 0 {
			continue
		}
		name := p.graph.Nodes[j].Op.String()
		if p.graph.Nodes[j].Op == nn.Activate {
			name = p.graph.Nodes[j].Act.String()
		}
		l.Fused = append(l.Fused, name)
	}
	if n.Op == nn.Activate {
		l.Op = n.Act.String()
	}
	p.layers = append(p.layers, l)
}

// convShape is a convolution or linear layer as the kernels know it; a linear layer over a flattened image is a
// convolution whose window is the whole image.
func (p *planner) convShape(g *group) (kernels.ConvShape, error) {
	i := g.nodes[0]
	n := &p.graph.Nodes[i]
	weight, bias, err := p.fold(i, g.norm)
	if err != nil {
		return kernels.ConvShape{}, err
	}
	in := p.graph.Nodes[n.In[0]].Out
	k := n.Kernel
	if n.Op == nn.Linear {
		k = nn.K(1)
		if g.flatten >= 0 {
			in = p.graph.Nodes[g.flatten].Out
			k = nn.KHW(in.H, in.W)
		}
	}
	return kernels.ConvShape{
		C: in.C, H: in.H, W: in.W, OC: n.Out.C, OH: n.Out.H, OW: n.Out.W, KH: k.H, KW: k.W, SH: k.SH, SW: k.SW, DH: k.DH, DW: k.DW,
		Top: k.Pad.Top, Left: k.Pad.Left, Groups: k.Groups, Weight: weight, Bias: bias, Act: acts[g.act],
	}, nil
}

func (p *planner) poolShape(n *nn.Node) kernels.PoolShape {
	in, k := p.graph.Nodes[n.In[0]].Out, n.Kernel
	return kernels.PoolShape{
		C: in.C, H: in.H, W: in.W, OH: n.Out.H, OW: n.Out.W, KH: k.H, KW: k.W, SH: k.SH, SW: k.SW,
		Top: k.Pad.Top, Left: k.Pad.Left, Bottom: k.Pad.Bottom, Right: k.Pad.Right,
		Max: n.Op == nn.MaxPool, CountPad: !k.ExcludePad, Adaptive: n.Op == nn.AdaptiveAvgPool,
	}
}

// flatten lays an image's elements in one row, channel by channel, where something other than a linear layer reads them.
type flatten struct{ dst, src kernels.Tensor }

func (f *flatten) run(pool *par.Pool, dst, src kernels.Tensor) {
	f.dst, f.src = dst, src
	pool.Run(src.N, f)
}

// Do flattens one image.
func (f *flatten) Do(_, image int) {
	pixels := f.src.H * f.src.W
	out := f.dst.Data[image*f.dst.Stride:]
	for p := range pixels {
		for c, v := range f.src.Data[(image*pixels+p)*f.src.Stride:][:f.src.C] {
			out[c*pixels+p] = v
		}
	}
}
