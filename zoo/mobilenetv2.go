package zoo

import (
	"fmt"
	"math"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018,
// arXiv:1801.04381, table 2.
//
// As timm released it: widths below 1 keep the head's 1280 channels, as the paper says; the variants _110d and _120d
// have more blocks a stage too, rounded up, and keep the first and the last convolution and the first and the last
// stage's depth. Rows but _100 and _140 have no golden: their MACs are this graph's count.
type mobileNetV2 struct {
	width float64
	deep  float64 // factor on blocks of a stage, 0 means 1; the first and the last convolution then have no width factor
	keep  keep

	// classic turns the blocks inside out (figure 3a): their ends have t times as many channels as their middles.
	classic bool

	keras bool // see kerasmobilenet.go
}

// mobileNetV2Stages are table 2's rows: expansion, channels, blocks, stride of the first.
var mobileNetV2Stages = []struct{ t, c, n, s int }{
	{1, 16, 1, 1},
	{6, 24, 2, 2},
	{6, 32, 3, 2},
	{6, 64, 4, 2},
	{6, 96, 3, 1},
	{6, 160, 3, 2},
	{6, 320, 1, 1},
}

var mobileNetV2s = family{name: "mobilenetv2", year: 2018, paper: "arXiv:1801.04381", rows: []row{
	{"mobilenetv2_035", mobileNetV2{width: 0.35}.build, 224, 1_677_128, 59_285_808, bicubic},
	{"mobilenetv2_050", mobileNetV2{width: 0.5}.build, 224, 1_968_680, 97_131_840, bicubic},
	{"mobilenetv2_075", mobileNetV2{width: 0.75}.build, 224, 2_636_424, 209_069_792, bicubic},
	{"mobilenetv2_100", mobileNetV2{width: 1}.build, 224, 3_504_872, 300_774_272, bicubic},
	{"mobilenetv2_110d", mobileNetV2{width: 1.1, deep: 1.2}.build, 224, 4_516_520, 430_516_080, bicubic},
	{"mobilenetv2_120d", mobileNetV2{width: 1.2, deep: 1.4}.build, 224, 5_831_144, 668_857_568, bicubic},
	{"mobilenetv2_140", mobileNetV2{width: 1.4}.build, 224, 6_108_776, 582_195_824, bicubic},
},
	aliases:  []alias{{"mobilenetv2_100", "mobilenet_v2"}},
	variants: []variants{{of: mobileNetV2Published(), variant: mobileNetV2Variant}},
	renames: []renames{
		{[]string{"mobilenetv2_100"}, renamed("torchvision", mobileNetV2Torchvision)},
		{mobileNetV2Published(), mobileNetV2Transformers()},
	},
}

func (m mobileNetV2) build(g *nn.Builder, x nn.Value) nn.Value {
	ends := m.width // of the first and the last convolution
	if m.deep != 0 {
		ends = 1
	}
	keep := m.keep
	own := mobile{act: nn.ReLU6}
	if g.Library == transformers || m.keras {
		own.same, own.eps = true, 1e-3
	}
	if m.keras {
		own.momentum = 0.001
	}
	x = g.Activate(own.convNorm(g, "conv_stem", "bn1", x, round8(32*ends, 0.9), nn.K(3).S(keep.stride(2))), nn.ReLU6)
	for i, s := range mobileNetV2Stages {
		n := s.n
		if m.deep != 0 && i > 0 && i < len(mobileNetV2Stages)-1 {
			n = int(math.Ceil(float64(n) * m.deep))
		}
		for j := range n {
			stride := 1
			if j == 0 {
				stride = keep.stride(s.s)
			}
			b := mbConv{k: 3, s: stride, mid: s.t * x.C, out: round8(float64(s.c)*m.width, 0.9)}
			if m.keras {
				b.out = round8(math.Floor(float64(s.c)*m.width), 0.9)
			}
			switch {
			case s.t == 1:
				b.kind = separable
			case m.classic:
				b.mid, b.out = b.out, s.t*b.out
			}
			x = own.block(g.In("blocks.%d.%d", i, j), x, b)
		}
	}
	x = g.Activate(own.convNorm(g, "conv_head", "bn2", x, round8(1280*max(1, ends), 0.9), nn.K(1)), nn.ReLU6)
	return g.Linear("classifier", g.GlobalAvgPool(x), g.Classes)
}

// mobileNetV2Published are the rows that differ from table 2 by their width alone.
func mobileNetV2Published() []string {
	return []string{"mobilenetv2_035", "mobilenetv2_050", "mobilenetv2_075", "mobilenetv2_100", "mobilenetv2_140"}
}

// mobileNetV2Torchvision is the table from torchvision's names: features.0 is the stem, features.1 to 17 the blocks in
// a row, features.18 the head.
func mobileNetV2Torchvision() []weights.Rename {
	rows := []weights.Rename{
		{Old: "features.0.0.*", New: "conv_stem.*"}, {Old: "features.0.1.*", New: "bn1.*"},
		{Old: "features.18.0.*", New: "conv_head.*"}, {Old: "features.18.1.*", New: "bn2.*"},
		{Old: "classifier.1.*", New: "classifier.*"},
	}
	block := 1
	for i, s := range mobileNetV2Stages {
		names := [][2]string{ // within a block
			{"0.0", "conv_pw"}, {"0.1", "bn1"}, {"1.0", "conv_dw"}, {"1.1", "bn2"}, {"2", "conv_pwl"}, {"3", "bn3"},
		}
		if s.t == 1 {
			names = [][2]string{{"0.0", "conv_dw"}, {"0.1", "bn1"}, {"1", "conv_pw"}, {"2", "bn2"}}
		}
		for j := range s.n {
			for _, n := range names {
				rows = append(rows, weights.Rename{
					Old: fmt.Sprintf("features.%d.conv.%s.*", block, n[0]),
					New: fmt.Sprintf("blocks.%d.%d.%s.*", i, j, n[1]),
				})
			}
			block++
		}
	}
	return rows
}
