package engine

import (
	"fmt"
	"slices"

	"zoobench/kernels"
	"zoobench/kernels/par"
	"zoobench/zoo/nn"
)

// An operation of one input, as most kernels are.
type unary interface {
	Run(pool *par.Pool, dst, src kernels.Tensor)
}

// A step is one kernel call of the plan: exactly one of its operations is set.
type step struct {
	conv      kernels.Convolution
	pointwise *kernels.Pointwise
	unary     unary
	bytes     operation8

	dst, src place
	gate     place
	hasGate  bool
	add      []place
	summands []kernels.Tensor // room for add's tensors
}

// runStep computes one step for n images from image first on.
func (e *Engine) runStep(s *step, first, n int) {
	if s.bytes != nil {
		s.bytes.run(e, s, first, n)
		return
	}
	dst, src := e.tensor(s.dst, first, n), e.tensor(s.src, first, n)
	for i, a := range s.add {
		s.summands[i] = e.tensor(a, first, n)
	}
	switch {
	case s.conv != nil:
		var res kernels.Tensor
		if len(s.add) > 0 {
			res = s.summands[0]
		}
		s.conv.Run(e.pool, dst, src, res)
	case s.pointwise != nil:
		var gate kernels.Tensor
		if s.hasGate {
			gate = e.tensor(s.gate, first, n)
		}
		s.pointwise.Run(e.pool, dst, src, gate, s.summands)
	default:
		s.unary.Run(e.pool, dst, src)
	}
}

// emit makes the steps of group k.
func (p *planner) emit(k int) error {
	g := &p.groups[k]
	n := &p.graph.Nodes[g.nodes[0]]
	p.convert(k)
	if p.int8[k] {
		return p.emitBytes(k)
	}
	switch {
	case g.middle != nil:
		return p.emitSeparable(g)
	case n.Op == nn.ConcatTokens:
		p.emitTokens(g.last())
		return nil
	case n.Op == nn.Concat:
		p.emitConcat(g.last())
		return nil
	}
	s := step{dst: p.at(g.last()), src: p.in(n.In[0], p.int8[k])}
	for _, r := range g.residual {
		s.add = append(s.add, p.in(r, p.int8[k]))
	}
	s.summands = make([]kernels.Tensor, len(s.add))
	algorithm, err := p.operate(&s, k)
	if err != nil {
		return err
	}
	p.steps = append(p.steps, s)
	p.describe(g, algorithm, p.algorithm[k])
	return nil
}

// operate gives a step the operation of group k, whose algorithm's name it returns.
func (p *planner) operate(s *step, k int) (algorithm string, err error) {
	g, workers := &p.groups[k], p.pool.Size()
	n := &p.graph.Nodes[g.nodes[0]]
	switch n.Op {
	case nn.Conv, nn.Linear:
		return p.convolve(s, k)
	case nn.MaxPool, nn.AvgPool, nn.AdaptiveAvgPool:
		pool := kernels.NewPool(p.poolShape(n), workers)
		s.unary, algorithm = pool, pool.Algorithm()
	case nn.BatchNorm, nn.Scale, nn.Affine, nn.Mul, nn.Add, nn.Activate:
		return p.pointwise(s, g)
	case nn.LayerNorm, nn.GroupNorm:
		s.unary, err = p.norm(g.nodes[0], acts[g.act])
		algorithm = "rows"
	case nn.Attention:
		a := kernels.NewAttention(p.attentionShape(n), workers)
		s.unary, algorithm = a, a.Algorithm()
		p.weightBytes += a.WeightBytes()
	case nn.SplitSoftmax:
		s.unary, algorithm = &kernels.SplitSoftmax{Parts: n.Groups}, "softmax"
	case nn.ChannelConv:
		s.unary, err = p.channelConv(n)
		algorithm = "direct"
	case nn.Shuffle, nn.Pad, nn.SliceTokens:
		s.unary, algorithm = kernels.NewMove(moveOf(n), workers), "copy"
	case nn.Flatten:
		s.unary, algorithm = &flatten{}, "transpose"
	case nn.Unflatten:
		s.unary, algorithm = &flatten{back: true}, "transpose"
	default:
		err = fmt.Errorf("%s: no kernel for %s", n.Name, n.Op)
	}
	return algorithm, err
}

// convolve gives a step the convolution or linear layer of group k, by the algorithm that was chosen for it.
func (p *planner) convolve(s *step, k int) (algorithm string, err error) {
	g := &p.groups[k]
	i := g.nodes[0]
	shape := p.geometry(g)
	if shape.Filter, shape.Bias, err = p.filters(g); err != nil {
		return "", err
	}
	if p.depthwise(i) {
		d := kernels.NewDepthwise(shape, p.pool.Size())
		s.unary, algorithm = d, d.Algorithm()
		p.weightBytes += d.WeightBytes()
	} else {
		s.conv = p.algorithm[k].New(shape, p.pool.Size())
		algorithm = s.conv.Algorithm()
		p.weightBytes += s.conv.WeightBytes()
	}
	p.release(p.graph.Nodes[i].Weight, p.graph.Nodes[i].Bias)
	if g.flatten >= 0 {
		s.src = p.in(g.flatten, false)
	}
	return algorithm, nil
}

// pointwise gives a step the element-wise operation of a group.
func (p *planner) pointwise(s *step, g *group) (algorithm string, err error) {
	scale, shift, err := p.factorsOf(g)
	if err != nil {
		return "", err
	}
	p.weightBytes += 8 * int64(len(scale))
	s.pointwise = kernels.NewPointwise(float32s(scale), float32s(shift), acts[g.act], p.pool.Size())
	if g.gate >= 0 {
		s.hasGate, s.gate = true, p.in(g.gate, false)
	}
	return s.pointwise.Algorithm(), nil
}

// channelConv is a convolution along channels.
func (p *planner) channelConv(n *nn.Node) (unary, error) {
	w, err := p.param(n.Weight)
	if err != nil {
		return nil, err
	}
	v := &kernels.ChannelConv{Weight: slices.Clone(w)}
	p.release(n.Weight)
	return v, nil
}

// emitSeparable makes the step of a depthwise convolution and its neighbours.
func (p *planner) emitSeparable(g *group) error {
	var shapes [3]*kernels.ConvShape
	for i, part := range []*group{g.before, g.middle, g.behind} {
		if part == nil {
			continue
		}
		s := p.geometry(part)
		var err error
		if s.Filter, s.Bias, err = p.filters(part); err != nil {
			return err
		}
		shapes[i] = &s
	}
	s := step{dst: p.at(g.last()), src: p.at(p.graph.Nodes[g.nodes[0]].In[0])}
	if g.behind != nil {
		for _, r := range g.behind.residual {
			s.add = append(s.add, p.at(r))
		}
	}
	s.summands = make([]kernels.Tensor, len(s.add))
	s.conv = kernels.NewSeparable(shapes[0], *shapes[1], shapes[2], p.pool.Size())
	p.weightBytes += s.conv.WeightBytes()
	for _, i := range g.nodes {
		if n := &p.graph.Nodes[i]; n.Op == nn.Conv {
			p.release(n.Weight, n.Bias)
		}
	}
	p.steps = append(p.steps, s)
	p.describe(g, s.conv.Algorithm(), kernels.Algorithm{})
	return nil
}

// norm is a layer norm or a group norm.
func (p *planner) norm(node int, act kernels.Act) (unary, error) {
	n := &p.graph.Nodes[node]
	weight, err := p.param(n.Weight)
	if err != nil {
		return nil, err
	}
	bias, err := p.param(n.Bias)
	if err != nil {
		return nil, err
	}
	factors := p.factors(node)
	weight, bias = slices.Clone(scaled(weight, factors)), slices.Clone(scaled(bias, factors))
	p.release(n.Weight, n.Bias)
	p.weightBytes += 8 * int64(len(weight))
	if n.Op == nn.LayerNorm {
		return kernels.NewLayerNorm(weight, bias, float32(n.Eps), act, p.pool.Size()), nil
	}
	return kernels.NewGroupNorm(weight, bias, n.Groups, n.Eps, act, p.pool.Size()), nil
}

func (p *planner) attentionShape(n *nn.Node) kernels.AttentionShape {
	a := n.Attention
	s := kernels.AttentionShape{H: n.Out.H, W: n.Out.W, Heads: a.Heads, D: n.Out.C / a.Heads, Scale: float32(a.Scale),
		HeadsFirst: a.HeadsFirst, Window: a.Window, Shift: a.Shift, Scratch: &p.scratch}
	if len(n.In) > 1 {
		s.Bias = p.constants[n.In[1]]
	}
	return s
}

// moveOf is an operation that only moves pixels or channels.
func moveOf(n *nn.Node) kernels.MoveShape {
	switch n.Op {
	case nn.Pad:
		e := n.Kernel.Pad
		return kernels.MoveShape{Top: e.Top, Left: e.Left, Rows: n.Out.H - e.Top - e.Bottom, Columns: n.Out.W - e.Left - e.Right, Clear: true}
	case nn.SliceTokens:
		return kernels.MoveShape{X: n.From, Rows: 1, Columns: n.Out.W}
	}
	return kernels.MoveShape{Rows: n.Out.H, Columns: n.Out.W, Shuffle: n.Groups}
}

// emitTokens copies rows of tokens behind one another.
func (p *planner) emitTokens(i int) {
	left := 0
	for _, in := range p.graph.Nodes[i].In {
		part := p.at(in)
		p.copyStep(kernels.MoveShape{Left: left, Rows: 1, Columns: part.shape.W}, p.places[i], part, nn.ConcatTokens)
		left += part.shape.W
	}
}

// copyStep adds a step that only copies, with a row of its own in the table of layers.
func (p *planner) copyStep(m kernels.MoveShape, dst, src place, op nn.Op) {
	s := step{dst: dst, src: src}
	switch {
	case dst.bytes != src.bytes:
		p.convertStep(dst, src)
		return
	case dst.bytes && dst.quant != src.quant:
		s.bytes = unary8{kernels.NewTable8(kernels.ActTable(kernels.None, src.quant, dst.quant), p.pool.Size())}
	case dst.bytes:
		s.bytes = unary8{kernels.NewMove8(m)}
	default:
		s.unary = kernels.NewMove(m, p.pool.Size())
	}
	p.steps = append(p.steps, s)
	p.layers = append(p.layers, Layer{
		Op: op.String(), Out: src.shape, Moved: 2 * int64(src.shape.Elems()), Algorithm: "copy", Kind: KindMove,
		Precision: precisionOf(dst.bytes),
	})
}

// emitConcat copies the parts that could not be written where they belong.
func (p *planner) emitConcat(i int) {
	whole := p.places[i]
	channel := whole.channel
	for _, in := range p.graph.Nodes[i].In {
		part := p.at(in)
		if part.buffer != whole.buffer || part.channel != channel {
			to := whole
			to.channel, to.shape = channel, part.shape
			p.copyStep(kernels.MoveShape{Rows: part.shape.H, Columns: part.shape.W}, to, part, nn.Concat)
		}
		channel += part.shape.C
	}
}

// describe adds a group's row to the table of layers; chosen is the algorithm, zero where there is no choice.
func (p *planner) describe(g *group, algorithm string, chosen kernels.Algorithm) {
	n := &p.graph.Nodes[g.nodes[0]]
	l := Layer{
		Name: n.Name, Op: n.Op.String(), Out: p.graph.Nodes[g.last()].Out, Algorithm: algorithm, Error: chosen.Error,
		Kind: stepKind(n, p.graph.Nodes[n.In[0]].Out.C, chosen), Precision: precisionOf(p.int8[p.owner[g.nodes[0]]]),
	}
	l.Moved = int64(l.Out.Elems())
	for k, j := range g.nodes {
		at := &p.graph.Nodes[j]
		for _, in := range at.In {
			if !slices.Contains(g.nodes, in) {
				l.Moved += int64(p.graph.Nodes[in].Out.Elems())
			}
		}
		l.Params += p.graph.NodeParams(j)
		if k == 0 || at.Op == nn.Conv {
			l.MACs += p.graph.NodeMACs(j)
		}
		if k == 0 {
			continue
		}
		name := at.Op.String()
		switch at.Op {
		case nn.Activate:
			name = at.Act.String()
		case nn.Conv:
			l.Name += "+" + at.Name[sharedPath(n.Name, at.Name):]
		}
		l.Fused = append(l.Fused, name)
	}
	if n.Op == nn.Activate {
		l.Op = n.Act.String()
	}
	p.layers = append(p.layers, l)
}

// sharedPath is the length of the modules' names that two names begin with.
func sharedPath(a, b string) int {
	shared := 0
	for i := 0; i < min(len(a), len(b)) && a[i] == b[i]; i++ {
		if a[i] == '.' {
			shared = i + 1
		}
	}
	return shared
}

// geometry is a convolution or linear layer as the kernels know it, without weights; a linear layer over a flattened
// image is a convolution whose window is the whole image.
func (p *planner) geometry(g *group) kernels.ConvShape {
	n := &p.graph.Nodes[g.nodes[0]]
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
		Top: k.Pad.Top, Left: k.Pad.Left, Groups: k.Groups, Act: acts[g.act],
		Exact: p.options.Exact, BF16: p.precision == BF16, Scratch: &p.scratch,
	}
}

func (p *planner) poolShape(n *nn.Node) kernels.PoolShape {
	in, k := p.graph.Nodes[n.In[0]].Out, n.Kernel
	return kernels.PoolShape{
		C: in.C, H: in.H, W: in.W, OH: n.Out.H, OW: n.Out.W, KH: k.H, KW: k.W, SH: k.SH, SW: k.SW,
		Top: k.Pad.Top, Left: k.Pad.Left, Bottom: k.Pad.Bottom, Right: k.Pad.Right,
		Max: n.Op == nn.MaxPool, CountPad: !k.ExcludePad, Adaptive: n.Op == nn.AdaptiveAvgPool,
	}
}

// flatten lays an image's elements in one row, channel by channel, where something other than a linear layer reads
// them; back lays a row's elements in an image.
type flatten struct {
	dst, src kernels.Tensor
	back     bool
}

// Run flattens all images.
func (f *flatten) Run(pool *par.Pool, dst, src kernels.Tensor) {
	f.dst, f.src = dst, src
	pool.Run(src.N, f)
}

// Do flattens one image.
func (f *flatten) Do(_, image int) {
	whole, row := f.src, f.dst
	if f.back {
		whole, row = f.dst, f.src
	}
	pixels := whole.H * whole.W
	flat := row.Data[image*row.Stride:]
	for p := range pixels {
		at := whole.Data[(image*pixels+p)*whole.Stride:][:whole.C]
		if f.back {
			for c := range at {
				at[c] = flat[c*pixels+p]
			}
			continue
		}
		for c, v := range at {
			flat[c*pixels+p] = v
		}
	}
}
