package zoo

import (
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam: Searching for MobileNetV3, 2019,
// arXiv:1905.02244, tables 1 (large) and 2 (small).
//
// As released:
//   - timm's batch norms have epsilon 1e-5; TensorFlow's (tf_) and torchvision's (tv_) 1e-3, and TensorFlow's padding is
//     its "same"; running statistics of torchvision's take on a hundredth of each batch's;
//   - widths below 0.75 keep the stem's 16 channels (timm); the head has no width factor.
//
// mobilenetv3_large_100, small_100 and tv_mobilenet_v3_large have goldens; the others' MACs are this graph's count,
// their parameters timm's to the digits given, tv_mobilenet_v3_small's torchvision's.
type mobileNetV3 struct {
	eps   float64 // of batch norms, 0 means 1e-5
	same  bool    // TensorFlow's padding
	width float64 // 0 means 1
	small bool
	keep  keep

	keras        bool // see kerasmobilenet.go
	minimalistic bool // no squeeze and excitation, ReLU alone, 3×3 alone
}

// A bneck is one row of the paper's tables.
type bneck struct {
	k, exp, out int
	se          bool
	nl          nn.Act
	s           int
}

const re, hs = nn.ReLU, nn.HardSwish

var mobileNetV3Large = []bneck{
	//  k  exp  out  SE     NL  s
	{3, 16, 16, false, re, 1},
	{3, 64, 24, false, re, 2},
	{3, 72, 24, false, re, 1},
	{5, 72, 40, true, re, 2},
	{5, 120, 40, true, re, 1},
	{5, 120, 40, true, re, 1},
	{3, 240, 80, false, hs, 2},
	{3, 200, 80, false, hs, 1},
	{3, 184, 80, false, hs, 1},
	{3, 184, 80, false, hs, 1},
	{3, 480, 112, true, hs, 1},
	{3, 672, 112, true, hs, 1},
	{5, 672, 160, true, hs, 2},
	{5, 960, 160, true, hs, 1},
	{5, 960, 160, true, hs, 1},
}

var mobileNetV3Small = []bneck{
	//  k  exp  out  SE     NL  s
	{3, 16, 16, true, re, 2},
	{3, 72, 24, false, re, 2},
	{3, 88, 24, false, re, 1},
	{5, 96, 40, true, hs, 2},
	{5, 240, 40, true, hs, 1},
	{5, 240, 40, true, hs, 1},
	{5, 120, 48, true, hs, 1},
	{5, 144, 48, true, hs, 1},
	{5, 288, 96, true, hs, 2},
	{5, 576, 96, true, hs, 1},
	{5, 576, 96, true, hs, 1},
}

// bilinearHalf is the recipe of networks trained in TensorFlow at one half mean and deviation.
var bilinearHalf = Recipe{Mean: half, Std: half}

var mobileNetV3s = family{name: "mobilenetv3", year: 2019, paper: "arXiv:1905.02244", rows: []row{
	{"mobilenetv3_large_075", mobileNetV3{width: 0.75}.build, 224, 3_993_528, 154_560_624, plain},
	{"mobilenetv3_large_100", mobileNetV3{}.build, 224, 5_483_032, 216_589_760, bicubic},
	{"mobilenetv3_small_050", mobileNetV3{width: 0.5, small: true}.build, 224, 1_593_224, 24_188_688, bicubic},
	{"mobilenetv3_small_075", mobileNetV3{width: 0.75, small: true}.build, 224, 2_041_872, 43_399_344, bicubic},
	{"mobilenetv3_small_100", mobileNetV3{small: true}.build, 224, 2_542_856, 56_510_400, bicubic},
	{"tf_mobilenetv3_large_075", mobileNetV3{eps: 1e-3, same: true, width: 0.75}.build, 224, 3_993_528, 154_560_624, bilinearHalf},
	{"tf_mobilenetv3_large_100", mobileNetV3{eps: 1e-3, same: true}.build, 224, 5_483_032, 216_589_760, bilinearHalf},
	{"tf_mobilenetv3_small_075", mobileNetV3{eps: 1e-3, same: true, width: 0.75, small: true}.build, 224, 2_041_872, 43_399_344, bilinearHalf},
	{"tf_mobilenetv3_small_100", mobileNetV3{eps: 1e-3, same: true, small: true}.build, 224, 2_542_856, 56_510_400, bilinearHalf},
	{"tv_mobilenet_v3_large", mobileNetV3{eps: 1e-3}.build, 224, 5_483_032, 216_589_760, Recipe{CropPct: 0.9655, Resize: 232}},
	{"tv_mobilenet_v3_small", mobileNetV3{eps: 1e-3, small: true}.build, 224, 2_542_856, 56_510_400, plain},
},
	aliases: []alias{{"tv_mobilenet_v3_large", "mobilenet_v3_large"}, {"tv_mobilenet_v3_small", "mobilenet_v3_small"}},
	renames: []renames{
		{[]string{"tv_mobilenet_v3_large"}, renamed("torchvision", func() []weights.Rename { return mobileNetV3Torchvision(mobileNetV3Large) })},
		{[]string{"tv_mobilenet_v3_small"}, renamed("torchvision", func() []weights.Rename { return mobileNetV3Torchvision(mobileNetV3Small) })},
	},
}

func (n mobileNetV3) build(g *nn.Builder, x nn.Value) nn.Value {
	m := mobile{act: hs, squeeze: re, gate: nn.HardSigmoid, eps: n.eps, same: n.same}
	if n.eps != 0 && !n.same {
		m.momentum = 0.01
	}
	rows, head, width, keep := mobileNetV3Large, 1280, n.width, n.keep
	if n.small {
		rows, head = mobileNetV3Small, 1024
	}
	if width == 0 {
		width = 1
	}
	stem := 16
	if width >= 0.75 && !n.keras {
		stem = round8(16*width, 0.9)
	}
	if n.keras {
		m.momentum = 0.001
		head = max(head, round8(float64(head)*width, 0.9))
		x = g.Affine(x, []float64{1 / 127.5}, []float64{-1})
	}
	if n.minimalistic {
		m.act, rows = re, minimalistic(rows)
	}
	x = g.Activate(m.convNorm(g, "conv_stem", "bn1", x, stem, nn.K(3).S(keep.stride(2))), m.act)
	at := bneckNames(rows)
	in := 16 // of the paper's table, before the width factor
	for i, r := range rows {
		b := mbConv{
			k: r.k, s: keep.stride(r.s), act: r.nl,
			mid: round8(float64(x.C*r.exp)/float64(in), 0.9), out: round8(float64(r.out)*width, 0.9),
		}
		if n.keras {
			b.mid = round8(float64(x.C)*(float64(r.exp)/float64(in)), 0.9)
		}
		if r.exp == in {
			b.kind = separable
		}
		if r.se {
			b.squeezed = round8(float64(b.mid)/4, 0.9)
		}
		x = m.block(g.In("%s", at[i]), x, b)
		in = r.out
	}
	last := mbConv{kind: single, k: 1, s: 1, out: round8(float64(6*in)*width, 0.9)}
	if n.keras {
		last.out = 6 * x.C
	}
	x = m.block(g.In("%s", at[len(rows)]), x, last)
	x = g.Activate(g.Conv("conv_head", g.GlobalAvgPool(x), head, nn.K(1).WithBias()), m.act)
	return g.Linear("classifier", x, g.Classes)
}
