package onnx

import (
	"math"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

func (e *exporter) input(n *nn.Node) {
	name, s := inputName, n.Out
	if e.o.Pixels == nil {
		e.out.Inputs = []message.Value{images(name, s.C, s.H, s.W)}
	} else {
		e.out.Inputs = []message.Value{pixels()}
		name = e.prepare(e.o.Pixels)
	}
	e.put(planes, name)
}

func (e *exporter) identity(n *nn.Node) { e.forms[e.at] = e.forms[n.In[0]] }

// linear is Gemm for vectors and MatMul for pixels.
func (e *exporter) linear(n *nn.Node) {
	vector := onePixel(n.Out)
	weight, bias := e.linearParams(n, !vector)
	if vector {
		in := append([]string{e.as(n.In[0], flat), weight}, bias...)
		e.put(flat, e.opWith("Gemm", []message.Attribute{number("transB", 1)}, in...))
		return
	}
	f := e.lastForm(n.In[0])
	y := e.op("MatMul", e.as(n.In[0], f), weight)
	if bias != nil {
		y = e.op("Add", y, bias[0])
	}
	e.put(f, y)
}

// linearParams are a linear layer's weight, with a column for each output channel where it is turned, and its bias, if any.
func (e *exporter) linearParams(n *nn.Node, turned bool) (weight string, bias []string) {
	weight, bias, ok := e.ownLayer(n, turned)
	if !ok {
		weight = e.param(n.Weight)
		if n.Bias >= 0 {
			bias = []string{e.param(n.Bias)}
		}
		if turned {
			weight = e.transpose(weight, 1, 0)
		}
	}
	return weight, bias
}

// lastForm is the form with channels last that a value has, or gets most easily.
func (e *exporter) lastForm(i int) form {
	f := e.ownForm(i)
	if f != planes {
		return f
	}
	switch s := e.g.Nodes[i].Out; {
	case onePixel(s):
		return flat
	case s.H == 1:
		return tokens
	}
	return last
}

func (e *exporter) batchNorm(n *nn.Node) {
	if conv, ok := e.fold[e.at]; ok {
		e.forms[e.at] = e.forms[conv]
		return
	}
	f := planes
	if e.ownForm(n.In[0]) == flat {
		f = flat
	}
	e.put(f, e.opWith("BatchNormalization", []message.Attribute{real("epsilon", n.Eps)},
		e.as(n.In[0], f), e.paramOr(n.Weight, 1, n.Out.C), e.paramOr(n.Bias, 0, n.Out.C), e.param(n.Mean), e.param(n.Var)))
}

func (e *exporter) layerNorm(n *nn.Node) {
	f := e.lastForm(n.In[0])
	weight, bias := e.normParams(n)
	e.put(f, e.opWith("LayerNormalization", []message.Attribute{number("axis", -1), real("epsilon", n.Eps)}, e.as(n.In[0], f), weight, bias))
}

// groupNorm is an instance norm of groups, scaled by channel behind it, as PyTorch exports it.
func (e *exporter) groupNorm(n *nn.Node) {
	x := e.reshape(e.as(n.In[0], planes), 0, n.Groups, -1)
	x = e.opWith("InstanceNormalization", []message.Attribute{real("epsilon", n.Eps)},
		x, e.paramOr(-1, 1, n.Groups), e.paramOr(-1, 0, n.Groups))
	x = e.reshape(x, append([]int{0}, planes.dims(n.Out)...)...)
	x = e.op("Mul", x, e.reshape(e.param(n.Weight), planes.spread()...))
	e.put(planes, e.op("Add", x, e.reshape(e.param(n.Bias), planes.spread()...)))
}

func (e *exporter) activate(n *nn.Node) {
	f := e.ownForm(n.In[0])
	e.put(f, e.act(e.as(n.In[0], f), n.Act))
}

func (e *exporter) act(x string, a nn.Act) string {
	switch a {
	case nn.ReLU:
		return e.op("Relu", x)
	case nn.ReLU6:
		return e.op("Clip", x, e.float(0), e.float(6))
	case nn.Sigmoid:
		return e.op("Sigmoid", x)
	case nn.SiLU:
		return e.op("Mul", x, e.op("Sigmoid", x))
	case nn.HardSigmoid:
		return e.opWith("HardSigmoid", []message.Attribute{real("alpha", 1.0/6), real("beta", 0.5)}, x)
	case nn.HardSwish:
		return e.op("HardSwish", x)
	case nn.GELU:
		if e.o.Opset >= 20 {
			return e.op("Gelu", x)
		}
		erf := e.op("Erf", e.op("Div", x, e.float(math.Sqrt2)))
		return e.op("Mul", e.op("Mul", x, e.op("Add", erf, e.float(1))), e.float(0.5))
	case nn.GELUTanh:
		if e.o.Opset >= 20 {
			return e.opWith("Gelu", []message.Attribute{word("approximate", "tanh")}, x)
		}
		inner := e.op("Add", x, e.op("Mul", e.op("Pow", x, e.float(3)), e.float(0.044715)))
		tanh := e.op("Tanh", e.op("Mul", inner, e.float(math.Sqrt(2/math.Pi))))
		return e.op("Mul", e.op("Mul", x, e.float(0.5)), e.op("Add", tanh, e.float(1)))
	}
	return x
}

// common is the form in which the inputs of a node meet: with channels first if any of them has them so. A vector beside
// values of many pixels has no say.
func (e *exporter) common(n *nn.Node) form {
	f := numForms
	for _, i := range n.In {
		if onePixel(e.g.Nodes[i].Out) && !onePixel(n.Out) {
			continue
		}
		if own := e.ownForm(i); own == planes || f == numForms {
			f = own
		}
	}
	return f
}

func (e *exporter) add(n *nn.Node) {
	f := e.common(n)
	y := e.as(n.In[0], f)
	for _, in := range n.In[1:] {
		y = e.op("Add", y, e.as(in, f))
	}
	e.put(f, y)
}

// mul multiplies by a value of the same shape or by a gate, which has one pixel.
func (e *exporter) mul(n *nn.Node) {
	f := e.common(n)
	e.put(f, e.op("Mul", e.as(n.In[0], f), e.as(n.In[1], f)))
}

func (e *exporter) concat(n *nn.Node) {
	f := e.common(n)
	var xs []string
	for k, in := range n.In {
		xs = append(xs, e.everyImage(k, e.as(in, f), f.dims(e.g.Nodes[in].Out)))
	}
	e.put(f, e.concatAt(f.channels(), xs...))
}

func (e *exporter) flatten(n *nn.Node) {
	if onePixel(e.g.Nodes[n.In[0]].Out) {
		e.put(flat, e.as(n.In[0], flat))
		return
	}
	e.put(flat, e.opWith("Flatten", []message.Attribute{number("axis", 1)}, e.as(n.In[0], planes)))
}

func (e *exporter) unflatten(n *nn.Node) {
	e.put(planes, e.reshape(e.as(n.In[0], flat), append([]int{0}, planes.dims(n.Out)...)...))
}

func (e *exporter) slice(n *nn.Node) {
	f := e.ownForm(n.In[0])
	e.put(f, e.sliceAt(e.as(n.In[0], f), f.channels(), n.From, n.To))
}

func (e *exporter) shuffle(n *nn.Node) {
	s := n.Out
	x := e.reshape(e.as(n.In[0], planes), 0, n.Groups, s.C/n.Groups, s.H, s.W)
	e.put(planes, e.reshape(e.transpose(x, 0, 2, 1, 3, 4), 0, s.C, s.H, s.W))
}

func (e *exporter) splitSoftmax(n *nn.Node) {
	x := e.reshape(e.as(n.In[0], planes), 0, n.Groups, -1)
	x = e.opWith("Softmax", []message.Attribute{number("axis", 1)}, x)
	e.put(planes, e.reshape(x, append([]int{0}, planes.dims(n.Out)...)...))
}

// scale multiplies by a parameter.
func (e *exporter) scale(n *nn.Node) {
	f := e.ownForm(n.In[0])
	weight := e.param(n.Weight)
	if f == planes {
		weight = e.reshape(weight, f.spread()...)
	}
	e.put(f, e.op("Mul", e.as(n.In[0], f), weight))
}

func (e *exporter) affine(n *nn.Node) {
	f := e.ownForm(n.In[0])
	dims := f.spread()
	dims[0] = n.Out.C
	x := e.op("Mul", e.as(n.In[0], f), e.own("scale", narrow(n.Scale), dims...))
	e.put(f, e.op("Add", x, e.own("shift", narrow(n.Shift), dims...)))
}

func narrow(v []float64) []float32 {
	x := make([]float32, len(v))
	for i := range v {
		x[i] = float32(v[i])
	}
	return x
}

// regrid is another grid for the same tokens.
func (e *exporter) regrid(n *nn.Node) {
	from := e.forms[n.In[0]]
	if onePixel(n.Out) {
		e.forms[e.at] = from
		return
	}
	e.put(tokens, e.as(n.In[0], tokens))
}

func (e *exporter) sliceTokens(n *nn.Node) {
	e.put(tokens, e.sliceAt(e.as(n.In[0], tokens), 1, n.From, n.To))
}

func (e *exporter) concatTokens(n *nn.Node) {
	var xs []string
	for k, in := range n.In {
		xs = append(xs, e.everyImage(k, e.as(in, tokens), tokens.dims(e.g.Nodes[in].Out)))
	}
	e.put(tokens, e.concatAt(1, xs...))
}

// everyImage gives a copy of input k's value x to each image if it is one for all. The number of images is the input's.
func (e *exporter) everyImage(k int, x string, dims []int) string {
	if !e.g.Spread(e.at, k) {
		return x
	}
	batch := e.opWith("Shape", []message.Attribute{number("start", 0), number("end", 1)}, e.out.Inputs[0].Name)
	return e.op("Expand", x, e.concatAt(0, batch, e.ints(dims...)))
}
