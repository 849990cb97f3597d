package zoo

import "zoobench/zoo/nn"

// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture for Computer Vision, 2015,
// arXiv:1512.00567, table 1 and figures 5 to 7 and 10.
//
// As released (TensorFlow, torchvision, timm):
//   - batch norms have epsilon 1e-3, and average pools count their padding;
//   - between table 1's first pool and its first module stand a 1×1 to 80 channels, a 3×3 to 192 and a pool;
//   - the modules of figure 5 keep a branch with a 5×5; n = 7 in figure 6, whose inner width grows from 128 to 192.
//
// torchvision's takes images normalised by ImageNet's statistics and brings them to −1 … 1 itself; timm's takes −1 … 1.
// The auxiliary head stands in torchvision's file, and in timm's copy of it; it is not run.
var inceptionV3s = family{name: "inception_v3", year: 2015, paper: "arXiv:1512.00567", rows: []row{
	{"inception_v3", inceptionV3{}.build, 299, 23_834_568, 5_713_216_096, Recipe{Interpolation: "bicubic", Mean: half, Std: half}},
	{"tv_inception_v3", inceptionV3{fromImageNet: true}.build, 299, 23_834_568, 5_713_216_096, Recipe{CropPct: 0.8743, Resize: 342}},
}}

type inceptionV3 struct {
	fromImageNet bool
	keras        bool // see kerasinception.go
}

// inceptionA is figure 5, at 35×35 pixels.
func inceptionA(pool int) branches {
	return branches{
		{{name: "branch1x1", out: 64, k: k1}},
		{{name: "branch5x5_1", out: 48, k: k1}, {name: "branch5x5_2", out: 64, k: k5}},
		{{name: "branch3x3dbl_1", out: 64, k: k1}, {name: "branch3x3dbl_2", out: 96, k: k3}, {name: "branch3x3dbl_3", out: 96, k: k3}},
		{avg3, {name: "branch_pool", out: pool, k: k1}},
	}
}

// inceptionB is figure 10 at 35×35 pixels.
var inceptionB = branches{
	{{name: "branch3x3", out: 384, k: k3s2}},
	{{name: "branch3x3dbl_1", out: 64, k: k1}, {name: "branch3x3dbl_2", out: 96, k: k3}, {name: "branch3x3dbl_3", out: 96, k: k3s2}},
	{max3s2},
}

// inceptionC is figure 6, n×n factored into 1×n and n×1, at 17×17 pixels.
func inceptionC(c int) branches {
	return branches{
		{{name: "branch1x1", out: 192, k: k1}},
		{{name: "branch7x7_1", out: c, k: k1}, {name: "branch7x7_2", out: c, k: k1x7}, {name: "branch7x7_3", out: 192, k: k7x1}},
		{{name: "branch7x7dbl_1", out: c, k: k1}, {name: "branch7x7dbl_2", out: c, k: k7x1}, {name: "branch7x7dbl_3", out: c, k: k1x7},
			{name: "branch7x7dbl_4", out: c, k: k7x1}, {name: "branch7x7dbl_5", out: 192, k: k1x7}},
		{avg3, {name: "branch_pool", out: 192, k: k1}},
	}
}

// inceptionD is figure 10 at 17×17 pixels.
var inceptionD = branches{
	{{name: "branch3x3_1", out: 192, k: k1}, {name: "branch3x3_2", out: 320, k: k3s2}},
	{{name: "branch7x7x3_1", out: 192, k: k1}, {name: "branch7x7x3_2", out: 192, k: k1x7}, {name: "branch7x7x3_3", out: 192, k: k7x1},
		{name: "branch7x7x3_4", out: 192, k: k3s2}},
	{max3s2},
}

// inceptionE is figure 7, widened filter banks, at 8×8 pixels.
var inceptionE = branches{
	{{name: "branch1x1", out: 320, k: k1}},
	{{name: "branch3x3_1", out: 384, k: k1},
		{fork: []step{{name: "branch3x3_2a", out: 384, k: k1x3}, {name: "branch3x3_2b", out: 384, k: k3x1}}}},
	{{name: "branch3x3dbl_1", out: 448, k: k1}, {name: "branch3x3dbl_2", out: 384, k: k3},
		{fork: []step{{name: "branch3x3dbl_3a", out: 384, k: k1x3}, {name: "branch3x3dbl_3b", out: 384, k: k3x1}}}},
	{avg3, {name: "branch_pool", out: 192, k: k1}},
}

// inceptionV3Stem is table 1 up to the first module.
var inceptionV3Stem = branch{
	{name: "Conv2d_1a_3x3", out: 32, k: k3s2},
	{name: "Conv2d_2a_3x3", out: 32, k: k3.Valid()},
	{name: "Conv2d_2b_3x3", out: 64, k: k3},
	max3s2,
	{name: "Conv2d_3b_1x1", out: 80, k: k1},
	{name: "Conv2d_4a_3x3", out: 192, k: k3.Valid()},
	max3s2,
}

var inceptionV3Rows = []struct {
	name string
	m    branches
	want nn.Shape
}{
	{"Mixed_5b", inceptionA(32), nn.Shape{C: 256, H: 35, W: 35}},
	{"Mixed_5c", inceptionA(64), nn.Shape{C: 288, H: 35, W: 35}},
	{"Mixed_5d", inceptionA(64), nn.Shape{C: 288, H: 35, W: 35}},
	{"Mixed_6a", inceptionB, nn.Shape{C: 768, H: 17, W: 17}},
	{"Mixed_6b", inceptionC(128), nn.Shape{C: 768, H: 17, W: 17}},
	{"Mixed_6c", inceptionC(160), nn.Shape{C: 768, H: 17, W: 17}},
	{"Mixed_6d", inceptionC(160), nn.Shape{C: 768, H: 17, W: 17}},
	{"Mixed_6e", inceptionC(192), nn.Shape{C: 768, H: 17, W: 17}},
	{"Mixed_7a", inceptionD, nn.Shape{C: 1280, H: 8, W: 8}},
	{"Mixed_7b", inceptionE, nn.Shape{C: 2048, H: 8, W: 8}},
	{"Mixed_7c", inceptionE, nn.Shape{C: 2048, H: 8, W: 8}},
}

func (v inceptionV3) build(g *nn.Builder, x nn.Value) nn.Value {
	if v.fromImageNet {
		x = fromImageNet(g, x)
	}
	conv := scopedConv
	if v.keras {
		conv = shiftingConv
	}
	x = inceptionV3Stem.build(g, x, conv(g))
	for _, r := range inceptionV3Rows {
		s, m := g.In("%s", r.name), r.m
		if v.keras {
			m = m.withoutPad()
		}
		x = s.Expect(m.build(s, x, conv(s)), r.want)
	}
	if v.keras {
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}
	aux := g.In("AuxLogits")
	auxConv(aux.In("conv0"), 768, 128, 1)
	auxConv(aux.In("conv1"), 128, 768, 5)
	aux.Aux("fc.weight", g.Classes, 768)
	aux.Aux("fc.bias", g.Classes)
	return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
}
