package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Tan, Chen, Pang, Vasudevan, Sandler, Howard, Le: MnasNet: Platform-Aware Neural Architecture Search for Mobile, 2018,
// arXiv:1807.11626, figure 7 (A1, timm's semnasnet) and the authors' release (B1, without squeeze and excitation, and
// small).
//
// As released: the last convolution has 1280 channels at every width. mnasnet1_3 is torchvision's alone.
//
// Only mnasnet_100 has a golden: the others' MACs are this graph's count, their parameters torchvision's (050, 075,
// 1_3) or timm's to the digits given.
var mnasNetA1 = []mbStage{
	//  kind   t  k  c   n  s  SE
	{separable, 1, 3, 16, 1, 1, false},
	{inverted, 6, 3, 24, 2, 2, false},
	{inverted, 3, 5, 40, 3, 2, true},
	{inverted, 6, 3, 80, 4, 2, false},
	{inverted, 6, 3, 112, 2, 1, true},
	{inverted, 6, 5, 160, 3, 2, true},
	{inverted, 6, 3, 320, 1, 1, false},
}

var mnasNetB1 = []mbStage{
	{separable, 1, 3, 16, 1, 1, false},
	{inverted, 3, 3, 24, 3, 2, false},
	{inverted, 3, 5, 40, 3, 2, false},
	{inverted, 6, 5, 80, 3, 2, false},
	{inverted, 6, 3, 96, 2, 1, false},
	{inverted, 6, 5, 192, 4, 2, false},
	{inverted, 6, 3, 320, 1, 1, false},
}

var mnasNetSmall = []mbStage{
	{separable, 1, 3, 8, 1, 1, false},
	{inverted, 3, 3, 16, 1, 2, false},
	{inverted, 6, 3, 16, 2, 2, false},
	{inverted, 6, 5, 32, 4, 2, true},
	{inverted, 6, 3, 32, 3, 1, true},
	{inverted, 6, 5, 88, 3, 2, true},
	{inverted, 6, 3, 144, 1, 1, false},
}

var mnasNets = family{name: "mnasnet", year: 2018, paper: "arXiv:1807.11626", rows: []row{
	{"mnasnet_050", mnasNet(mnasNetB1, 32, 0.5).build, 224, 2_218_512, 104_455_968, bicubic},
	{"mnasnet_075", mnasNet(mnasNetB1, 32, 0.75).build, 224, 3_170_208, 215_493_104, bicubic},
	{"mnasnet_100", mnasNet(mnasNetB1, 32, 1).build, 224, 4_383_312, 314_415_872, bicubic},
	{"mnasnet1_3", mnasNet(mnasNetB1, 32, 1.3).build, 224, 6_282_256, 526_362_432, Recipe{CropPct: 0.9655, Resize: 232}},
	{"mnasnet_140", mnasNet(mnasNetB1, 32, 1.4).build, 224, 7_115_728, 588_799_408, bicubic},
	{"semnasnet_050", mnasNet(mnasNetA1, 32, 0.5).build, 224, 2_082_006, 103_162_992, bicubic},
	{"semnasnet_075", mnasNet(mnasNetA1, 32, 0.75).build, 224, 2_912_278, 223_448_480, bicubic},
	{"semnasnet_100", mnasNet(mnasNetA1, 32, 1).build, 224, 3_887_038, 311_579_072, bicubic},
	{"semnasnet_140", mnasNet(mnasNetA1, 32, 1.4).build, 224, 6_105_992, 586_317_952, bicubic},
	{"mnasnet_small", mnasNet(mnasNetSmall, 8, 1).build, 224, 2_030_264, 68_339_184, bicubic},
},
	aliases: []alias{{"mnasnet_050", "mnasnet0_5"}, {"mnasnet_075", "mnasnet0_75"}, {"mnasnet_100", "mnasnet1_0"}},
	renames: []renames{{
		[]string{"mnasnet_050", "mnasnet_075", "mnasnet_100", "mnasnet1_3"},
		renamed("torchvision", mnasNetTorchvision),
	}},
}

func mnasNet(stages []mbStage, stem int, width float64) mbNet {
	return mbNet{
		mobile: mobile{act: nn.ReLU, squeeze: nn.ReLU, gate: nn.Sigmoid},
		stem:   round8(float64(stem)*width, 0.9), stages: stages, head: 1280, width: width,
	}
}

// mnasNetTorchvision's torchvision has a flat list of layers in which a stage counts as one.
func mnasNetTorchvision() []weights.Rename {
	rows := []weights.Rename{
		{Old: "layers.0.*", New: "conv_stem.*"}, {Old: "layers.1.*", New: "bn1.*"},
		{Old: "layers.14.*", New: "conv_head.*"}, {Old: "layers.15.*", New: "bn2.*"},
		{Old: "classifier.1.*", New: "classifier.*"},
	}
	for i, name := range []string{"conv_dw", "bn1", "", "conv_pw", "bn2"} {
		if name != "" {
			rows = append(rows, weights.Rename{Old: fmt.Sprintf("layers.%d.*", i+3), New: "blocks.0.0." + name + ".*"})
		}
	}
	for stage := 1; stage < len(mnasNetB1); stage++ {
		for i, name := range []string{"conv_pw", "bn1", "", "conv_dw", "bn2", "", "conv_pwl", "bn3"} {
			if name != "" {
				rows = append(rows, weights.Rename{
					Old: fmt.Sprintf("layers.%d.*.layers.%d.*", stage+7, i), New: fmt.Sprintf("blocks.%d.*.%s.*", stage, name),
				})
			}
		}
	}
	return rows
}
