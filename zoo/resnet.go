package zoo

import "zoobench/zoo/nn"

// He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015, arXiv:1512.03385, table 1.
// Xie, Girshick, Dollár, Tu, He: Aggregated Residual Transformations, 2016, arXiv:1611.05431, table 1.
// Zagoruyko, Komodakis: Wide Residual Networks, 2016, arXiv:1605.07146, table 8 (bottleneck's inner width doubled).
// Hu, Shen, Albanie, Sun, Wu: Squeeze-and-Excitation Networks, 2017, arXiv:1709.01507, table 1.
// He, Zhang, Zhang, Zhang, Xie, Li: Bag of Tricks, 2018, arXiv:1812.01187, figure 2 (ResNet-D).
//
// As released (torchvision, timm), not as printed:
//   - a stage's stride is on the bottleneck's 3×3, not on its first 1×1;
//   - every change of shape has a projection (option B), the first stage's of 50 layers and more included;
//   - squeezed channels are rounded to a multiple of 8 (timm), which shows in SE-ResNet-18 and -34 alone.
//
// resnet26, the ResNeXts but 50_32x4d and 101_32x8d, wide_resnet101_2, seresnet18, 34 and 101 and the SE-ResNeXts of
// 101 layers have no golden: their MACs are this graph's count, their parameters and activations timm's to the digits
// given.
type resnet struct {
	depths  [4]int   // a stage of none ends the network
	block   residual // nil means the paper's bottleneck
	gate    gate     // of a block's channels before its sum, nil for none
	stem    [2]int   // ResNet-D's three 3×3 instead of the first 7×7: channels of the first two
	avgDown bool     // ResNet-D's projections: averaged over 2×2 where the plain one strides
	pocket  int      // planes of the first stage behind a stem of one 3×3 (section 4.2, for 32×32 pixels), 0 for the paper's 64
	skip    shortcut // around blocks that change the shape
}

// shortcut is what the input of a block that changes the shape takes to the sum.
type shortcut uint8

const (
	projected shortcut = iota // a 1×1 convolution: the paper's option B
	padded                    // every second pixel, and zeros as further channels: option A
	none                      // no block has a sum: the paper's plain network
)

var resNets = family{name: "resnet", year: 2015, paper: "arXiv:1512.03385", rows: []row{
	//           conv2_x … conv5_x                                                        params      MACs
	{"resnet18", resnet{depths: [4]int{2, 2, 2, 2}, block: basic{}}.build, 224, 11_689_512, 1_814_073_344, bicubic95},
	{"resnet26", resnet{depths: [4]int{2, 2, 2, 2}}.build, 224, 15_995_176, 2_342_256_640, bicubic88},
	{"resnet34", resnet{depths: [4]int{3, 4, 6, 3}, block: basic{}}.build, 224, 21_797_672, 3_663_761_408, bicubic95},
	{"resnet50", resnet{depths: [4]int{3, 4, 6, 3}}.build, 224, 25_557_032, 4_089_184_256, bicubic95},
	{"resnet101", resnet{depths: [4]int{3, 4, 23, 3}}.build, 224, 44_549_160, 7_801_405_440, bicubic95},
	{"resnet152", resnet{depths: [4]int{3, 8, 36, 3}}.build, 224, 60_192_808, 11_513_626_624, bicubic95},
},
	variants: []variants{{variant: resNetVariant}},
	renames: []renames{
		{of: []string{"resnet18", "resnet34"}, table: resNetTransformers(2)},
		{of: []string{"resnet26", "resnet50", "resnet101", "resnet152"}, table: resNetTransformers(3)},
	},
}

var wideResNets = family{name: "wide_resnet", year: 2016, paper: "arXiv:1605.07146", rows: []row{
	{"wide_resnet50_2", resnet{depths: [4]int{3, 4, 6, 3}, block: bottleneck{1, 128}}.build, 224, 68_883_240, 11_398_021_120, bicubic88},
	{"wide_resnet101_2", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{1, 128}}.build, 224, 126_886_696, 22_753_050_624, plain},
}}

var resNeXts = family{name: "resnext", year: 2016, paper: "arXiv:1611.05431", rows: []row{
	{"resnext50_32x4d", resnet{depths: [4]int{3, 4, 6, 3}, block: bottleneck{32, 4}}.build, 224, 25_028_904, 4_230_479_872, bicubic95},
	{"resnext101_32x4d", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{32, 4}}.build, 224, 44_177_704, 7_969_996_800, plain},
	{"resnext101_32x8d", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{32, 8}}.build, 224, 88_791_336, 16_414_015_488, plain},
	{"resnext101_32x16d", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{32, 16}}.build, 224, 194_026_792, 36_163_289_088, plain},
	{"resnext101_32x32d", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{32, 32}}.build, 224, 468_530_472, 87_106_781_184, plain},
	{"resnext101_64x4d", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{64, 4}}.build, 224, 83_455_272, 15_460_270_080, bicubic95},
}}

var seResNets = family{name: "seresnet", year: 2017, paper: "arXiv:1709.01507", rows: []row{
	{"seresnet18", resnet{depths: [4]int{2, 2, 2, 2}, block: basic{}, gate: se16}.build, 224, 11_779_624, 1_814_161_408, bicubic88},
	{"seresnet34", resnet{depths: [4]int{3, 4, 6, 3}, block: basic{}, gate: se16}.build, 224, 21_960_416, 3_663_920_128, bicubic88},
	{"seresnet50", resnet{depths: [4]int{3, 4, 6, 3}, gate: se16}.build, 224, 28_088_024, 4_091_699_200, bicubic95},
	{"seresnet101", resnet{depths: [4]int{3, 4, 23, 3}, gate: se16}.build, 224, 49_326_872, 7_806_148_608, bicubic88},
	{"seresnet152", resnet{depths: [4]int{3, 8, 36, 3}, gate: se16}.build, 224, 66_821_848, 11_520_204_800, bicubic88},
	{"seresnext50_32x4d", resnet{depths: [4]int{3, 4, 6, 3}, block: bottleneck{32, 4}, gate: se16}.build,
		224, 27_559_896, 4_232_994_816, bicubic88},
	{"seresnext101_32x4d", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{32, 4}, gate: se16}.build,
		224, 48_955_416, 7_974_739_968, bicubic},
	{"seresnext101_32x8d", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{32, 8}, gate: se16}.build,
		224, 93_569_048, 16_418_758_656, bicubic95},
	{"seresnext101_64x4d", resnet{depths: [4]int{3, 4, 23, 3}, block: bottleneck{64, 4}, gate: se16}.build,
		224, 88_232_984, 15_465_013_248, bicubic},
}}

func (r resnet) build(g *nn.Builder, x nn.Value) nn.Value {
	block := r.block
	if block == nil {
		block = bottleneck{}
	}
	planes := 64
	switch {
	case r.pocket > 0:
		planes = r.pocket
		x = g.Conv("conv1", x, planes, nn.K(3))
	case r.stem == [2]int{}:
		x = g.Conv("conv1", x, 64, nn.K(7).S(2))
	default:
		for i, out := range r.stem {
			x = g.ReLU(numbered(g.In("conv1"), 3*i, x, out, nn.K(3).S(2-i)))
		}
		x = g.Conv("conv1.6", x, 64, nn.K(3))
	}
	x = g.ReLU(g.BatchNorm("bn1", x, 1e-5))
	if r.pocket == 0 {
		x = g.MaxPool(x, nn.K(3).S(2))
	}
	first := x.Shape
	for i, n := range r.depths {
		if n == 0 {
			break
		}
		for j := range n {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			b := g.In("layer%d.%d", i+1, j)
			y := block.build(b, x, planes<<i, stride)
			if r.gate != nil {
				y = r.gate(b.In("se"), y)
			}
			switch {
			case r.skip == none:
				x = b.ReLU(y)
				continue
			case stride > 1 || x.C != y.C:
				x = r.project(b.In("downsample"), x, y.C, stride)
			}
			x = b.ReLU(b.Add(y, x))
		}
		x = g.Expect(x, nn.Shape{C: block.out(planes << i), H: first.H >> i, W: first.W >> i})
	}
	return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
}

// project takes a block's input to the shape of its result.
func (r resnet) project(g *nn.Builder, x nn.Value, out, stride int) nn.Value {
	if r.skip == padded {
		return padChannels(g, x, out, stride)
	}
	if !r.avgDown {
		return numbered(g, 0, x, out, nn.K(1).S(stride))
	}
	if stride > 1 {
		x = g.AvgPool(x, nn.K(2).S(stride).Valid().WithCeil().WithoutPad())
	}
	return numbered(g, 1, x, out, nn.K(1))
}
