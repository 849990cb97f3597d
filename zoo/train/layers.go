package train

import (
	"math"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// site is where a layer stands.
type site struct {
	*Network
	i    int
	node *nn.Node
}

// x is the tensor of an input, y the node's own and dy its gradient.
func (s site) x(k int) kernels.Tensor { return s.values[s.node.In[k]] }
func (s site) y() kernels.Tensor      { return s.values[s.i] }
func (s site) dy() kernels.Tensor     { return s.dvalues[s.i] }

// to gives a part of the gradient of an input.
func (s site) to(k int, write func(dst kernels.Tensor)) { s.give(s.node.In[k], write) }

// slow reports whether a node is computed as the twin does, for want of kernels.
func slow(g *nn.Graph, i int) bool {
	node := &g.Nodes[i]
	if node.Const {
		return true
	}
	for k := range node.In {
		if g.Spread(i, k) && node.Op != nn.Add && node.Op != nn.ConcatTokens {
			return true
		}
	}
	switch node.Op {
	case nn.Conv:
		return node.Kernel.StdEps != 0
	case nn.Linear, nn.BatchNorm, nn.Activate, nn.MaxPool, nn.AvgPool, nn.AdaptiveAvgPool, nn.Add, nn.Mul, nn.Concat, nn.Slice,
		nn.Flatten, nn.Unflatten, nn.Identity, nn.Tokens, nn.Grid, nn.Affine, nn.Scale, nn.Shuffle, nn.LayerNorm,
		nn.Attention, nn.ConcatTokens, nn.SliceTokens:
		return false
	}
	return true
}

// layer is how a node is computed: by kernels, or as the twin does.
func (net *Network) layer(i int) layer {
	node := &net.Graph.Nodes[i]
	s := site{net, i, node}
	if slow(net.Graph, i) {
		return &reference{s}
	}
	switch node.Op {
	case nn.Conv, nn.Linear:
		return newConvolution(s)
	case nn.BatchNorm:
		return newBatchNorm(s)
	case nn.Activate:
		return newActivation(s)
	case nn.MaxPool, nn.AvgPool, nn.AdaptiveAvgPool:
		return newPool(s)
	case nn.Add:
		return &addition{s, kernels.NewPointwise(nil, nil, s.actOf(s.i), s.pool.Size())}
	case nn.Mul:
		return &product{s, kernels.NewColumns(s.pool.Size())}
	case nn.Concat, nn.ConcatTokens:
		return &concat{s}
	case nn.Slice, nn.SliceTokens:
		return &slice{s}
	case nn.Flatten:
		return &flatten{s, kernels.NewTurn(s.pool.Size())}
	case nn.Unflatten:
		return &unflatten{s, kernels.NewTurn(s.pool.Size())}
	case nn.Affine, nn.Scale:
		return newAffine(s)
	case nn.Shuffle:
		return &shuffle{s}
	case nn.LayerNorm:
		return newLayerNorm(s)
	case nn.Attention:
		return newAttention(s)
	}
	return &identity{site: s}
}

// acts are the kernels' names of activation functions.
var acts = map[nn.Act]kernels.Act{
	nn.ReLU: kernels.ReLU, nn.ReLU6: kernels.ReLU6, nn.Sigmoid: kernels.Sigmoid, nn.SiLU: kernels.SiLU,
	nn.HardSigmoid: kernels.HardSigmoid, nn.HardSwish: kernels.HardSwish, nn.GELU: kernels.GELU, nn.GELUTanh: kernels.GELUTanh,
}

// convolution is also a linear layer, a 1×1 one.
type convolution struct {
	site
	shape   kernels.ConvShape
	product kernels.Repacker
	back    *kernels.ConvBack // nil where no parameter learns from the input's gradient
	grad    *kernels.ConvGrad // nil for weights that do not learn
	columns *kernels.Columns
	sums    []float64
}

// convShape is the geometry of a convolution or a linear layer.
func (net *Network) convShape(i int) kernels.ConvShape {
	node := &net.Graph.Nodes[i]
	in, out, k := net.Graph.Nodes[node.In[0]].Out, node.Out, node.Kernel
	if node.Op == nn.Linear {
		k = nn.K(1)
	}
	return kernels.ConvShape{
		C: in.C, H: in.H, W: in.W, OC: out.C, OH: out.H, OW: out.W, KH: k.H, KW: k.W, SH: k.SH, SW: k.SW, DH: k.DH, DW: k.DW,
		Top: k.Pad.Top, Left: k.Pad.Left, Groups: k.Groups,
	}
}

func newConvolution(s site) *convolution {
	c := &convolution{site: s, shape: s.convShape(s.i)}
	c.shape.Weight = s.Params[s.node.Weight]
	workers := s.pool.Size()
	if s.learned[s.node.Weight] {
		c.grad = kernels.NewConvGrad(c.shape, workers, &s.room)
	}
	if s.wanted[s.node.In[0]] {
		c.back = kernels.NewConvBack(c.shape, workers)
	}
	c.product = kernels.NewRepacker(c.shape, workers)
	c.columns, c.sums = kernels.NewColumns(workers), make([]float64, c.shape.OC)
	return c
}

func (c *convolution) forward() error {
	weight := c.Params[c.node.Weight]
	var bias []float32
	if c.node.Bias >= 0 {
		bias = c.Params[c.node.Bias]
	}
	c.product.Repack(c.pool, weight, bias)
	c.product.Run(c.pool, c.y(), c.x(0), kernels.Tensor{})
	return nil
}

func (c *convolution) backward() error {
	if c.grad != nil {
		c.grad.Run(c.pool, c.Gradients[c.node.Weight], c.dy(), c.x(0))
	}
	if c.node.Bias >= 0 && c.Gradients[c.node.Bias] != nil {
		c.columns.Sums(c.pool, c.sums, c.dy())
		narrow(c.Gradients[c.node.Bias], c.sums)
	}
	if c.back != nil {
		c.back.Repack(c.pool, c.Params[c.node.Weight])
		c.to(0, func(dst kernels.Tensor) { c.back.Run(c.pool, dst, c.dy()) })
	}
	return nil
}

// narrow fills dst, nil where a parameter does not learn.
func narrow(dst []float32, src []float64) {
	for i := range dst {
		dst[i] = float32(src[i])
	}
}

// batchNorm takes the batch's statistics in training, unless it is fixed, and the running ones in evaluation.
type batchNorm struct {
	site
	columns      *kernels.Columns
	forwards     *kernels.Pointwise
	backwards    *kernels.Blend
	scale, shift []float32 // forwards: y = x·scale + shift
	a, b, c      []float32 // backwards: dx = dy·a + x·b + c
	mean         []float32
	root         []float64 // √(variance + eps)
	sums, more   []float64
}

func newBatchNorm(s site) *batchNorm {
	c, workers := s.node.Out.C, s.pool.Size()
	floats := func() []float32 { return make([]float32, c) }
	n := &batchNorm{
		site: s, columns: kernels.NewColumns(workers), scale: floats(), shift: floats(), a: floats(), b: floats(), c: floats(),
		mean: floats(), root: make([]float64, c), sums: make([]float64, c), more: make([]float64, c),
	}
	n.forwards = kernels.NewPointwise(n.scale, n.shift, s.actOf(s.i), workers)
	n.backwards = kernels.NewBlend(n.a, n.b, n.c, workers)
	return n
}

func (n *batchNorm) forward() error {
	x := n.x(0)
	mean, variance := n.Params[n.node.Mean], n.Params[n.node.Var]
	size := float64(x.Pixels())
	ofBatch := n.training && !n.fixed()
	if ofBatch {
		if size < 2 {
			return errOneElement
		}
		n.columns.Sums(n.pool, n.sums, x)
		for c, v := range n.sums {
			n.mean[c] = float32(v / size)
		}
		n.columns.Squares(n.pool, n.more, x, n.mean)
	}
	for c := range n.scale {
		at, spread := float64(mean[c]), float64(variance[c])
		if ofBatch {
			// The squares are around the mean in float32, which is off by a little.
			exact := n.sums[c] / size
			off := exact - float64(n.mean[c])
			m := n.node.Momentum
			biased := max(n.more[c]/size-off*off, 0)
			n.pending[n.node.Mean][c] = float32(at + m*(exact-at))
			n.pending[n.node.Var][c] = float32(spread + m*(biased*size/(size-1)-spread))
			at, spread = exact, biased
		}
		n.root[c] = math.Sqrt(spread + n.node.Eps)
		scale, shift := n.weight(c)/n.root[c], 0.0
		if n.node.Bias >= 0 {
			shift = float64(n.Params[n.node.Bias][c])
		}
		n.scale[c], n.shift[c] = float32(scale), float32(shift-at*scale)
		n.mean[c] = float32(at)
	}
	n.forwards.Run(n.pool, n.y(), x, kernels.Tensor{}, nil)
	return nil
}

// fixed reports whether the running statistics serve in training too: so does a norm that does not learn, as a part of a
// network that is frozen.
func (n *batchNorm) fixed() bool { return n.node.Momentum == 0 || !n.learns(n.i) }

// weight is a channel's.
func (n *batchNorm) weight(c int) float64 {
	if n.node.Weight < 0 {
		return 1
	}
	return float64(n.Params[n.node.Weight][c])
}

func (n *batchNorm) backward() error {
	x, dy := n.x(0), n.dy()
	if n.fixed() {
		copy(n.a, n.scale)
		n.to(0, func(dst kernels.Tensor) { n.backwards.Run(n.pool, dst, dy, x) })
		return nil
	}
	size := float64(x.Pixels())
	along := n.more // Σ dy·(x − mean)
	n.columns.Products(n.pool, along, n.sums, x, dy)
	db := n.Gradients[n.node.Bias]
	for c, sum := range n.sums {
		mean := float64(n.mean[c])
		along[c] = (along[c] - mean*sum) / n.root[c]
		if db != nil {
			db[c] = float32(sum)
		}
		if n.node.Weight >= 0 && n.Gradients[n.node.Weight] != nil {
			n.Gradients[n.node.Weight][c] = float32(along[c])
		}
		a := n.weight(c) / n.root[c]
		b := -a * along[c] / size / n.root[c]
		n.a[c], n.b[c], n.c[c] = float32(a), float32(b), float32(-a*sum/size-b*mean)
	}
	n.to(0, func(dst kernels.Tensor) { n.backwards.Run(n.pool, dst, dy, x) })
	return nil
}
