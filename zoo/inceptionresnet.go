package zoo

import "zoobench/zoo/nn"

// Inception-ResNet-v2 of arXiv:1602.07261 (Szegedy and others 2016), figures 15 to 20; its row stands with
// Inception-v4's.
//
// As released (TensorFlow, timm):
//   - batch norms have epsilon 1e-3, and average pools leave padding out of their divisor;
//   - the stem is Inception v3's and a module of four branches, not figure 3;
//   - there are 10, 20 and 10 residual modules, of 320, 1088 and 2080 channels, where figure 15 has 5, 10 and 5;
//   - residuals are scaled by 0.17, 0.1 and 0.2 (figure 20); the very last is not, and has no ReLU behind its sum;
//   - a 1×1 to 1536 channels stands before the last pool.
type inceptionResNetRow struct {
	name  string
	times int     // 0 for a module whose name has no index
	scale float64 // of a residual, whose branches a 1×1 brings back to the input's channels; 0 means no residual
	m     branches
	want  nn.Shape
}

var inceptionResNetStem = branch{
	{name: "conv2d_1a", out: 32, k: k3s2},
	{name: "conv2d_2a", out: 32, k: k3.Valid()},
	{name: "conv2d_2b", out: 64, k: k3},
	max3s2,
	{name: "conv2d_3b", out: 80, k: k1},
	{name: "conv2d_4a", out: 192, k: k3.Valid()},
	max3s2,
}

var inceptionResNetRows = []inceptionResNetRow{
	{"mixed_5b", 0, 0, branches{
		{{name: "branch0", out: 96, k: k1}},
		{{name: "branch1.0", out: 48, k: k1}, {name: "branch1.1", out: 64, k: k5}},
		{{name: "branch2.0", out: 64, k: k1}, {name: "branch2.1", out: 96, k: k3}, {name: "branch2.2", out: 96, k: k3}},
		{avg3NoPad, {name: "branch3.1", out: 64, k: k1}},
	}, nn.Shape{C: 320, H: 35, W: 35}},
	{"repeat", 10, 0.17, branches{ // figure 16
		{{name: "branch0", out: 32, k: k1}},
		{{name: "branch1.0", out: 32, k: k1}, {name: "branch1.1", out: 32, k: k3}},
		{{name: "branch2.0", out: 32, k: k1}, {name: "branch2.1", out: 48, k: k3}, {name: "branch2.2", out: 64, k: k3}},
	}, nn.Shape{C: 320, H: 35, W: 35}},
	{"mixed_6a", 0, 0, branches{ // figure 7
		{{name: "branch0", out: 384, k: k3s2}},
		{{name: "branch1.0", out: 256, k: k1}, {name: "branch1.1", out: 256, k: k3}, {name: "branch1.2", out: 384, k: k3s2}},
		{max3s2},
	}, nn.Shape{C: 1088, H: 17, W: 17}},
	{"repeat_1", 20, 0.1, branches{ // figure 17
		{{name: "branch0", out: 192, k: k1}},
		{{name: "branch1.0", out: 128, k: k1}, {name: "branch1.1", out: 160, k: k1x7}, {name: "branch1.2", out: 192, k: k7x1}},
	}, nn.Shape{C: 1088, H: 17, W: 17}},
	{"mixed_7a", 0, 0, branches{ // figure 18
		{{name: "branch0.0", out: 256, k: k1}, {name: "branch0.1", out: 384, k: k3s2}},
		{{name: "branch1.0", out: 256, k: k1}, {name: "branch1.1", out: 288, k: k3s2}},
		{{name: "branch2.0", out: 256, k: k1}, {name: "branch2.1", out: 288, k: k3}, {name: "branch2.2", out: 320, k: k3s2}},
		{max3s2},
	}, nn.Shape{C: 2080, H: 8, W: 8}},
	{"repeat_2", 9, 0.2, inceptionResNetC, nn.Shape{C: 2080, H: 8, W: 8}},
	{"block8", 0, 1, inceptionResNetC, nn.Shape{C: 2080, H: 8, W: 8}},
}

// inceptionResNetC is figure 19.
var inceptionResNetC = branches{
	{{name: "branch0", out: 192, k: k1}},
	{{name: "branch1.0", out: 192, k: k1}, {name: "branch1.1", out: 224, k: k1x3}, {name: "branch1.2", out: 256, k: k3x1}},
}

// inceptionResNet is such a network as a table.
type inceptionResNet struct {
	stem branch
	rows []inceptionResNetRow
	last int                           // channels before the last pool
	cut  bool                          // no residual module has its sum
	conv func(*nn.Builder) convolution // nil means scopedConv
}

func (n inceptionResNet) build(g *nn.Builder, x nn.Value) nn.Value {
	if n.conv == nil {
		n.conv = scopedConv
	}
	x = n.stem.build(g, x, n.conv(g))
	for _, r := range n.rows {
		if r.times == 0 {
			x = n.module(g.In("%s", r.name), x, r)
		}
		for i := range r.times {
			x = g.ReLU(n.module(g.In("%s.%d", r.name, i), x, r))
		}
		x = g.Expect(x, r.want)
	}
	x = n.conv(g)("conv2d_7b", x, n.last, k1)
	return g.Linear("classif", g.GlobalAvgPool(x), g.Classes)
}

func (n inceptionResNet) module(g *nn.Builder, x nn.Value, r inceptionResNetRow) nn.Value {
	y := r.m.build(g, x, n.conv(g))
	if r.scale == 0 {
		return y
	}
	y = g.Conv("conv2d", y, x.C, k1.WithBias())
	if n.cut {
		return y
	}
	if r.scale != 1 {
		y = g.Affine(y, []float64{r.scale}, nil)
	}
	return g.Add(y, x)
}
