package zoo

import "zoobench/zoo/nn"

// He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks, 2016, arXiv:1603.05027, figure 4e, with table 1 of
// arXiv:1512.03385.
// Kolesnikov, Beyer, Zhai, Puigcerver, Yung, Gelly, Houlsby: Big Transfer (BiT), 2019, arXiv:1912.11370, section 3.
//
// As timm released them, not as printed:
//   - a stage's stride is on the bottleneck's 3×3, not on its first 1×1;
//   - each stage's first block projects its input behind the block's first norm and ReLU, the first stage's included;
//   - the classifier is a 1×1 convolution;
//   - BiT's first pool sees zeros around the image, which may win, and its weights are standardised with epsilon 1e-8.
//
// BiT's rows but 50x1 and 101x1 have no golden: their MACs are this graph's count, their parameters and activations
// timm's to the digits given.
type resNetV2 struct {
	depths [4]int // a stage of none ends the network
	bit    int    // BiT's factor on widths, with group norm and standardised weights; 0 for the plain network

	// For 32×32 pixels: behind a stem of one 3×3 to pocket channels, blocks of two 3×3 with wide times as many (WRN, table 1).
	pocket, wide int
	skip         shortcut
}

var (
	half224 = Recipe{Interpolation: "bicubic", Mean: half, Std: half}
	half95  = Recipe{CropPct: 0.95, Interpolation: "bicubic", Mean: half, Std: half, TestSize: 288, TestCropPct: 1}
	half448 = Recipe{CropPct: 1, Mean: half, Std: half}
)

var resNetV2s = family{name: "resnetv2", year: 2016, paper: "arXiv:1603.05027", rows: []row{
	//           conv2_x … conv5_x                            params      MACs
	{"resnetv2_50", resNetV2{depths: [4]int{3, 4, 6, 3}}.build, 224, 25_549_352, 4_089_184_256, half95},
	{"resnetv2_101", resNetV2{depths: [4]int{3, 4, 23, 3}}.build, 224, 44_541_480, 7_801_405_440, half95},
	{"resnetv2_152", resNetV2{depths: [4]int{3, 8, 36, 3}}.build, 224, 60_185_128, 11_513_626_624, half224},
}}

var bits = family{name: "bit", year: 2019, paper: "arXiv:1912.11370", rows: []row{
	{"resnetv2_50x1_bit", resNetV2{depths: [4]int{3, 4, 6, 3}, bit: 1}.build, 224, 25_549_352, 4_089_184_256, half224},
	{"resnetv2_50x3_bit", resNetV2{depths: [4]int{3, 4, 6, 3}, bit: 3}.build, 448, 217_319_080, 144_310_714_368, half448},
	{"resnetv2_101x1_bit", resNetV2{depths: [4]int{3, 4, 23, 3}, bit: 1}.build, 448, 44_541_480, 31_199_477_760, half448},
	{"resnetv2_101x3_bit", resNetV2{depths: [4]int{3, 4, 23, 3}, bit: 3}.build, 448, 387_934_888, 277_950_676_992, half448},
	{"resnetv2_152x2_bit", resNetV2{depths: [4]int{3, 8, 36, 3}, bit: 2}.build, 224, 236_335_208, 45_814_382_592, half224},
	{"resnetv2_152x4_bit", resNetV2{depths: [4]int{3, 8, 36, 3}, bit: 4}.build, 480, 936_533_224, 839_254_016_000, half448},
}}

func (r resNetV2) build(g *nn.Builder, x nn.Value) nn.Value {
	width, expansion, block := 64*max(r.bit, 1), 4, r.bottleneck
	if r.pocket > 0 {
		width, expansion, block = r.pocket*max(r.wide, 1), 1, r.basic
		x = r.conv(g, "stem.conv", x, r.pocket, nn.K(3))
	} else {
		x = r.conv(g, "stem.conv", x, width, nn.K(7).S(2))
	}
	switch {
	case r.pocket > 0:
	case r.bit > 0:
		x = g.MaxPool(g.Pad(x, nn.Edges{Top: 1, Left: 1, Bottom: 1, Right: 1}), nn.K(3).S(2).Valid())
	default:
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
			x = block(g.In("stages.%d.blocks.%d", i, j), x, width<<i, stride)
		}
		x = g.Expect(x, nn.Shape{C: width << i * expansion, H: first.H >> i, W: first.W >> i})
	}
	x = g.GlobalAvgPool(r.normReLU(g, "norm", x))
	return g.Conv("head.fc", x, g.Classes, nn.K(1).WithBias())
}

// bottleneck is 1×1, 3×3 and 1×1, each behind a norm and a ReLU; the sum has none.
func (r resNetV2) bottleneck(g *nn.Builder, x nn.Value, planes, stride int) nn.Value {
	y, skip := r.enter(g, x, 4*planes, stride)
	y = r.normReLU(g, "norm2", r.conv(g, "conv1", y, planes, nn.K(1)))
	y = r.normReLU(g, "norm3", r.conv(g, "conv2", y, planes, nn.K(3).S(stride)))
	return g.Add(r.conv(g, "conv3", y, 4*planes, nn.K(1)), skip)
}

// basic is two 3×3 instead.
func (r resNetV2) basic(g *nn.Builder, x nn.Value, planes, stride int) nn.Value {
	y, skip := r.enter(g, x, planes, stride)
	y = r.normReLU(g, "norm2", r.conv(g, "conv1", y, planes, nn.K(3).S(stride)))
	return g.Add(r.conv(g, "conv2", y, planes, nn.K(3)), skip)
}

// enter is a block's first norm and ReLU, and its shortcut.
func (r resNetV2) enter(g *nn.Builder, x nn.Value, out, stride int) (y, skip nn.Value) {
	y = r.normReLU(g, "norm1", x)
	switch {
	case x.C == out:
		return y, x
	case r.skip == padded:
		return y, padChannels(g, y, out, stride)
	}
	return y, r.conv(g, "downsample.conv", y, out, nn.K(1).S(stride))
}

func (r resNetV2) conv(g *nn.Builder, name string, x nn.Value, out int, k nn.Kernel) nn.Value {
	if r.bit > 0 {
		k = k.WithStd(1e-8)
	}
	return g.Conv(name, x, out, k)
}

func (r resNetV2) normReLU(g *nn.Builder, name string, x nn.Value) nn.Value {
	if r.bit > 0 {
		return g.ReLU(g.GroupNorm(name, x, 32, 1e-5))
	}
	return normReLU(g, name, x)
}
