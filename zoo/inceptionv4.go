package zoo

import "zoobench/zoo/nn"

// Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning,
// 2016, arXiv:1602.07261: Inception-v4 by figures 3 to 9; inceptionresnet.go has Inception-ResNet-v2.
//
// As released (TensorFlow, timm):
//   - batch norms have epsilon 1e-3, and average pools leave padding out of their divisor;
//   - the order of 1×n and n×1 within a branch is TensorFlow's, not always the figure's.
var inceptionV4s = family{name: "inception_v4", year: 2016, paper: "arXiv:1602.07261", rows: []row{
	{"inception_v4", inceptionV4, 299, 42_679_816, 12_253_974_624, Recipe{Interpolation: "bicubic", Mean: half, Std: half}},
	{"inception_resnet_v2", inceptionResNet{stem: inceptionResNetStem, rows: inceptionResNetRows, last: 1536}.build,
		299, 55_843_464, 13_155_794_016,
		Recipe{CropPct: 0.8975, Interpolation: "bicubic", Mean: half, Std: half}},
}}

// inceptionV4Stem is figure 3 up to its first concatenation.
var inceptionV4Stem = branch{
	{name: "features.0", out: 32, k: k3s2},
	{name: "features.1", out: 32, k: k3.Valid()},
	{name: "features.2", out: 64, k: k3},
}

// inceptionV4Rows are the rest of figure 3 and figure 9 from there up, one module an index of timm's flat list.
var inceptionV4Rows = []struct {
	m     branches
	times int
	want  nn.Shape
}{
	{branches{
		{max3s2},
		{{name: "conv", out: 96, k: k3s2}},
	}, 1, nn.Shape{C: 160, H: 73, W: 73}},
	{branches{
		{{name: "branch0.0", out: 64, k: k1}, {name: "branch0.1", out: 96, k: k3.Valid()}},
		{{name: "branch1.0", out: 64, k: k1}, {name: "branch1.1", out: 64, k: k1x7}, {name: "branch1.2", out: 64, k: k7x1},
			{name: "branch1.3", out: 96, k: k3.Valid()}},
	}, 1, nn.Shape{C: 192, H: 71, W: 71}},
	{branches{
		{{name: "conv", out: 192, k: k3s2}},
		{max3s2},
	}, 1, nn.Shape{C: 384, H: 35, W: 35}},
	{branches{ // figure 4
		{{name: "branch0", out: 96, k: k1}},
		{{name: "branch1.0", out: 64, k: k1}, {name: "branch1.1", out: 96, k: k3}},
		{{name: "branch2.0", out: 64, k: k1}, {name: "branch2.1", out: 96, k: k3}, {name: "branch2.2", out: 96, k: k3}},
		{avg3NoPad, {name: "branch3.1", out: 96, k: k1}},
	}, 4, nn.Shape{C: 384, H: 35, W: 35}},
	{branches{ // figure 7
		{{name: "branch0", out: 384, k: k3s2}},
		{{name: "branch1.0", out: 192, k: k1}, {name: "branch1.1", out: 224, k: k3}, {name: "branch1.2", out: 256, k: k3s2}},
		{max3s2},
	}, 1, nn.Shape{C: 1024, H: 17, W: 17}},
	{branches{ // figure 5
		{{name: "branch0", out: 384, k: k1}},
		{{name: "branch1.0", out: 192, k: k1}, {name: "branch1.1", out: 224, k: k1x7}, {name: "branch1.2", out: 256, k: k7x1}},
		{{name: "branch2.0", out: 192, k: k1}, {name: "branch2.1", out: 192, k: k7x1}, {name: "branch2.2", out: 224, k: k1x7},
			{name: "branch2.3", out: 224, k: k7x1}, {name: "branch2.4", out: 256, k: k1x7}},
		{avg3NoPad, {name: "branch3.1", out: 128, k: k1}},
	}, 7, nn.Shape{C: 1024, H: 17, W: 17}},
	{branches{ // figure 8
		{{name: "branch0.0", out: 192, k: k1}, {name: "branch0.1", out: 192, k: k3s2}},
		{{name: "branch1.0", out: 256, k: k1}, {name: "branch1.1", out: 256, k: k1x7}, {name: "branch1.2", out: 320, k: k7x1},
			{name: "branch1.3", out: 320, k: k3s2}},
		{max3s2},
	}, 1, nn.Shape{C: 1536, H: 8, W: 8}},
	{branches{ // figure 6
		{{name: "branch0", out: 256, k: k1}},
		{{name: "branch1_0", out: 384, k: k1},
			{fork: []step{{name: "branch1_1a", out: 256, k: k1x3}, {name: "branch1_1b", out: 256, k: k3x1}}}},
		{{name: "branch2_0", out: 384, k: k1}, {name: "branch2_1", out: 448, k: k3x1}, {name: "branch2_2", out: 512, k: k1x3},
			{fork: []step{{name: "branch2_3a", out: 256, k: k1x3}, {name: "branch2_3b", out: 256, k: k3x1}}}},
		{avg3NoPad, {name: "branch3.1", out: 256, k: k1}},
	}, 3, nn.Shape{C: 1536, H: 8, W: 8}},
}

func inceptionV4(g *nn.Builder, x nn.Value) nn.Value {
	x = inceptionV4Stem.build(g, x, scopedConv(g))
	layer := len(inceptionV4Stem)
	for _, r := range inceptionV4Rows {
		for range r.times {
			s := g.In("features.%d", layer)
			x = s.Expect(r.m.build(s, x, scopedConv(s)), r.want)
			layer++
		}
	}
	return g.Linear("last_linear", g.GlobalAvgPool(x), g.Classes)
}
