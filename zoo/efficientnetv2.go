package zoo

import "zoobench/zoo/weights"

// Tan, Le: EfficientNetV2: Smaller Models and Faster Training, 2021, arXiv:2104.00298, table 4 (S); M and L are the
// authors' release.
//
// As released:
//   - the first stage is of single 3×3 convolutions: an expansion of 1 has no projection;
//   - TensorFlow's networks (tf_) have its "same" padding and batch norms of epsilon 1e-3, torchvision's (tv_) that
//     epsilon with PyTorch's padding; timm's efficientnetv2_s, m and l 1e-5 and no published weights;
//   - efficientnetv2_rw_s is S as timm read the paper before the release: a projection in the first stage, 272 channels
//     in the last and 1792 behind it; rw_t is S with 0.8 times its channels and 0.9 times its layers.
//
// tf_efficientnetv2_s and tv_efficientnet_v2_s have goldens: the others' MACs are this graph's count; parameters of S,
// M and L are torchvision's, of rw timm's to the digits given.
var efficientNetV2S = []mbStage{
	//  kind   t  k  c   n  s  SE
	{single, 1, 3, 24, 2, 1, false},
	{fused, 4, 3, 48, 4, 2, false},
	{fused, 4, 3, 64, 4, 2, false},
	{inverted, 4, 3, 128, 6, 2, true},
	{inverted, 6, 3, 160, 9, 1, true},
	{inverted, 6, 3, 256, 15, 2, true},
}

var efficientNetV2M = []mbStage{
	{single, 1, 3, 24, 3, 1, false},
	{fused, 4, 3, 48, 5, 2, false},
	{fused, 4, 3, 80, 5, 2, false},
	{inverted, 4, 3, 160, 7, 2, true},
	{inverted, 6, 3, 176, 14, 1, true},
	{inverted, 6, 3, 304, 18, 2, true},
	{inverted, 6, 3, 512, 5, 1, true},
}

var efficientNetV2L = []mbStage{
	{single, 1, 3, 32, 4, 1, false},
	{fused, 4, 3, 64, 7, 2, false},
	{fused, 4, 3, 96, 7, 2, false},
	{inverted, 4, 3, 192, 10, 2, true},
	{inverted, 6, 3, 224, 19, 1, true},
	{inverted, 6, 3, 384, 25, 2, true},
	{inverted, 6, 3, 640, 7, 1, true},
}

// efficientNetV2RWS is timm's S.
var efficientNetV2RWS = []mbStage{
	{fused, 1, 3, 24, 2, 1, false},
	{fused, 4, 3, 48, 4, 2, false},
	{fused, 4, 3, 64, 4, 2, false},
	{inverted, 4, 3, 128, 6, 2, true},
	{inverted, 6, 3, 160, 9, 1, true},
	{inverted, 6, 3, 272, 15, 2, true},
}

// Recipes: bicubic100 crops nothing off; the others are TensorFlow's, at half mean, with a larger size to test at.
var (
	bicubic100  = Recipe{CropPct: 1, Interpolation: "bicubic"}
	tfV2Test384 = Recipe{CropPct: 1, Interpolation: "bicubic", Mean: half, Std: half, TestSize: 384}
	tfV2Test480 = Recipe{CropPct: 1, Interpolation: "bicubic", CropMode: "squash", Mean: half, Std: half, TestSize: 480}
)

var efficientNetV2s = family{name: "efficientnetv2", year: 2021, paper: "arXiv:2104.00298", rows: []row{
	{"efficientnetv2_rw_t", efficientNetV2RW(1024, efficientNetV2S, 0.8, 0.9).build, 224, 13_649_388, 1_912_879_840,
		Recipe{CropPct: 1, Interpolation: "bicubic", TestSize: 288}},
	{"efficientnetv2_rw_s", efficientNetV2RW(1792, efficientNetV2RWS, 1, 1).build, 288, 23_941_296, 4_862_701_312,
		Recipe{CropPct: 1, Interpolation: "bicubic", TestSize: 384}},
	{"efficientnetv2_s", efficientNetV2(swish, efficientNetV2S).build, 288, 21_458_488, 4_707_823_040,
		Recipe{CropPct: 1, Interpolation: "bicubic", TestSize: 384}},
	{"efficientnetv2_m", efficientNetV2(swish, efficientNetV2M).build, 320, 54_139_356, 10_931_712_384,
		Recipe{CropPct: 1, Interpolation: "bicubic", TestSize: 416}},
	{"efficientnetv2_l", efficientNetV2(swish, efficientNetV2L).build, 384, 118_515_272, 35_899_418_624,
		Recipe{CropPct: 1, Interpolation: "bicubic", TestSize: 480}},
	{"tf_efficientnetv2_s", efficientNetV2(swishTF, efficientNetV2S).build, 300, 21_458_488, 5_307_561_248, tfV2Test384},
	{"tf_efficientnetv2_m", efficientNetV2(swishTF, efficientNetV2M).build, 384, 54_139_356, 15_736_775_680, tfV2Test480},
	{"tf_efficientnetv2_l", efficientNetV2(swishTF, efficientNetV2L).build, 384, 118_515_272, 35_899_418_624, tfV2Test480},
	{"tv_efficientnet_v2_s", efficientNetV2(swishTV, efficientNetV2S).build, 384, 21_458_488, 8_365_617_152, Recipe{CropPct: 1}},
	{"tv_efficientnet_v2_m", efficientNetV2(swishTV, efficientNetV2M).build, 480, 54_139_356, 24_582_460_384, Recipe{CropPct: 1}},
	{"tv_efficientnet_v2_l", efficientNetV2(swishTV, efficientNetV2L).build, 480, 118_515_272, 56_079_699_008,
		Recipe{CropPct: 1, Interpolation: "bicubic", Mean: half, Std: half}},
},
	aliases: []alias{
		{"tv_efficientnet_v2_s", "efficientnet_v2_s"}, {"tv_efficientnet_v2_m", "efficientnet_v2_m"},
		{"tv_efficientnet_v2_l", "efficientnet_v2_l"},
	},
	renames: []renames{
		{[]string{"tv_efficientnet_v2_s"}, renamed("torchvision", func() []weights.Rename { return mbNetTorchvision(efficientNetV2S) })},
		{[]string{"tv_efficientnet_v2_m", "tv_efficientnet_v2_l"},
			renamed("torchvision", func() []weights.Rename { return mbNetTorchvision(efficientNetV2M) })},
	},
}

func efficientNetV2(m mobile, stages []mbStage) mbNet {
	return mbNet{mobile: m, stem: stages[0].c, stages: stages, head: 1280, width: 1, depth: 1}
}

func efficientNetV2RW(head int, stages []mbStage, width, depth float64) mbNet {
	return mbNet{mobile: swish, stem: 24, head: head, stages: stages, width: width, depth: depth}
}
