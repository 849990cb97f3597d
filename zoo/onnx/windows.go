package onnx

import (
	"math"

	"zoobench/kernels/ref"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// conv is a convolution, whose weights are standardised or folded with the batch norm behind it when they are written.
func (e *exporter) conv(n *nn.Node) {
	k := n.Kernel
	x := e.as(n.In[0], planes)
	pads := []int{k.Pad.Top, k.Pad.Left, k.Pad.Bottom, k.Pad.Right}
	if min(pads[0], pads[1], pads[2], pads[3]) < 0 {
		x, pads = e.padded(x, k.Pad), []int{0, 0, 0, 0}
	}
	in := append([]string{x}, e.convParams(n)...)
	e.put(planes, e.opWith("Conv", []message.Attribute{numbers("kernel_shape", k.H, k.W), numbers("strides", k.SH, k.SW),
		numbers("dilations", k.DH, k.DW), numbers("pads", pads...), number("group", k.Groups)}, in...))
}

// convParams are a convolution's weight and bias.
func (e *exporter) convParams(n *nn.Node) (names []string) {
	if weight, bias, ok := e.ownLayer(n, false); ok {
		return append([]string{weight}, bias...)
	}
	p := e.g.Params[n.Weight]
	done := func() { e.src.Release(p.Name) }
	norm, folded := e.fold[e.at]
	switch {
	case folded:
		by := &e.g.Nodes[norm]
		weight := e.tensor(p.Name+"/folded", p.Shape, fill{done: done, floats: func() ([]float32, error) {
			w, _, err := e.folded(n, by)
			return w, err
		}})
		bias := e.tensor(n.Name+".bias/folded", []int{n.Out.C}, fill{done: done, floats: func() ([]float32, error) {
			_, b, err := e.folded(n, by)
			return b, err
		}})
		return []string{weight, bias}
	case n.Kernel.StdEps != 0:
		names = append(names, e.tensor(p.Name+"/standardized", p.Shape, fill{done: done,
			floats: func() ([]float32, error) { return e.standardized(n) }}))
	default:
		names = append(names, e.param(n.Weight))
	}
	if n.Bias >= 0 {
		names = append(names, e.param(n.Bias))
	}
	return names
}

func (e *exporter) standardized(n *nn.Node) ([]float32, error) {
	w, err := e.read(n.Weight)
	if err != nil {
		return nil, err
	}
	y := make([]float64, len(w))
	ref.Standardize(y, w, n.Kernel.StdEps, n.Out.C)
	return narrow(y), nil
}

// folded is a convolution's weight and bias with the batch norm behind it multiplied in, in float64.
func (e *exporter) folded(conv, norm *nn.Node) (weight, bias []float32, err error) {
	var v [6][]float32
	for i, p := range []int{conv.Weight, conv.Bias, norm.Weight, norm.Bias, norm.Mean, norm.Var} {
		if p < 0 {
			continue
		}
		if v[i], err = e.read(p); err != nil {
			return nil, nil, err
		}
		defer e.src.Release(e.g.Params[p].Name)
	}
	weight, bias = make([]float32, len(v[0])), make([]float32, conv.Out.C)
	wide := v[0]
	if conv.Kernel.StdEps != 0 {
		if wide, err = e.standardized(conv); err != nil {
			return nil, nil, err
		}
	}
	each := len(weight) / conv.Out.C
	or := func(v []float32, c int, otherwise float64) float64 {
		if v == nil {
			return otherwise
		}
		return float64(v[c])
	}
	for c := range bias {
		scale := or(v[2], c, 1) / math.Sqrt(float64(v[5][c])+norm.Eps)
		bias[c] = float32((or(v[1], c, 0)-float64(v[4][c]))*scale + or(v[3], c, 0))
		for i := c * each; i < (c+1)*each; i++ {
			weight[i] = float32(float64(wide[i]) * scale)
		}
	}
	return weight, bias, nil
}

// findFolds pairs each batch norm with the convolution whose only reader it is.
func (e *exporter) findFolds() {
	for i, n := range e.g.Nodes {
		if n.Op != nn.BatchNorm || n.Const || e.g.Nodes[n.In[0]].Op != nn.Conv || len(e.readers(n.In[0])) != 1 {
			continue
		}
		e.fold[i], e.fold[n.In[0]] = n.In[0], i
	}
}

// padded puts zeros around planes, or crops them where a number is negative.
func (e *exporter) padded(x string, p nn.Edges) string {
	if p == (nn.Edges{}) {
		return x
	}
	return e.op("Pad", x, e.ints(0, 0, p.Top, p.Left, 0, 0, p.Bottom, p.Right))
}

// pad has a sum of one in front of a maximum: ONNX Runtime 1.30 takes a Pad of zeros into a MaxPool, whose padding never wins.
func (e *exporter) pad(n *nn.Node) {
	x := e.padded(e.as(n.In[0], planes), n.Kernel.Pad)
	for _, r := range e.readers(e.at) {
		if e.g.Nodes[r].Op == nn.MaxPool {
			x = e.op("Sum", x)
			break
		}
	}
	e.put(planes, x)
}

// overhang is how far the last windows of a pool in ceil mode hang over the padded edges.
func overhang(n *nn.Node, in nn.Shape) (bottom, right int) {
	k := n.Kernel
	if !k.Ceil {
		return 0, 0
	}
	bottom = (n.Out.H-1)*k.SH + k.H - (in.H + k.Pad.Top + k.Pad.Bottom)
	right = (n.Out.W-1)*k.SW + k.W - (in.W + k.Pad.Left + k.Pad.Right)
	return max(bottom, 0), max(right, 0)
}

// maxPool has what hangs over as padding: it never wins, and no reader of the file has a rule of its own for it.
func (e *exporter) maxPool(n *nn.Node) {
	x, k := e.as(n.In[0], planes), n.Kernel
	p := k.Pad
	if min(p.Top, p.Left, p.Bottom, p.Right) < 0 {
		crop := nn.Edges{Top: min(p.Top, 0), Left: min(p.Left, 0), Bottom: min(p.Bottom, 0), Right: min(p.Right, 0)}
		x = e.padded(x, crop)
		p = nn.Edges{Top: max(p.Top, 0), Left: max(p.Left, 0), Bottom: max(p.Bottom, 0), Right: max(p.Right, 0)}
	}
	bottom, right := overhang(n, e.g.Nodes[n.In[0]].Out)
	e.put(planes, e.opWith("MaxPool", poolWindow(k, p.Top, p.Left, p.Bottom+bottom, p.Right+right), x))
}

func poolWindow(k nn.Kernel, pads ...int) []message.Attribute {
	return []message.Attribute{numbers("kernel_shape", k.H, k.W), numbers("strides", k.SH, k.SW), numbers("pads", pads...)}
}

// avgPool has zeros that count as an operator of their own if windows hang over them, or if padding is wider than readers take.
func (e *exporter) avgPool(n *nn.Node) {
	x, k, p := e.as(n.In[0], planes), n.Kernel, n.Kernel.Pad
	bottom, right := overhang(n, e.g.Nodes[n.In[0]].Out)
	hangs := bottom > 0 || right > 0
	odd := min(p.Top, p.Left, p.Bottom, p.Right) < 0 || max(p.Top, p.Bottom) >= k.H || max(p.Left, p.Right) >= k.W
	counts := 1
	if k.ExcludePad {
		counts = 0
	} else if hangs || odd {
		x, p, counts = e.padded(x, p), nn.Edges{}, 0
	}
	e.put(planes, e.opWith("AveragePool",
		append(poolWindow(k, p.Top, p.Left, p.Bottom+bottom, p.Right+right), number("count_include_pad", counts)), x))
}

// adaptiveAvgPool is a global mean, a pool where the bins are windows, else a product with a matrix of bins on either side.
func (e *exporter) adaptiveAvgPool(n *nn.Node) {
	in := e.g.Nodes[n.In[0]].Out
	f := e.ownForm(n.In[0])
	switch {
	case in == n.Out:
		e.identity(n)
	case onePixel(n.Out) && f != planes:
		e.put(flat, e.mean(e.as(n.In[0], f), f))
	case onePixel(n.Out):
		e.put(planes, e.op("GlobalAveragePool", e.as(n.In[0], planes)))
	case in.H%n.Out.H == 0 && in.W%n.Out.W == 0:
		h, w := in.H/n.Out.H, in.W/n.Out.W
		window := []message.Attribute{numbers("kernel_shape", h, w), numbers("strides", h, w)}
		e.put(planes, e.opWith("AveragePool", window, e.as(n.In[0], planes)))
	default:
		x := e.op("MatMul", e.own("rows", bins(in.H, n.Out.H), n.Out.H, in.H), e.as(n.In[0], planes))
		if in.W != n.Out.W {
			columns := e.own("columns", bins(in.W, n.Out.W), n.Out.W, in.W)
			x = e.op("MatMul", x, e.transpose(columns, 1, 0))
		}
		e.put(planes, x)
	}
}

// mean is the mean of all pixels.
func (e *exporter) mean(x string, f form) string {
	axes := []int{1}
	if f == last {
		axes = []int{1, 2}
	}
	keep := number("keepdims", 0)
	if e.o.Opset >= 18 {
		return e.opWith("ReduceMean", []message.Attribute{keep}, x, e.ints(axes...))
	}
	return e.opWith("ReduceMean", []message.Attribute{keep, numbers("axes", axes...)}, x)
}

// bins is the matrix (out, in) of PyTorch's adaptive mean along one axis.
func bins(in, out int) []float32 {
	m := make([]float32, out*in)
	for o := range out {
		from, to := o*in/out, ((o+1)*in+out-1)/out
		for i := from; i < to; i++ {
			m[o*in+i] = 1 / float32(to-from)
		}
	}
	return m
}

// channelConv is a convolution along channels, as an image of one row and one channel.
func (e *exporter) channelConv(n *nn.Node) {
	k := e.g.Params[n.Weight].Shape[2]
	x := e.reshape(e.as(n.In[0], flat), 0, 1, n.Out.C)
	x = e.opWith("Conv", []message.Attribute{numbers("kernel_shape", k), numbers("pads", k/2, k/2)}, x, e.param(n.Weight))
	e.put(flat, e.reshape(x, 0, n.Out.C))
}
