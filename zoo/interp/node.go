package interp

import (
	"fmt"
	"slices"

	"zoobench/kernels/ref"
	"zoobench/zoo/nn"
)

// Params are one node's parameters, flat in row-major order; nil where it has none.
type Params[P ref.Float] struct{ Weight, Bias, Mean, Var []P }

// Inputs are what node i reads, of n images: a value that is one for all images comes once for each. An attention's bias
// stays as it is.
func Inputs(g *nn.Graph, i int, values [][]float64, n int) [][]float64 {
	node := &g.Nodes[i]
	var xs [][]float64
	for k, in := range node.In {
		v := values[in]
		if g.Spread(i, k) {
			v = slices.Repeat(v, n)
		}
		xs = append(xs, v)
	}
	return xs
}

// Node computes node i for n images from its inputs, which it leaves alone.
func Node[P ref.Float](g *nn.Graph, i int, xs [][]float64, p Params[P], n int) ([]float64, error) {
	node := &g.Nodes[i]
	var shape nn.Shape // of the first input
	var x []float64    // the first input
	if len(xs) > 0 {
		shape, x = g.Nodes[node.In[0]].Out, xs[0]
	}
	y, c, pixels := make([]float64, n*node.Out.Elems()), shape.C, shape.H*shape.W
	switch node.Op {
	case nn.Conv:
		conv(y, x, p.Weight, p.Bias, node, shape, n)
	case nn.Linear:
		ref.Linear(y, x, p.Weight, p.Bias, n, c, node.Out.C, pixels)
	case nn.BatchNorm:
		ref.BatchNorm(y, x, p.Mean, p.Var, p.Weight, p.Bias, node.Eps, n, c, pixels)
	case nn.GroupNorm:
		ref.GroupNorm(y, x, p.Weight, p.Bias, node.Eps, node.Groups, n, c, pixels)
	case nn.LayerNorm:
		ref.LayerNorm(y, x, p.Weight, p.Bias, node.Eps, n, c, pixels)
	case nn.Activate:
		f, err := activation(node.Act)
		if err != nil {
			return nil, err
		}
		ref.Apply(y, x, f)
	case nn.MaxPool:
		ref.MaxPool(y, x, PoolSize(node, shape, n))
	case nn.AvgPool:
		ref.AvgPool(y, x, node.Kernel.ExcludePad, PoolSize(node, shape, n))
	case nn.AdaptiveAvgPool:
		ref.AdaptiveAvgPool(y, x, n*c, shape.H, shape.W, node.Out.H, node.Out.W)
	case nn.Add:
		ref.Add(y, xs...)
	case nn.Mul:
		ref.Mul(y, x, xs[1], n*c, pixels)
	case nn.Scale:
		ref.Affine(y, x, p.Weight, nil, n, c, pixels)
	case nn.Affine:
		ref.Affine(y, x, node.Scale, node.Shift, n, c, pixels)
	case nn.Concat:
		ref.Concat(y, n, xs...)
	case nn.Slice:
		ref.Slice(y, x, node.From, node.To, n, c, pixels)
	case nn.Shuffle:
		ref.Shuffle(y, x, node.Groups, n, c, pixels)
	case nn.SplitSoftmax:
		ref.SplitSoftmax(y, x, node.Groups, n, c, pixels)
	case nn.ChannelConv:
		ref.ChannelConv(y, x, p.Weight, n, c)
	case nn.Pad:
		e := node.Kernel.Pad
		ref.Pad(y, x, e.Top, e.Left, e.Bottom, e.Right, n*c, shape.H, shape.W)
	case nn.Flatten, nn.Unflatten, nn.Identity, nn.Tokens, nn.Grid:
		copy(y, x) // N,C,H,W order is what all of them ask for
	case nn.SliceTokens:
		ref.SliceTokens(y, x, node.From, node.To, n*c, shape.W)
	case nn.ConcatTokens:
		ref.Concat(y, n*node.Out.C, xs...) // tokens of a channel follow one another as channels of an image do
	case nn.Const:
		ref.Planes(y, p.Weight, node.Out.C, node.Out.H*node.Out.W)
	case nn.RelCoords:
		ref.RelCoords(y, (node.Out.H+1)/2, (node.Out.W+1)/2)
	case nn.Resample:
		ref.Resample(y, x, node.FromGrid, node.ToGrid, node.Prefix, c)
	case nn.Attention:
		var table []float64
		if len(xs) > 1 {
			table = xs[1]
		}
		ref.Attention(y, x, table, AttentionSize(node, n))
	default:
		return nil, fmt.Errorf("node %d: no such operation: %v", i, node.Op)
	}
	return y, nil
}

func conv[P ref.Float](y, x []float64, weight, bias []P, node *nn.Node, in nn.Shape, n int) {
	s := ConvSize(node, in, n)
	if node.Kernel.StdEps == 0 {
		ref.Conv(y, x, weight, bias, s)
		return
	}
	standard := make([]float64, len(weight))
	ref.Standardize(standard, weight, node.Kernel.StdEps, node.Out.C)
	var bias64 []float64
	for _, v := range bias {
		bias64 = append(bias64, float64(v))
	}
	ref.Conv(y, x, standard, bias64, s)
}

// ConvSize is the shapes of a convolution over n images of shape in.
func ConvSize(node *nn.Node, in nn.Shape, n int) ref.ConvSize {
	return ref.ConvSize{
		N: n, C: in.C, H: in.H, W: in.W, O: node.Out.C, OH: node.Out.H, OW: node.Out.W,
		Groups: node.Kernel.Groups, Window: window(node.Kernel),
	}
}

// PoolSize is the shapes of a pool over n images of shape in.
func PoolSize(node *nn.Node, in nn.Shape, n int) ref.PoolSize {
	return ref.PoolSize{
		NC: n * in.C, H: in.H, W: in.W, OH: node.Out.H, OW: node.Out.W, Window: window(node.Kernel),
	}
}

// AttentionSize is the shapes and options of an attention over n images.
func AttentionSize(node *nn.Node, n int) ref.AttentionSize {
	a := node.Attention
	return ref.AttentionSize{
		N: n, H: node.Out.H, W: node.Out.W, Heads: a.Heads, D: node.Out.C / a.Heads,
		Scale: a.Scale, HeadsFirst: a.HeadsFirst, Window: a.Window, Shift: a.Shift,
	}
}

func window(k nn.Kernel) ref.Window {
	return ref.Window{
		H: k.H, W: k.W, SH: k.SH, SW: k.SW, DH: k.DH, DW: k.DW,
		Top: k.Pad.Top, Left: k.Pad.Left, Bottom: k.Pad.Bottom, Right: k.Pad.Right,
	}
}

func activation(a nn.Act) (func(float64) float64, error) {
	switch a {
	case nn.ReLU:
		return ref.ReLU, nil
	case nn.ReLU6:
		return ref.ReLU6, nil
	case nn.Sigmoid:
		return ref.Sigmoid, nil
	case nn.SiLU:
		return ref.SiLU, nil
	case nn.HardSigmoid:
		return ref.HardSigmoid, nil
	case nn.HardSwish:
		return ref.HardSwish, nil
	case nn.GELU:
		return ref.GELU, nil
	case nn.GELUTanh:
		return ref.GELUTanh, nil
	}
	return nil, fmt.Errorf("no such activation: %v", a)
}
