package zoo

import (
	"fmt"
	"slices"

	"zoobench/zoo/weights"
)

// The DenseNets of arXiv:1608.06993 and the ConvNeXts of arXiv:2201.03545 as Keras Applications has them.
//
// Where Keras differs from densenet121 of densenet.go: batch norms have epsilon 1.001e-5.
//
// Where Keras differs from convnext_tiny of convnext.go: images are from 0 to 255, the network itself standardises them.
//
// keras_densenet169 and keras_convnextsmall and larger ones have no golden: their MACs are this graph's count.
var kerasDenseNets = family{name: "keras_densenet", year: 2016, paper: "arXiv:1608.06993", least: 32, rows: []row{
	//                         layers of blocks 1 … 4                     params      MACs
	{"keras_densenet121", kerasDenseNet(6, 12, 24, 16).build, 224, 7_978_856, 2_834_161_664, plain},
	{"keras_densenet169", kerasDenseNet(6, 12, 32, 32).build, 224, 14_149_480, 3_359_843_328, plain},
	{"keras_densenet201", kerasDenseNet(6, 12, 48, 32).build, 224, 20_013_928, 4_291_365_888, plain},
}, renames: []renames{
	{table: kerasDenseNetNames("conv1_conv", "conv1_bn", "predictions")},
	{table: kerasFirst(kerasDenseNetNames("conv1/conv", "conv1/bn", "fc1000"))},
}}

func kerasDenseNet(depths ...int) denseNet {
	return denseNet{stem: 64, growth: 32, depths: [4]int(depths), keras: true}
}

// kerasDenseNetNames call block 1 conv2, and what follows it pool2.
func kerasDenseNetNames(stem, norm, top string) weights.Table {
	return kerasTable(func() []weights.Rename {
		rows := slices.Concat(kerasDense(top, "classifier"), kerasRows("bn", "features.norm5", "norm"),
			kerasRows(stem, "features.conv0", "kernel"), kerasRows(norm, "features.norm0", "norm"))
		for i := 1; i <= 4; i++ {
			old, layer := fmt.Sprintf("conv%d_block*_", i+1), fmt.Sprintf("features.denseblock%d.denselayer*.", i)
			rows = append(rows, kerasRows(old+"0_bn", layer+"norm1", "norm")...)
			rows = append(rows, kerasRows(old+"1_conv", layer+"conv1", "kernel")...)
			rows = append(rows, kerasRows(old+"1_bn", layer+"norm2", "norm")...)
			rows = append(rows, kerasRows(old+"2_conv", layer+"conv2", "kernel")...)
			if i < 4 {
				old, transition := fmt.Sprintf("pool%d_", i+1), fmt.Sprintf("features.transition%d.", i)
				rows = append(rows, kerasRows(old+"bn", transition+"norm", "norm")...)
				rows = append(rows, kerasRows(old+"conv", transition+"conv", "kernel")...)
			}
		}
		return rows
	})
}

var kerasConvNeXts = family{name: "keras_convnext", year: 2022, paper: "arXiv:2201.03545", least: 32, rows: []row{
	//                           blocks                     channels       params       MACs
	{"keras_convnexttiny", kerasConvNeXt([4]int{3, 3, 9, 3}, 96).build, 224, 28_589_128, 4_455_531_264, kerasBytes},
	{"keras_convnextsmall", kerasConvNeXt([4]int{3, 3, 27, 3}, 96).build, 224, 50_223_688, 8_683_712_256, kerasBytes},
	{"keras_convnextbase", kerasConvNeXt([4]int{3, 3, 27, 3}, 128).build, 224, 88_591_464, 15_354_729_472, kerasBytes},
	{"keras_convnextlarge", kerasConvNeXt([4]int{3, 3, 27, 3}, 192).build, 224, 197_767_336, 34_361_433_600, kerasBytes},
	{"keras_convnextxlarge", kerasConvNeXt([4]int{3, 3, 27, 3}, 256).build, 224, 350_196_968, 60_921_030_656, kerasBytes},
}, renames: []renames{
	{[]string{"keras_convnexttiny"}, kerasConvNeXtNames("convnext_tiny")},
	{[]string{"keras_convnextsmall"}, kerasConvNeXtNames("convnext_small")},
	{[]string{"keras_convnextbase"}, kerasConvNeXtNames("convnext_base")},
	{[]string{"keras_convnextlarge"}, kerasConvNeXtNames("convnext_large")},
	{[]string{"keras_convnextxlarge"}, kerasConvNeXtNames("convnext_xlarge")},
}}

func kerasConvNeXt(depths [4]int, width int) convNeXt {
	return convNeXt{depths: depths, width: width, front: kerasImageNet}
}

// kerasConvNeXtNames begin with the network's.
func kerasConvNeXtNames(network string) weights.Table {
	return kerasTable(func() []weights.Rename {
		layer, block := network+"_stage_*_block_*_", "stages.*.blocks.*."
		rows := slices.Concat(
			kerasRows(network+"_stem_conv", "stem.0", "kernel", "bias"), kerasRows(network+"_stem_layernorm", "stem.1", "layernorm"),
			kerasRows(network+"_head_layernorm", "head.norm", "layernorm"), kerasDense(network+"_head_dense", "head.fc"),
			kerasRows(layer+"depthwise_conv", block+"conv_dw", "kernel", "bias"),
			kerasRows(layer+"layernorm", block+"norm", "layernorm"),
			kerasRows(layer+"pointwise_conv_1", block+"mlp.fc1", "kernel", "bias"),
			kerasRows(layer+"pointwise_conv_2", block+"mlp.fc2", "kernel", "bias"),
			[]weights.Rename{{Old: layer + "layer_scale/*", New: block + "gamma"}})
		for i := range 3 {
			down := fmt.Sprintf("stages.%d.downsample.", i+1)
			rows = append(rows, kerasRows(fmt.Sprintf("%s_downsampling_layernorm_%d", network, i), down+"0", "layernorm")...)
			rows = append(rows, kerasRows(fmt.Sprintf("%s_downsampling_conv_%d", network, i), down+"1", "kernel", "bias")...)
		}
		return rows
	})
}
