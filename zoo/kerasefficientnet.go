package zoo

import (
	"fmt"
	"math"
	"slices"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// The EfficientNets of arXiv:1905.11946 and arXiv:2104.00298 as Keras Applications has them.
//
// Where Keras differs from tf_efficientnet_b0 of efficientnet.go:
//   - images are from 0 to 255; the network divides by 255 and standardises by statistics that its weights come with;
//   - weights that Keras publishes, or that were trained from them, have deviations where variances belong: the network
//     multiplies by 1/√deviation once more. The file says whether it is such a one.
//
// Where Keras differs from tf_efficientnetv2_s of efficientnetv2.go:
//   - images are from 0 to 255; the network itself brings them to −1 … 1, by 128;
//   - B0 to B3 are of a smaller table, standardise by ImageNet's statistics, and round channels to the nearest multiple
//     of 8, even down by more than a tenth.
//
// B0, B1, B3, V2-B0, V2-B2 and V2-S have goldens: the others' MACs are this graph's count, the parameters of B2 to B7, of
// V2-M and V2-L torchvision's.
var kerasEfficientNets = family{name: "keras_efficientnet", year: 2019, paper: "arXiv:1905.11946", least: 32, rows: []row{
	//                                        width depth   size  params     MACs
	{"keras_efficientnetb0", kerasEfficientNet(1, 1).build, 224, 5_288_548, 385_814_752, kerasBytes},
	{"keras_efficientnetb1", kerasEfficientNet(1, 1.1).build, 240, 7_794_184, 686_802_832, kerasBytes},
	{"keras_efficientnetb2", kerasEfficientNet(1.1, 1.2).build, 260, 9_109_994, 993_561_872, kerasBytes},
	{"keras_efficientnetb3", kerasEfficientNet(1.2, 1.4).build, 300, 12_233_232, 1_827_141_392, kerasBytes},
	{"keras_efficientnetb4", kerasEfficientNet(1.4, 1.8).build, 380, 19_341_616, 4_393_771_024, kerasBytes},
	{"keras_efficientnetb5", kerasEfficientNet(1.6, 2.2).build, 456, 30_389_784, 10_266_384_752, kerasBytes},
	{"keras_efficientnetb6", kerasEfficientNet(1.8, 2.6).build, 528, 43_040_704, 19_067_593_536, kerasBytes},
	{"keras_efficientnetb7", kerasEfficientNet(2, 3.1).build, 600, 66_347_960, 37_745_884_192, kerasBytes},
},
	renames:  []renames{{table: kerasEfficientNetNames(efficientNetB0, "dwconv", kerasStatistics...)}},
	variants: []variants{{variant: kerasFactor}},
}

var kerasEfficientNetV2s = family{name: "keras_efficientnetv2", year: 2021, paper: "arXiv:2104.00298", least: 32, rows: []row{
	{"keras_efficientnetv2b0", kerasEfficientNetV2(kerasV2B0, 1, 1).build, 224, 7_139_704, 718_086_176, kerasBytes},
	{"keras_efficientnetv2b1", kerasEfficientNetV2(kerasV2B0, 1, 1.1).build, 240, 8_141_052, 1_196_819_360, kerasBytes},
	{"keras_efficientnetv2b2", kerasEfficientNetV2(kerasV2B0, 1.1, 1.2).build, 260, 10_096_086, 1_697_542_832, kerasBytes},
	{"keras_efficientnetv2b3", kerasEfficientNetV2(kerasV2B0, 1.2, 1.4).build, 300, 14_358_406, 3_011_458_816, kerasBytes},
	{"keras_efficientnetv2s", kerasEfficientNetV2(efficientNetV2S, 1, 1).build, 384, 21_458_488, 8_365_617_152, kerasBytes},
	{"keras_efficientnetv2m", kerasEfficientNetV2(efficientNetV2M, 1, 1).build, 480, 54_139_356, 24_582_460_384, kerasBytes},
	{"keras_efficientnetv2l", kerasEfficientNetV2(efficientNetV2L, 1, 1).build, 480, 118_515_272, 56_079_699_008, kerasBytes},
}, renames: []renames{
	{kerasV2Bs, kerasEfficientNetNames(kerasV2B0, "dwconv2")},
	{[]string{"keras_efficientnetv2s"}, kerasEfficientNetNames(efficientNetV2S, "dwconv2")},
	{[]string{"keras_efficientnetv2m", "keras_efficientnetv2l"}, kerasEfficientNetNames(efficientNetV2M, "dwconv2")},
}}

var kerasV2Bs = []string{"keras_efficientnetv2b0", "keras_efficientnetv2b1", "keras_efficientnetv2b2", "keras_efficientnetv2b3"}

// kerasV2B0 is the smallest EfficientNetV2, which B1 to B3 scale.
var kerasV2B0 = []mbStage{
	//  kind   t  k  c   n  s  SE
	{single, 1, 3, 16, 1, 1, false},
	{fused, 4, 3, 32, 2, 2, false},
	{fused, 4, 3, 48, 2, 2, false},
	{inverted, 4, 3, 96, 3, 2, true},
	{inverted, 6, 3, 112, 5, 1, true},
	{inverted, 6, 3, 192, 8, 2, true},
}

func kerasEfficientNet(width, depth float64) mbNet {
	m := swishTF
	m.momentum = 0.01
	n := efficientNet(m, width, depth)
	n.front = kerasStandardize
	return n
}

// kerasStandardize is the first layers of an EfficientNet.
func kerasStandardize(g *nn.Builder, x nn.Value) nn.Value {
	x = g.Standardize("normalization", g.Affine(x, []float64{1. / 255}, nil))
	g.Aux("normalization.count")
	if g.Library != kerasPublished {
		return x
	}
	factor := make([]float64, 3)
	for c := range factor {
		factor[c] = 1 / math.Sqrt(imageNetStd[c])
	}
	return g.Affine(x, factor, nil)
}

func kerasEfficientNetV2(stages []mbStage, width, depth float64) mbNet {
	n := mbNet{mobile: swishTF, stages: stages, width: width, depth: depth, nearest: true}
	if stages[0].c == kerasV2B0[0].c {
		n.stem, n.head, n.front = round8(32*width, 0), round8(1280*width, 0), kerasImageNet
		return n
	}
	n.stem, n.head = stages[0].c, 1280
	n.front = func(g *nn.Builder, x nn.Value) nn.Value { return g.Affine(x, []float64{1. / 128}, []float64{-1}) }
	return n
}

// kerasImageNet takes images from 0 to 255 and standardises them by ImageNet's statistics.
func kerasImageNet(g *nn.Builder, x nn.Value) nn.Value {
	scale, shift := make([]float64, 3), make([]float64, 3)
	for c := range scale {
		scale[c], shift[c] = 1/(255*imageNetStd[c]), -imageNetMean[c]/imageNetStd[c]
	}
	return g.Affine(x, scale, shift)
}

// kerasStatistics are the rows of what EfficientNets standardise images by.
var kerasStatistics = []weights.Rename{
	{Old: "normalization/mean", New: "normalization.running_mean"},
	{Old: "normalization/variance", New: "normalization.running_var"},
	{Old: "normalization/count", New: "normalization.count"},
}

// kerasEfficientNetNames number a stage's blocks by letters: block1a, block2a, block2b.
func kerasEfficientNetNames(stages []mbStage, depthwise string, front ...weights.Rename) weights.Table {
	return kerasTable(func() []weights.Rename {
		layers := kerasLayers{
			expand: "expand_conv", expandNorm: "expand_bn", depthwise: depthwise, norm: "bn",
			squeeze: "se_reduce", excite: "se_expand", project: "project_conv", projectNorm: "project_bn",
		}
		rows := slices.Concat(front,
			kerasRows("stem_conv", "conv_stem", "kernel"), kerasRows("stem_bn", "bn1", "norm"),
			kerasRows("top_conv", "conv_head", "kernel"), kerasRows("top_bn", "bn2", "norm"),
			kerasDense("predictions", "classifier"))
		for i, s := range stages {
			b := mbConv{kind: s.kind}
			if s.se {
				b.squeezed = 1
			}
			rows = append(rows, b.keras(fmt.Sprintf("block%d*_", i+1), fmt.Sprintf("blocks.%d.*.", i), layers)...)
		}
		for i := range rows {
			rows[i].Letters = true
		}
		return rows
	})
}
