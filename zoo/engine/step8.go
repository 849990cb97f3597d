package engine

import (
	"fmt"
	"math"
	"unsafe"

	"zoobench/kernels"
	"zoobench/kernels/par"
	"zoobench/zoo/nn"
)

// An operation8 is a step of a plan in bytes. It looks at the places of the step for the form of what it reads and writes.
type operation8 interface {
	run(e *Engine, s *step, first, n int)
}

// conv8 is a product, whose output and residual are bytes or float32.
type conv8 struct{ op *kernels.Conv8 }

func (o conv8) run(e *Engine, s *step, first, n int) {
	src := e.tensor8(s.src, first, n)
	if s.dst.bytes {
		var res kernels.Tensor8
		if len(s.add) > 0 {
			res = e.tensor8(s.add[0], first, n)
		}
		o.op.Run(e.pool, e.tensor8(s.dst, first, n), src, res)
		return
	}
	var res kernels.Tensor
	if len(s.add) > 0 {
		res = e.tensor(s.add[0], first, n)
	}
	o.op.RunFloat(e.pool, e.tensor(s.dst, first, n), src, res)
}

// unary8 is an operation of one input, bytes to bytes.
type unary8 struct {
	op interface {
		Run(pool *par.Pool, dst, src kernels.Tensor8)
	}
}

func (o unary8) run(e *Engine, s *step, first, n int) {
	o.op.Run(e.pool, e.tensor8(s.dst, first, n), e.tensor8(s.src, first, n))
}

// sum8 is a sum of the source and all others.
type sum8 struct {
	op   *kernels.Sum8
	room []kernels.Tensor8
}

func (o sum8) run(e *Engine, s *step, first, n int) {
	o.room[0] = e.tensor8(s.src, first, n)
	for i, a := range s.add {
		o.room[i+1] = e.tensor8(a, first, n)
	}
	o.op.Run(e.pool, e.tensor8(s.dst, first, n), o.room)
}

// gate8 is a product of the source and a gate.
type gate8 struct{ op *kernels.Gate8 }

func (o gate8) run(e *Engine, s *step, first, n int) {
	o.op.Run(e.pool, e.tensor8(s.dst, first, n), e.tensor8(s.src, first, n), e.tensor8(s.gate, first, n))
}

// convert8 turns float32 into bytes or bytes into float32.
type convert8 struct{ op *kernels.Convert }

func (o convert8) run(e *Engine, s *step, first, n int) {
	if s.dst.bytes {
		o.op.Quantize(e.pool, e.tensor8(s.dst, first, n), e.tensor(s.src, first, n))
		return
	}
	o.op.Dequantize(e.pool, e.tensor(s.dst, first, n), e.tensor8(s.src, first, n))
}

// tensor8 is a value of bytes, as tensor is one of float32.
func (e *Engine) tensor8(p place, first, n int) kernels.Tensor8 {
	b := e.buffers[p.buffer]
	if b.images < e.batch {
		first = 0
	}
	all := unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(e.arena))), 4*len(e.arena))[4*b.offset:]
	return kernels.Tensor8{
		Data: all[first*b.elems+p.channel : (first+n)*b.elems],
		N:    n, H: p.shape.H, W: p.shape.W, C: p.shape.C, Stride: p.stride, Quant: p.quant,
	}
}

// convert makes the copies that group k reads of values in their other form, unless a group before it has.
func (p *planner) convert(k int) {
	p.reads(k, func(_, node int, bytes bool) {
		home := p.alias[node]
		if at := p.places[home]; at.buffer != constBuffer && at.bytes != bytes && !p.converted[home] {
			p.converted[home] = true
			p.convertStep(p.copies[home], at)
		}
	})
}

// convertStep adds a step that turns a value's form into that of another place.
func (p *planner) convertStep(dst, src place) {
	p.steps = append(p.steps, step{bytes: convert8{kernels.NewConvert(p.pool.Size())}, dst: dst, src: src})
	name := "quantize"
	if !dst.bytes {
		name = "dequantize"
	}
	p.layers = append(p.layers, Layer{
		Op: name, Out: src.shape, Moved: 2 * int64(src.shape.Elems()), Algorithm: name, Kind: KindElementwise, Precision: Int8,
	})
}

// emitBytes makes the steps of group k in bytes.
func (p *planner) emitBytes(k int) error {
	g := &p.groups[k]
	n := &p.graph.Nodes[g.nodes[0]]
	switch n.Op {
	case nn.Concat:
		p.emitConcat(g.last())
		return nil
	case nn.ConcatTokens:
		p.emitTokens(g.last())
		return nil
	}
	s := step{dst: p.at(g.last()), src: p.in(n.In[0], true)}
	for _, r := range g.residual {
		s.add = append(s.add, p.in(r, s.dst.bytes))
	}
	s.summands = make([]kernels.Tensor, len(s.add))
	algorithm, err := p.operateBytes(&s, g)
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	p.steps = append(p.steps, s)
	p.describe(g, algorithm, kernels.Algorithm{})
	return nil
}

// operateBytes gives a step the operation of a group in bytes, whose algorithm's name it returns.
func (p *planner) operateBytes(s *step, g *group) (algorithm string, err error) {
	n, workers := &p.graph.Nodes[g.nodes[0]], p.pool.Size()
	act, sums := acts[g.act], p.quant(p.before(g))
	switch n.Op {
	case nn.Conv, nn.Linear:
		return p.convolveBytes(s, g)
	case nn.MaxPool, nn.AvgPool, nn.AdaptiveAvgPool:
		pool := kernels.NewPool8(p.poolShape(n), s.src.quant, s.dst.quant, workers)
		s.bytes, algorithm = unary8{pool}, pool.Algorithm()
	case nn.BatchNorm, nn.Scale, nn.Affine:
		shape, err := p.channelwise(s, g)
		if err != nil {
			return "", err
		}
		d := kernels.NewDepthwise8(shape, workers)
		s.bytes, algorithm = unary8{d}, d.Algorithm()
		p.weightBytes += d.WeightBytes()
	case nn.Activate:
		s.bytes, algorithm = unary8{kernels.NewTable8(kernels.ActTable(act, s.src.quant, s.dst.quant), workers)}, "table8"
	case nn.Add:
		in := []kernels.Quant{s.src.quant}
		for _, a := range s.add {
			in = append(in, a.quant)
		}
		s.bytes, algorithm = sum8{kernels.NewSum8(in, act, sums, s.dst.quant, workers), make([]kernels.Tensor8, len(in))}, "sum8"
	case nn.Mul:
		s.hasGate, s.gate = true, p.in(g.gate, true)
		s.bytes, algorithm = gate8{kernels.NewGate8(s.src.quant, s.gate.quant, act, sums, s.dst.quant, workers)}, "gate8"
	case nn.Shuffle, nn.Pad, nn.SliceTokens:
		s.bytes, algorithm = unary8{kernels.NewMove8(moveOf(n))}, "copy"
	default:
		err = fmt.Errorf("no kernel in bytes for %s", n.Op)
	}
	return algorithm, err
}

// convolveBytes gives a step a convolution or a linear layer in bytes.
func (p *planner) convolveBytes(s *step, g *group) (algorithm string, err error) {
	i := g.nodes[0]
	f := p.options.Quantized.Layers[i]
	if g.flatten >= 0 {
		s.src = p.in(g.flatten, true)
	}
	shape := kernels.Conv8Shape{ConvShape: p.geometry(g), Weight: f.Weight, Scale: f.Scale, In: s.src.quant}
	if s.dst.bytes {
		shape.Out, shape.Sums = s.dst.quant, p.quant(p.before(g))
		if len(s.add) > 0 {
			shape.Res = s.add[0].quant
		}
	}
	if shape.Bias, err = f.InSteps(s.src.quant); err != nil {
		return "", err
	}
	for _, j := range g.nodes {
		n := &p.graph.Nodes[j]
		p.release(n.Weight, n.Bias, n.Mean, n.Var)
	}
	if p.byChannel(g) {
		d := kernels.NewDepthwise8(shape, p.pool.Size())
		s.bytes = unary8{d}
		p.weightBytes += d.WeightBytes()
		return d.Algorithm(), nil
	}
	shape.Choice = p.algorithm[p.owner[i]].Name
	c := kernels.NewConv8(shape, p.pool.Size())
	s.bytes = conv8{c}
	p.weightBytes += c.WeightBytes()
	return c.Algorithm(), nil
}

// byChannel reports whether a group is a depthwise convolution that has a kernel of its own in bytes.
func (p *planner) byChannel(g *group) bool {
	n := &p.graph.Nodes[g.nodes[0]]
	if n.Op != nn.Conv || len(g.residual) > 0 {
		return false
	}
	in := p.graph.Nodes[n.In[0]].Out.C
	return n.Kernel.Groups == in && n.Out.C == in && in > 1
}

// InSteps are a layer's biases in steps of its sums, for an input of this scale. Sums beyond 32 bits are an error.
func (f Filters) InSteps(in kernels.Quant) ([]int32, error) {
	out := make([]int32, len(f.Scale))
	depth := len(f.Weight) / len(out)
	for oc := range out {
		b := 0.0
		if f.Steps != nil {
			b = float64(f.Steps[oc])
		} else {
			b = math.RoundToEven(float64(f.Bias[oc]) / (float64(in.Scale) * float64(f.Scale[oc])))
		}
		most := math.Abs(b)
		for _, w := range f.Weight[oc*depth:][:depth] {
			most += 255 * math.Abs(float64(w))
		}
		if !(most <= math.MaxInt32) {
			return nil, fmt.Errorf("output channel %d: sums beyond 32 bits", oc)
		}
		out[oc] = int32(b)
	}
	return out, nil
}

// channelwise is a group's batch norms and layer scales as a depthwise convolution by one pixel: the weights are as large as
// they can be, the scales say what they stand for.
func (p *planner) channelwise(s *step, g *group) (shape kernels.Conv8Shape, err error) {
	scale, shift, err := p.factorsOf(g)
	if err != nil {
		return shape, err
	}
	const most = 1 << 30 // of a bias in steps of the sums
	f := Filters{Weight: make([]int8, len(scale)), Scale: make([]float32, len(scale)), Bias: float32s(shift)}
	for c, v := range scale {
		step := max(math.Abs(v)/127, math.Abs(shift[c])/float64(s.src.quant.Scale)/most, 0x1p-100)
		f.Scale[c] = float32(step)
		f.Weight[c] = int8(min(max(math.RoundToEven(v/float64(f.Scale[c])), -127), 127))
	}
	in := s.src.shape
	shape = kernels.Conv8Shape{
		ConvShape: kernels.ConvShape{
			C: in.C, H: in.H, W: in.W, OC: in.C, OH: in.H, OW: in.W, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: in.C, Act: acts[g.act],
		},
		Weight: f.Weight, Scale: f.Scale, In: s.src.quant, Out: s.dst.quant, Sums: p.quant(p.before(g)),
	}
	shape.Bias, err = f.InSteps(s.src.quant)
	return shape, err
}
