package zoo

import (
	"slices"

	"zoobench/zoo/nn"
)

// Small networks for images of 32×32 pixels and 100 classes, which two cores train in minutes to hours. Each group below is
// one paper's: its own form for CIFAR where it has one, else the network of its file with fewer channels and fewer halvings
// of the pixels. Networks that are to be compared differ in one thing: the groups say in which.
//
// Counts are this package's own, for 100 classes. Tests hold the functions that build the networks to the papers' figures
// for 10 classes, and the others' counts to sums by hand.
var pockets = slices.Concat(
	pocketFamily(2014, "arXiv:1404.5997", // a quarter of AlexNet's widths; pools that overlap or do not, activations
		row{"pocket_alexnet", pocketAlexNet(3, nn.ReLU), 32, 508_212, 15_049_728, pocketRecipe},
		row{"pocket_alexnet_pool2", pocketAlexNet(2, nn.ReLU), 32, 508_212, 15_049_728, pocketRecipe},
		row{"pocket_alexnet_sigmoid", pocketAlexNet(3, nn.Sigmoid), 32, 508_212, 15_049_728, pocketRecipe},
		row{"pocket_alexnet_pool2_sigmoid", pocketAlexNet(2, nn.Sigmoid), 32, 508_212, 15_049_728, pocketRecipe},
		row{"pocket_alexnet_silu", pocketAlexNet(3, nn.SiLU), 32, 508_212, 15_049_728, pocketRecipe},
	),
	pocketFamily(2014, "arXiv:1409.1556", // a quarter of VGG's widths, with batch norms; plain has none
		row{"pocket_vgg11", vgg{depths: [5]int{1, 1, 2, 2, 2}, norm: true, pocket: 16}.build, 32, 607_908, 9_908_736, pocketRecipe},
		row{"pocket_vgg11_plain", vgg{depths: [5]int{1, 1, 2, 2, 2}, pocket: 16}.build, 32, 606_532, 9_908_736, pocketRecipe},
		row{"pocket_vgg16", vgg{depths: [5]int{2, 2, 3, 3, 3}, norm: true, pocket: 16}.build, 32, 952_308, 19_935_744, pocketRecipe},
	),
	pocketFamily(2014, "arXiv:1412.6806", // All-CNN-C, table 1
		row{"pocket_allconv", allConv{96}.build, 32, 1_387_108, 282_279_936, pocketRecipe},
	),
	pocketFamily(2015, "arXiv:1512.03385", // section 4.2, with shortcuts of option A; plain has none
		row{"pocket_resnet8", pocketResNet(1, padded, nil), 32, 81_140, 12_245_248, pocketRecipe},
		row{"pocket_resnet14", pocketResNet(2, padded, nil), 32, 178_356, 26_401_024, pocketRecipe},
		row{"pocket_resnet20", pocketResNet(3, padded, nil), 32, 275_572, 40_556_800, pocketRecipe},
		row{"pocket_resnet32", pocketResNet(5, padded, nil), 32, 470_004, 68_868_352, pocketRecipe},
		row{"pocket_resnet44", pocketResNet(7, padded, nil), 32, 664_436, 97_179_904, pocketRecipe},
		row{"pocket_resnet56", pocketResNet(9, padded, nil), 32, 858_868, 125_491_456, pocketRecipe},
		row{"pocket_resnet110", pocketResNet(18, padded, nil), 32, 1_733_812, 252_893_440, pocketRecipe},
		row{"pocket_plain20", pocketResNet(3, none, nil), 32, 275_572, 40_556_800, pocketRecipe},
		row{"pocket_plain32", pocketResNet(5, none, nil), 32, 470_004, 68_868_352, pocketRecipe},
		row{"pocket_plain44", pocketResNet(7, none, nil), 32, 664_436, 97_179_904, pocketRecipe},
		row{"pocket_plain56", pocketResNet(9, none, nil), 32, 858_868, 125_491_456, pocketRecipe},
	),
	pocketFamily(2016, "arXiv:1602.07261", // an eighth of Inception-ResNet-v2's widths; the twin's modules have no sum
		row{"pocket_inception_resnet", pocketInception(false), 32, 313_356, 65_401_600, pocketRecipe},
		row{"pocket_inception", pocketInception(true), 32, 313_356, 65_401_600, pocketRecipe},
	),
	pocketFamily(2016, "arXiv:1603.05027", // figure 4e
		row{"pocket_preresnet20", resNetV2{depths: three(3), pocket: 16, skip: padded}.build, 32, 275_572, 40_556_800, pocketRecipe},
		row{"pocket_preresnet56", resNetV2{depths: three(9), pocket: 16, skip: padded}.build, 32, 858_868, 125_491_456, pocketRecipe},
		row{"pocket_preresnet110", resNetV2{depths: three(18), pocket: 16, skip: padded}.build, 32, 1_733_812, 252_893_440, pocketRecipe},
	),
	pocketFamily(2016, "arXiv:1603.05691", // perceptrons of 256 hidden units a layer, and one without any
		row{"pocket_linear", perceptron{}.build, 32, 307_300, 307_200, pocketRecipe},
		row{"pocket_mlp2", perceptron{256}.build, 32, 812_388, 812_032, pocketRecipe},
		row{"pocket_mlp4", perceptron{256, 256, 256}.build, 32, 943_972, 943_104, pocketRecipe},
	),
	pocketFamily(2016, "arXiv:1605.07146", // table 1, N = 2, k = 4
		row{"pocket_wrn16_4", resNetV2{depths: three(2), pocket: 16, wide: 4}.build, 32, 2_772_020, 392_635_392, pocketRecipe},
	),
	pocketFamily(2016, "arXiv:1608.06993", // section 4.2, L = 40, k = 12
		row{"pocket_densenet40", denseNet{stem: 16, growth: 12, depths: three(12), pocket: true}.build, 32, 1_060_132, 264_853_248, pocketRecipe},
	),
	pocketFamily(2016, "arXiv:1611.05431", // section 5.3 with a quarter of the widths: 8×16d, and one group at equal MACs
		row{"pocket_resnext29", resnet{depths: three(3), block: bottleneck{8, 16}, pocket: 16}.build, 32, 383_028, 56_697_856, pocketRecipe},
		row{"pocket_resnet29", resnet{depths: three(3), block: bottleneck{1, 72}, pocket: 16}.build, 32, 389_720, 55_292_928, pocketRecipe},
	),
	pocketFamily(2017, "arXiv:1704.04861", // pairs of depthwise and pointwise layers, and dense 3×3 at equal MACs
		row{"pocket_mobilenetv1", mobileNetV1{width: 0.5, keep: 2}.build, 32, 869_892, 45_357_056, pocketRecipe},
		row{"pocket_mobilenetv1_dense", mobileNetV1{width: 0.165, keep: 2, dense: true}.build, 32, 819_212, 46_686_624, pocketRecipe},
	),
	pocketFamily(2017, "arXiv:1709.01507",
		row{"pocket_seresnet20", pocketResNet(3, padded, se16), 32, 281_356, 40_562_176, pocketRecipe},
		row{"pocket_seresnet56", pocketResNet(9, padded, se16), 32, 876_220, 125_507_584, pocketRecipe},
	),
	pocketFamily(2018, "arXiv:1801.04381", // figure 3: inverted residuals, and classic ones at equal MACs
		row{"pocket_mobilenetv2", mobileNetV2{width: 0.35, keep: 2}.build, 32, 524_228, 15_726_336, pocketRecipe},
		row{"pocket_mobilenetv2_classic", mobileNetV2{width: 0.23, keep: 2, classic: true}.build, 32, 829_988, 15_823_360, pocketRecipe},
	),
	pocketFamily(2018, "arXiv:1807.06521",
		row{"pocket_cbamresnet20", pocketResNet(3, padded, cbam), 32, 282_256, 40_962_688, pocketRecipe},
		row{"pocket_cbamresnet56", pocketResNet(9, padded, cbam), 32, 878_920, 126_709_120, pocketRecipe},
	),
	pocketFamily(2018, "arXiv:1807.11164",
		row{"pocket_shufflenetv2", shuffleNetV2{stages: [3]int{48, 96, 192}, last: 256, pocket: true}.build,
			32, 218_500, 8_558_080, pocketRecipe},
	),
	pocketFamily(2019, "arXiv:1905.02244",
		row{"pocket_mobilenetv3", mobileNetV3{small: true, width: 0.5, keep: 2}.build, 32, 670_724, 6_623_232, pocketRecipe},
	),
	pocketFamily(2019, "arXiv:1905.11946", // one network, and four times as dear: by depth, width, size, and all three
		row{"pocket_efficientnet", pocketEfficientNet(0.21, 0.5), 32, 157_484, 5_416_096, pocketRecipe},
		row{"pocket_efficientnet_deep", pocketEfficientNet(0.21, 2.1), 32, 618_296, 21_826_528, pocketRecipe},
		row{"pocket_efficientnet_wide", pocketEfficientNet(0.53, 0.5), 32, 793_064, 21_649_440, pocketRecipe},
		row{"pocket_efficientnet_large", pocketEfficientNet(0.21, 0.5), 64, 157_484, 21_537_184, pocketRecipe},
		row{"pocket_efficientnet_compound", pocketEfficientNet(0.3, 0.7), 40, 379_658, 21_375_664, pocketRecipe},
	),
	pocketFamily(2020, "arXiv:2010.11929",
		row{"pocket_vit", vit{width: 96, depth: 6, heads: 3, patch: 4, size: 32}.build, 32, 691_972, 48_302_592, pocketRecipe},
	),
	pocketFamily(2021, "arXiv:2106.04803",
		row{"pocket_coatnet", coAtNet{coAtSize: coAtSize{16, 16, [4]int{1, 2, 3, 1}, nn.SiLU, false}, keep: 2}.build,
			32, 347_507, 21_103_104, pocketRecipe},
	),
)

// pocketRecipe takes pixels as they are, to −2 … 2.
var pocketRecipe = Recipe{CropPct: 1, Interpolation: "bicubic", Mean: half, Std: [3]float64{0.25, 0.25, 0.25}}

func pocketFamily(year int, paper string, rows ...row) []family {
	return []family{{name: "pocket", year: year, paper: paper, classes: 100, rows: rows}}
}
