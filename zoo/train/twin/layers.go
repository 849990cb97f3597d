package twin

import (
	"fmt"

	"zoobench/kernels/ref"
	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
)

// back takes the gradient of node i's value to its inputs and its parameters.
func (p *pass) back(i int) error {
	node, n := &p.Graph.Nodes[i], p.images(i)
	dy := p.dvalues[i]
	if factors := p.factors(i); factors != nil {
		dy = make([]float64, len(dy))
		ref.Mul(dy, p.dvalues[i], factors, 1, len(dy))
	}
	params := interp.Params[float64]{Weight: p.param(node.Weight), Bias: p.param(node.Bias), Var: p.param(node.Var)}
	dxs, dparams, err := Back(p.Graph, i, interp.Inputs(p.Graph, i, p.values, n), p.values[i], dy, params, n)
	for k, dx := range dxs {
		p.add(node.In[k], dx)
	}
	p.learn(node.Weight, dparams.Weight)
	p.learn(node.Bias, dparams.Bias)
	return err
}

// Back is the gradients of node i for its inputs and its parameters, from dy, that of its value y, over n images. A batch norm
// is one by the batch's statistics. What a node drops is left to the caller.
func Back(g *nn.Graph, i int, xs [][]float64, y, dy []float64, p interp.Params[float64], n int) (
	dxs [][]float64, dp interp.Params[float64], err error) {
	node := &g.Nodes[i]
	var in nn.Shape // of the first input
	var x []float64
	for _, v := range xs {
		dxs = append(dxs, make([]float64, len(v)))
	}
	var dx []float64
	if len(xs) > 0 {
		in, x, dx = g.Nodes[node.In[0]].Out, xs[0], dxs[0]
	}
	w := p.Weight
	if w != nil {
		dp.Weight = make([]float64, len(w))
	}
	if p.Bias != nil {
		dp.Bias = make([]float64, len(p.Bias))
	}
	dw, db := dp.Weight, dp.Bias
	c, pixels := in.C, in.H*in.W
	switch node.Op {
	case nn.Conv:
		convGrad(dx, dw, db, dy, x, w, node, in, n)
	case nn.Linear:
		ref.LinearGrad(dx, dw, db, dy, x, w, n, c, node.Out.C, pixels)
	case nn.BatchNorm:
		if node.Momentum == 0 { // what it subtracts and divides by depends on no image
			ref.BatchNorm(dx, dy, make([]float64, c), p.Var, nil, nil, node.Eps, n, c, pixels)
			break
		}
		ref.BatchNormGrad(dx, dw, db, dy, x, w, node.Eps, n, c, pixels)
	case nn.GroupNorm:
		ref.GroupNormGrad(dx, dw, db, dy, x, w, node.Eps, node.Groups, n, c, pixels)
	case nn.LayerNorm:
		ref.LayerNormGrad(dx, dw, db, dy, x, w, node.Eps, n, c, pixels)
	case nn.Activate:
		slope, known := slopes[node.Act]
		if !known {
			return nil, dp, fmt.Errorf("no gradient of activation %v", node.Act)
		}
		ref.ApplyGrad(dx, dy, x, slope)
	case nn.MaxPool:
		ref.MaxPoolGrad(dx, dy, x, interp.PoolSize(node, in, n))
	case nn.AvgPool:
		ref.AvgPoolGrad(dx, dy, node.Kernel.ExcludePad, interp.PoolSize(node, in, n))
	case nn.AdaptiveAvgPool:
		ref.AdaptiveAvgPoolGrad(dx, dy, n*c, in.H, in.W, node.Out.H, node.Out.W)
	case nn.Add:
		for _, d := range dxs {
			copy(d, dy)
		}
	case nn.Mul:
		ref.MulGrad(dx, dxs[1], dy, x, xs[1], n*c, pixels)
	case nn.Scale:
		ref.AffineGrad(dx, dw, nil, dy, x, w, n, c, pixels)
	case nn.Affine:
		ref.AffineGrad(dx, nil, nil, dy, x, node.Scale, n, c, pixels)
	case nn.SplitSoftmax:
		ref.SplitSoftmaxGrad(dx, dy, y, node.Groups, n, c, pixels)
	case nn.ChannelConv:
		ref.ChannelConvGrad(dx, dw, dy, x, w, n, c)
	case nn.Resample:
		ref.ResampleGrad(dx, dy, node.FromGrid, node.ToGrid, node.Prefix, c)
	case nn.Attention:
		var bias, dbias []float64
		if len(xs) > 1 {
			bias, dbias = xs[1], dxs[1]
		}
		ref.AttentionGrad(dx, dbias, dy, x, bias, interp.AttentionSize(node, n))
	case nn.Identity, nn.Flatten, nn.Unflatten, nn.Tokens, nn.Grid, nn.Slice, nn.SliceTokens, nn.Shuffle, nn.Pad, nn.Concat,
		nn.ConcatTokens, nn.Const:
		err = moved(g, i, dxs, dw, dy, n)
	case nn.Input, nn.RelCoords:
	default:
		err = fmt.Errorf("no gradient of %v", node.Op)
	}
	return dxs, dp, err
}

// slopes are the derivatives of the activation functions.
var slopes = map[nn.Act]func(float64) float64{
	nn.ReLU: ref.ReLUSlope, nn.ReLU6: ref.ReLU6Slope, nn.Sigmoid: ref.SigmoidSlope, nn.SiLU: ref.SiLUSlope,
	nn.HardSigmoid: ref.HardSigmoidSlope, nn.HardSwish: ref.HardSwishSlope, nn.GELU: ref.GELUSlope, nn.GELUTanh: ref.GELUTanhSlope,
}

// convGrad is ref.ConvGrad of a node's weights as they are used, standardised or not.
func convGrad(dx, dw, db, dy, x, w []float64, node *nn.Node, in nn.Shape, n int) {
	size := interp.ConvSize(node, in, n)
	if node.Kernel.StdEps == 0 {
		ref.ConvGrad(dx, dw, db, dy, x, w, size)
		return
	}
	standard, dstandard := make([]float64, len(w)), make([]float64, len(w))
	ref.Standardize(standard, w, node.Kernel.StdEps, node.Out.C)
	ref.ConvGrad(dx, dstandard, db, dy, x, standard, size)
	ref.StandardizeGrad(dw, dstandard, w, node.Kernel.StdEps, node.Out.C)
}

// moved is the gradient of a node that computes nothing and puts each element of its result where one of its inputs, or its
// parameter, has it. The oracle moves numbers of places in the same way, which says where each comes from; 0 is nowhere.
func moved(g *nn.Graph, i int, dxs [][]float64, dw, dy []float64, n int) error {
	places, params := make([][]float64, len(dxs)), interp.Params[float64]{}
	next := 0
	number := func(size int) []float64 {
		all := make([]float64, size)
		for k := range all {
			next++
			all[k] = float64(next)
		}
		return all
	}
	for k, d := range dxs {
		places[k] = number(len(d))
	}
	params.Weight = number(len(dw))
	from, err := interp.Node(g, i, places, params, n)
	if err != nil {
		return err
	}
	all := make([]float64, next+1)
	for k, at := range from {
		all[int(at)] += dy[k]
	}
	all = all[1:]
	for _, d := range append(dxs, dw) {
		all = all[copy(d, all):]
	}
	return nil
}
