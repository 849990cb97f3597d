package zoo

import (
	"math"

	"zoobench/zoo/nn"
)

// Wang, Wu, Zhu, Li, Zuo, Hu: ECA-Net: Efficient Channel Attention, 2019, arXiv:1910.03151, figure 2 and equation 12.
//
// As released in timm: on ResNet-D (50d, 101d …), on ResNet-D with a stem of 24, 32 and 64 channels (26t, 50t), and on
// 1, 1, 11 and 3 blocks with ResNet's own stem (light); timm's ecaresnext50t_32x4d has the depth of 26t and is the
// same.
//
// ecaresnet50d has a golden: the others' MACs are this graph's count, their parameters timm's to the digits given.
var ecaNets = family{name: "ecanet", year: 2019, paper: "arXiv:1910.03151", rows: []row{
	{"ecaresnet26t", ecaResNet([4]int{2, 2, 2, 2}, stemT).build, 256, 16_011_916, 3_330_405_888, bicubic320},
	{"ecaresnet50d", ecaResNet([4]int{3, 4, 6, 3}, stemD).build, 224, 25_576_350, 4_328_912_640, bicubic88},
	{"ecaresnet50t", ecaResNet([4]int{3, 4, 6, 3}, stemT).build, 256, 25_573_814, 5_612_148_480, bicubic320},
	{"ecaresnetlight", ecaResNet([4]int{1, 1, 11, 3}, [2]int{}).build, 224, 30_162_046, 4_089_287_424, bicubic88},
	{"ecaresnet101d", ecaResNet([4]int{3, 4, 23, 3}, stemD).build, 224, 44_568_563, 8_041_220_864, bicubic88},
	{"ecaresnet200d", ecaResNet([4]int{3, 24, 36, 3}, stemD).build, 256, 64_693_400, 19_914_274_560,
		Recipe{CropPct: 0.95, Interpolation: "bicubic", TestSize: 288}},
	{"ecaresnet269d", ecaResNet([4]int{3, 30, 48, 8}, stemD).build, 320, 102_093_077, 41_364_716_288,
		Recipe{CropPct: 0.95, Interpolation: "bicubic", TestSize: 352, TestCropPct: 1}},
	{"ecaresnext26t_32x4d", ecaResNet([4]int{2, 2, 2, 2}, stemT).with(bottleneck{32, 4}).build, 224, 15_406_220, 2_678_783_488, bicubic},
},
	aliases: []alias{{"ecaresnext26t_32x4d", "ecaresnext50t_32x4d"}},
}

// stemD and stemT are the first two of a deep stem's widths.
var stemD, stemT = [2]int{32, 32}, [2]int{24, 32}

var bicubic320 = Recipe{Interpolation: "bicubic", TestSize: 320, TestCropPct: 0.95}

func ecaResNet(depths [4]int, stem [2]int) resnet {
	return resnet{depths: depths, gate: channelAttention, stem: stem, avgDown: true}
}

func (r resnet) with(block residual) resnet { r.block = block; return r }

// channelAttention gates each channel by a convolution along the channels' means, as wide as the odd number at or above
// (log₂C + 1)/2, rounded down, and at least 3.
func channelAttention(g *nn.Builder, x nn.Value) nn.Value {
	k := int((math.Log2(float64(x.C)) + 1) / 2)
	y := g.ChannelConv("conv", g.GlobalAvgPool(x), max(k|1, 3))
	return g.Mul(x, g.Activate(y, nn.Sigmoid))
}
