package zoo

import "zoobench/zoo/nn"

// Hu, Shen, Albanie, Sun, Wu: Squeeze-and-Excitation Networks, 2017, arXiv:1709.01507, table 1 and, for SENet-154, its
// appendix: the authors' own networks, in timm's port of them.
//
// As released, apart from resnet.go's SE-ResNets:
//   - the first pool has no padding and rounds up;
//   - the plain bottleneck has its stride on the first 1×1, as Caffe's ResNet; 18 and 34 layers are the port's own, and their
//     second norm has a ReLU behind it, before the gate;
//   - SENet-154 begins with three 3×3 convolutions; its first 1×1 is halved; changes of shape but the first stage's are
//     projected by 3×3.
//
// legacy_seresnet50, seresnext50_32x4d and senet154 have goldens: the others' MACs are this graph's count, their
// parameters timm's to the digits given.
type legacySENet struct {
	depths [4]int
	block  legacyBlock
	groups int // ResNeXt's cardinality, 0 means 1
	width  int // channels of a group in the first stage, 0 means 64
}

// legacyBlock is where a block's stride and widths are.
type legacyBlock uint8

const (
	legacyBottleneck legacyBlock = iota // 1×1 with the stride, 3×3, 1×1
	legacyBasic                         // 3×3 with the stride, 3×3
	legacyResNeXt                       // 1×1, 3×3 with the stride, 1×1
	legacy154                           // 1×1 to half the width, 3×3 with the stride, 1×1
)

var legacySENets = family{name: "legacy_senet", year: 2017, paper: "arXiv:1709.01507", rows: []row{
	{"legacy_seresnet18", legacySENet{depths: [4]int{2, 2, 2, 2}, block: legacyBasic}.build, 224, 11_778_592, 1_814_160_384, bicubic},
	{"legacy_seresnet34", legacySENet{depths: [4]int{3, 4, 6, 3}, block: legacyBasic}.build, 224, 21_958_868, 3_663_918_592, plain},
	{"legacy_seresnet50", legacySENet{depths: [4]int{3, 4, 6, 3}}.build, 224, 28_088_024, 3_860_488_192, plain},
	{"legacy_seresnet101", legacySENet{depths: [4]int{3, 4, 23, 3}}.build, 224, 49_326_872, 7_574_937_600, plain},
	{"legacy_seresnet152", legacySENet{depths: [4]int{3, 8, 36, 3}}.build, 224, 66_821_848, 11_288_993_792, plain},
	{"legacy_seresnext26_32x4d", legacySENet{depths: [4]int{2, 2, 2, 2}, block: legacyResNeXt, groups: 32, width: 4}.build,
		224, 16_790_280, 2_472_099_840, bicubic},
	{"legacy_seresnext50_32x4d", legacySENet{depths: [4]int{3, 4, 6, 3}, block: legacyResNeXt, groups: 32, width: 4}.build,
		224, 27_559_896, 4_232_994_816, plain},
	{"legacy_seresnext101_32x4d", legacySENet{depths: [4]int{3, 4, 23, 3}, block: legacyResNeXt, groups: 32, width: 4}.build,
		224, 48_955_416, 7_974_739_968, plain},
	{"legacy_senet154", legacySENet{depths: [4]int{3, 8, 36, 3}, block: legacy154, groups: 64, width: 4}.build,
		224, 115_088_984, 20_688_363_520, plain},
}}

func (s legacySENet) build(g *nn.Builder, x nn.Value) nn.Value {
	stem := g.In("layer0")
	if s.block == legacy154 {
		x = stem.ReLU(convBN(stem, "1", x, 64, nn.K(3).S(2)))
		x = stem.ReLU(convBN(stem, "2", x, 64, nn.K(3)))
		x = stem.ReLU(convBN(stem, "3", x, 128, nn.K(3)))
	} else {
		x = stem.ReLU(convBN(stem, "1", x, 64, nn.K(7).S(2)))
	}
	x = g.MaxPool(x, nn.K(3).S(2).Valid().WithCeil())
	for i, n := range s.depths {
		for j := range n {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			x = s.residual(g.In("layer%d.%d", i+1, j), x, 64<<i, stride)
		}
	}
	return g.Linear("last_linear", g.GlobalAvgPool(x), g.Classes)
}

func (s legacySENet) residual(g *nn.Builder, x nn.Value, planes, stride int) nn.Value {
	first, second := nn.K(1), nn.K(3).S(stride).G(max(s.groups, 1))
	out, narrow, wide := 4*planes, planes, planes
	switch s.block {
	case legacyBasic:
		first, second, out = nn.K(3).S(stride), nn.K(3), planes
	case legacyBottleneck:
		first, second = nn.K(1).S(stride), nn.K(3)
	case legacyResNeXt:
		wide = planes * s.width / 64 * s.groups
		narrow = wide
	case legacy154:
		wide = planes * s.width / 64 * s.groups
		narrow = wide / 2
	}
	y := g.ReLU(convBN(g, "1", x, narrow, first))
	y = g.ReLU(convBN(g, "2", y, wide, second))
	if s.block != legacyBasic {
		y = convBN(g, "3", y, out, nn.K(1))
	}
	y = squeezeExcite(g.In("se_module"), y, out/16)
	if stride > 1 || x.C != out {
		k := nn.K(1).S(stride)
		if s.block == legacy154 && stride > 1 {
			k = nn.K(3).S(stride)
		}
		x = g.BatchNorm("downsample.1", g.Conv("downsample.0", x, out, k), 1e-5)
	}
	return g.ReLU(g.Add(y, x))
}
