package zoo

import (
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019, arXiv:1905.11946, table 1;
// the factors of B1 to B7 and their sizes are the authors' release.
//
// As released: TensorFlow's networks (tf_) have its "same" padding and batch norms of epsilon 1e-3; timm's own train
// and test at other sizes than the paper's and have PyTorch's padding and 1e-5; torchvision's are timm's up to B4, from
// B5 on their epsilon is 1e-3 (tv_).
//
// efficientnet_b0, b1, b3, b4, tf_efficientnet_b0 and b7 (at 288 pixels) have goldens: the others' MACs are this
// graph's count; every parameter count is torchvision's.
var efficientNetB0 = []mbStage{
	//  kind   t  k  c   n  s  SE
	{separable, 1, 3, 16, 1, 1, true},
	{inverted, 6, 3, 24, 2, 2, true},
	{inverted, 6, 5, 40, 2, 2, true},
	{inverted, 6, 3, 80, 3, 2, true},
	{inverted, 6, 5, 112, 3, 1, true},
	{inverted, 6, 5, 192, 4, 2, true},
	{inverted, 6, 3, 320, 1, 1, true},
}

// bicubicTest288 is the recipe of some of timm's own.
var bicubicTest288 = Recipe{Interpolation: "bicubic", TestSize: 288, TestCropPct: 1}

// What the blocks have in common: of timm's and torchvision's networks, of torchvision's with epsilon 1e-3, of
// TensorFlow's.
var (
	swish   = mobile{act: nn.SiLU, squeeze: nn.SiLU, gate: nn.Sigmoid}
	swishTV = mobile{act: nn.SiLU, squeeze: nn.SiLU, gate: nn.Sigmoid, eps: 1e-3}
	slowTV  = mobile{act: nn.SiLU, squeeze: nn.SiLU, gate: nn.Sigmoid, eps: 1e-3, momentum: 0.01} // of its three largest
	swishTF = mobile{act: nn.SiLU, squeeze: nn.SiLU, gate: nn.Sigmoid, eps: 1e-3, same: true}
)

var efficientNets = family{name: "efficientnet", year: 2019, paper: "arXiv:1905.11946", rows: []row{
	//                          style  width depth      size  params  MACs
	{"efficientnet_b0", efficientNet(swish, 1, 1).build, 224, 5_288_548, 385_814_752, bicubic},
	{"efficientnet_b1", efficientNet(swish, 1, 1.1).build, 240, 7_794_184, 686_802_832,
		Recipe{CropPct: 0.9, Interpolation: "bicubic", Mean: half, Std: half, TestSize: 288, TestCropPct: 1}},
	{"efficientnet_b2", efficientNet(swish, 1.1, 1.2).build, 256, 9_109_994, 859_853_760, bicubicTest288},
	{"efficientnet_b3", efficientNet(swish, 1.2, 1.4).build, 288, 12_233_232, 1_589_198_096,
		Recipe{Interpolation: "bicubic", TestSize: 320, TestCropPct: 1}},
	{"efficientnet_b4", efficientNet(swish, 1.4, 1.8).build, 320, 19_341_616, 3_063_687_008,
		Recipe{Interpolation: "bicubic", TestSize: 384, TestCropPct: 1}},
	{"efficientnet_b5", efficientNet(swish, 1.6, 2.2).build, 448, 30_389_784, 9_404_374_080,
		Recipe{CropPct: 1, Interpolation: "bicubic", CropMode: "squash"}},
	{"efficientnet_b6", efficientNet(swish, 1.8, 2.6).build, 528, 43_040_704, 19_067_593_536,
		Recipe{CropPct: 0.942, Interpolation: "bicubic"}},
	{"efficientnet_b7", efficientNet(swish, 2, 3.1).build, 600, 66_347_960, 37_745_884_192, Recipe{CropPct: 0.949, Interpolation: "bicubic"}},

	{"tv_efficientnet_b5", efficientNet(slowTV, 1.6, 2.2).build, 456, 30_389_784, 10_266_384_752, bicubic100},
	{"tv_efficientnet_b6", efficientNet(slowTV, 1.8, 2.6).build, 528, 43_040_704, 19_067_593_536, bicubic100},
	{"tv_efficientnet_b7", efficientNet(slowTV, 2, 3.1).build, 600, 66_347_960, 37_745_884_192, bicubic100},

	{"tf_efficientnet_b0", efficientNet(swishTF, 1, 1).build, 224, 5_288_548, 385_814_752, bicubic},
	{"tf_efficientnet_b1", efficientNet(swishTF, 1, 1.1).build, 240, 7_794_184, 686_802_832, Recipe{CropPct: 0.882, Interpolation: "bicubic"}},
	{"tf_efficientnet_b2", efficientNet(swishTF, 1.1, 1.2).build, 260, 9_109_994, 993_561_872,
		Recipe{CropPct: 0.89, Interpolation: "bicubic"}},
	{"tf_efficientnet_b3", efficientNet(swishTF, 1.2, 1.4).build, 300, 12_233_232, 1_827_141_392,
		Recipe{CropPct: 0.904, Interpolation: "bicubic"}},
	{"tf_efficientnet_b4", efficientNet(swishTF, 1.4, 1.8).build, 380, 19_341_616, 4_393_771_024,
		Recipe{CropPct: 0.922, Interpolation: "bicubic"}},
	{"tf_efficientnet_b5", efficientNet(swishTF, 1.6, 2.2).build, 456, 30_389_784, 10_266_384_752,
		Recipe{CropPct: 0.934, Interpolation: "bicubic"}},
	{"tf_efficientnet_b6", efficientNet(swishTF, 1.8, 2.6).build, 528, 43_040_704, 19_067_593_536,
		Recipe{CropPct: 0.942, Interpolation: "bicubic"}},
	{"tf_efficientnet_b7", efficientNet(swishTF, 2, 3.1).build, 600, 66_347_960, 37_745_884_192,
		Recipe{CropPct: 0.949, Interpolation: "bicubic"}},
},
	renames: []renames{{
		[]string{
			"efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4",
			"tv_efficientnet_b5", "tv_efficientnet_b6", "tv_efficientnet_b7",
		},
		renamed("torchvision", func() []weights.Rename { return mbNetTorchvision(efficientNetB0) }),
	}},
}

func efficientNet(m mobile, width, depth float64) mbNet {
	return mbNet{
		mobile: m, stem: round8(32*width, 0.9), stages: efficientNetB0, head: round8(1280*width, 0.9),
		width: width, depth: depth,
	}
}
