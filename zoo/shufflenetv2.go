package zoo

import "zoobench/zoo/nn"

// Ma, Zhang, Zheng, Sun: ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design, 2018,
// arXiv:1807.11164, table 5 and figure 3.
//
// As torchvision released it, which is as printed. x0_5 and x1_0 have goldens: the others' MACs are this graph's count,
// their parameters torchvision's.
type shuffleNetV2 struct {
	stages [3]int // channels of stages 2 to 4
	last   int    // of the convolution behind them
	pocket bool   // for 32×32 pixels: the stem keeps them and no pool follows
}

var shuffleNetV2s = family{name: "shufflenetv2", year: 2018, paper: "arXiv:1807.11164", rows: []row{
	{"shufflenet_v2_x0_5", shuffleNetV2{stages: [3]int{48, 96, 192}, last: 1024}.build, 224, 1_366_792, 40_476_448, plain},
	{"shufflenet_v2_x1_0", shuffleNetV2{stages: [3]int{116, 232, 464}, last: 1024}.build, 224, 2_278_604, 144_907_992, plain},
	{"shufflenet_v2_x1_5", shuffleNetV2{stages: [3]int{176, 352, 704}, last: 1024}.build,
		224, 3_503_624, 295_759_392, Recipe{CropPct: 0.9655, Resize: 232}},
	{"shufflenet_v2_x2_0", shuffleNetV2{stages: [3]int{244, 488, 976}, last: 2048}.build,
		224, 7_393_996, 583_253_464, Recipe{CropPct: 0.9655, Resize: 232}},
}}

func (s shuffleNetV2) build(g *nn.Builder, x nn.Value) nn.Value {
	if s.pocket {
		x = g.ReLU(numbered(g.In("conv1"), 0, x, 24, nn.K(3)))
	} else {
		x = g.ReLU(numbered(g.In("conv1"), 0, x, 24, nn.K(3).S(2)))
		x = g.Expect(g.MaxPool(x, nn.K(3).S(2)), nn.Shape{C: 24, H: 56, W: 56})
	}
	first := x.Shape
	for i, repeat := range []int{4, 8, 4} {
		for j := range repeat {
			unit := g.In("stage%d.%d", i+2, j)
			if j == 0 {
				x = shuffleDown(unit, x, s.stages[i])
			} else {
				x = shuffleUnit(unit, x)
			}
		}
		x = g.Expect(x, nn.Shape{C: s.stages[i], H: first.H / 2 >> i, W: first.W / 2 >> i})
	}
	x = g.ReLU(numbered(g.In("conv5"), 0, x, s.last, nn.K(1)))
	return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
}

// shuffleUnit is figure 3c: half of the channels pass, the other half is convolved.
func shuffleUnit(g *nn.Builder, x nn.Value) nn.Value {
	half := x.C / 2
	y := shuffleBranch(g.In("branch2"), g.Slice(x, half, x.C), half, 1)
	return g.Shuffle(g.Concat(g.Slice(x, 0, half), y), 2)
}

// shuffleDown is figure 3d: both branches see all channels and halve the image.
func shuffleDown(g *nn.Builder, x nn.Value, out int) nn.Value {
	b := g.In("branch1")
	y := numbered(b, 0, x, x.C, nn.K(3).S(2).G(nn.Depthwise))
	y = g.ReLU(numbered(b, 2, y, out/2, nn.K(1)))
	return g.Shuffle(g.Concat(y, shuffleBranch(g.In("branch2"), x, out/2, 2)), 2)
}

// shuffleBranch is the right branch of both: 1×1, depthwise 3×3, 1×1.
func shuffleBranch(g *nn.Builder, x nn.Value, out, stride int) nn.Value {
	x = g.ReLU(numbered(g, 0, x, out, nn.K(1)))
	x = numbered(g, 3, x, out, nn.K(3).S(stride).G(nn.Depthwise))
	return g.ReLU(numbered(g, 5, x, out, nn.K(1)))
}
