package twin

import (
	"fmt"

	"zoobench/kernels/ref"
	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
)

// back takes the gradient of node i's value to its inputs and its parameters.
func (p *pass) back(i int) error {
	node, dy, n := &p.Graph.Nodes[i], p.dvalues[i], p.images(i)
	xs := interp.Inputs(p.Graph, i, p.values, n)
	var in nn.Shape // of the first input
	var x, dx []float64
	if len(xs) > 0 {
		in, x = p.Graph.Nodes[node.In[0]].Out, xs[0]
		dx = make([]float64, len(x))
	}
	w := p.param(node.Weight)
	dw := make([]float64, len(w))
	db := make([]float64, len(p.param(node.Bias)))
	c, pixels := in.C, in.H*in.W
	switch node.Op {
	case nn.Conv:
		convGrad(dx, dw, db, dy, x, w, node, in, n)
	case nn.Linear:
		if len(db) == 0 {
			db = nil
		}
		ref.LinearGrad(dx, dw, db, dy, x, w, n, c, node.Out.C, pixels)
	case nn.BatchNorm:
		ref.BatchNormGrad(dx, dw, db, dy, x, w, node.Eps, n, c, pixels)
	case nn.GroupNorm:
		ref.GroupNormGrad(dx, dw, db, dy, x, w, node.Eps, node.Groups, n, c, pixels)
	case nn.LayerNorm:
		ref.LayerNormGrad(dx, dw, db, dy, x, w, node.Eps, n, c, pixels)
	case nn.Activate:
		slope, known := slopes[node.Act]
		if !known {
			return fmt.Errorf("no gradient of activation %v", node.Act)
		}
		ref.ApplyGrad(dx, dy, x, slope)
	case nn.MaxPool:
		ref.MaxPoolGrad(dx, dy, x, interp.PoolSize(node, in, n))
	case nn.AvgPool:
		ref.AvgPoolGrad(dx, dy, node.Kernel.ExcludePad, interp.PoolSize(node, in, n))
	case nn.AdaptiveAvgPool:
		ref.AdaptiveAvgPoolGrad(dx, dy, n*c, in.H, in.W, node.Out.H, node.Out.W)
	case nn.Add:
		for _, to := range node.In {
			p.add(to, dy)
		}
		return nil
	case nn.Mul:
		dgate := make([]float64, len(xs[1]))
		ref.MulGrad(dx, dgate, dy, x, xs[1], n*c, pixels)
		p.add(node.In[1], dgate)
	case nn.Scale:
		ref.AffineGrad(dx, dw, nil, dy, x, w, n, c, pixels)
	case nn.Affine:
		ref.AffineGrad(dx, nil, nil, dy, x, node.Scale, n, c, pixels)
	case nn.SplitSoftmax:
		ref.SplitSoftmaxGrad(dx, dy, p.values[i], node.Groups, n, c, pixels)
	case nn.ChannelConv:
		ref.ChannelConvGrad(dx, dw, dy, x, w, n, c)
	case nn.Identity:
		copy(dx, dy)
		if factors := p.factors(i); factors != nil {
			ref.Mul(dx, dy, factors, 1, len(dy))
		}
	case nn.Resample:
		ref.ResampleGrad(dx, dy, node.FromGrid, node.ToGrid, node.Prefix, c)
	case nn.Attention:
		var bias, dbias []float64
		if len(xs) > 1 {
			bias, dbias = xs[1], make([]float64, len(xs[1]))
		}
		ref.AttentionGrad(dx, dbias, dy, x, bias, interp.AttentionSize(node, n))
		if bias != nil {
			p.add(node.In[1], dbias)
		}
	case nn.Flatten, nn.Tokens, nn.Grid, nn.Slice, nn.SliceTokens, nn.Shuffle, nn.Pad, nn.Concat, nn.ConcatTokens, nn.Const:
		return p.moved(i, xs, n)
	case nn.Input, nn.RelCoords:
		return nil
	default:
		return fmt.Errorf("no gradient of %v", node.Op)
	}
	p.add(node.In[0], dx)
	p.learn(node.Weight, dw)
	p.learn(node.Bias, db)
	return nil
}

// slopes are the derivatives of the activation functions.
var slopes = map[nn.Act]func(float64) float64{
	nn.ReLU: ref.ReLUSlope, nn.ReLU6: ref.ReLU6Slope, nn.Sigmoid: ref.SigmoidSlope, nn.SiLU: ref.SiLUSlope,
	nn.HardSigmoid: ref.HardSigmoidSlope, nn.HardSwish: ref.HardSwishSlope, nn.GELU: ref.GELUSlope, nn.GELUTanh: ref.GELUTanhSlope,
}

// convGrad is ref.ConvGrad of a node's weights as they are used, standardised or not.
func convGrad(dx, dw, db, dy, x, w []float64, node *nn.Node, in nn.Shape, n int) {
	if len(db) == 0 {
		db = nil
	}
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

// moved is the gradient of a node that computes nothing and puts each element of its result where one of its inputs, or of
// its parameter, has it. The oracle moves numbers of places in the same way, which says where each comes from; 0 is nowhere.
func (p *pass) moved(i int, xs [][]float64, n int) error {
	node := &p.Graph.Nodes[i]
	places, params := make([][]float64, len(xs)), interp.Params[float64]{}
	next := 0
	number := func(size int) []float64 {
		all := make([]float64, size)
		for k := range all {
			next++
			all[k] = float64(next)
		}
		return all
	}
	for k, x := range xs {
		places[k] = number(len(x))
	}
	if node.Op == nn.Const {
		params.Weight = number(len(p.Params[node.Weight]))
	}
	from, err := interp.Node(p.Graph, i, places, params, n)
	if err != nil {
		return err
	}
	all := make([]float64, next+1)
	for k, at := range from {
		all[int(at)] += p.dvalues[i][k]
	}
	all = all[1:]
	for k, x := range xs {
		p.add(node.In[k], all[:len(x)])
		all = all[len(x):]
	}
	p.learn(node.Weight, all)
	return nil
}
