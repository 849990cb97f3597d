package zoo

import (
	"fmt"
	"slices"

	"zoobench/zoo/weights"
)

// The Inceptions of arXiv:1512.00567, arXiv:1602.07261 and arXiv:1610.02357 as Keras Applications has them.
//
// Where Keras differs from inception_v3 of inceptionv3.go: batch norms have no weight, and average pools leave padding out
// of their divisor. Where it differs from inception_resnet_v2 of inceptionresnet.go: batch norms have no weight.
//
// Where Keras differs from legacy_xception of xception.go: pools have TensorFlow's "same" padding, batch norms epsilon
// 1e-3.
//
// Their convolutions and norms have no names of their own but numbers, in the order in which Keras makes them, which is
// that of the tables: conv2d, conv2d_1, batch_normalization, batch_normalization_1.
var kerasInceptionV3s = family{name: "keras_inception_v3", year: 2015, paper: "arXiv:1512.00567", least: 75, rows: []row{
	{"keras_inceptionv3", inceptionV3{keras: true}.build, 299, 23_817_352, 5_713_216_096, bilinearHalf},
}, renames: []renames{{table: kerasInceptionV3Names()}}}

var kerasInceptionResNets = family{name: "keras_inception_resnet", year: 2016, paper: "arXiv:1602.07261", least: 75, rows: []row{
	{"keras_inceptionresnetv2",
		inceptionResNet{stem: inceptionResNetStem, rows: inceptionResNetRows, last: 1536, conv: shiftingConv}.build,
		299, 55_813_192, 13_155_794_016, bilinearHalf},
}, renames: []renames{{table: kerasInceptionResNetNames()}}}

var kerasXceptions = family{name: "keras_xception", year: 2016, paper: "arXiv:1610.02357", least: 71, rows: []row{
	{"keras_xception", xception{keras: true}.build, 299, 22_855_952, 8_357_403_496, bilinearHalf},
}, renames: []renames{{table: kerasXceptionNames()}}}

// A kerasNumbers hands out the names of layers that have none of their own.
type kerasNumbers int

func (n *kerasNumbers) convs(names []string, scope string) (rows []weights.Rename) {
	for _, name := range names {
		rows = append(rows, kerasRows(kerasNumbered("conv2d", int(*n)), scope+name+".conv", "kernel")...)
		rows = append(rows, kerasRows(kerasNumbered("batch_normalization", int(*n)), scope+name+".bn", "shift")...)
		*n++
	}
	return rows
}

// kerasNumbered is the name of a class's layer number n: the first one has no number.
func kerasNumbered(class string, n int) string {
	if n == 0 {
		return class
	}
	return fmt.Sprintf("%s_%d", class, n)
}

func kerasInceptionV3Names() weights.Table {
	return kerasTable(func() []weights.Rename {
		var n kerasNumbers
		rows := append(kerasDense("predictions", "fc"), n.convs(branches{inceptionV3Stem}.convs(), "")...)
		for _, r := range inceptionV3Rows {
			rows = append(rows, n.convs(r.m.convs(), r.name+".")...)
		}
		return rows
	})
}

// kerasInceptionResNetNames has names for what brings a residual back to its input's channels, and for the last
// convolution.
func kerasInceptionResNetNames() weights.Table {
	return kerasTable(func() []weights.Rename {
		var n kerasNumbers
		rows := append(kerasDense("predictions", "classif"), n.convs(branches{inceptionResNetStem}.convs(), "")...)
		for _, r := range inceptionResNetRows {
			if r.times == 0 {
				rows = append(rows, n.convs(r.m.convs(), r.name+".")...)
			}
			for i := range r.times {
				rows = append(rows, n.convs(r.m.convs(), fmt.Sprintf("%s.%d.", r.name, i))...)
				block := map[string]string{"repeat": "block35", "repeat_1": "block17", "repeat_2": "block8"}[r.name]
				rows = append(rows, kerasRows(fmt.Sprintf("%s_%d_conv", block, i+1), fmt.Sprintf("%s.%d.conv2d", r.name, i), "kernel", "bias")...)
			}
		}
		return slices.Concat(rows, kerasRows("block8_10_conv", "block8.conv2d", "kernel", "bias"),
			kerasRows("conv_7b", "conv2d_7b.conv", "kernel"), kerasRows("conv_7b_bn", "conv2d_7b.bn", "shift"))
	})
}

// kerasXceptionNames has numbers for the residuals' convolutions alone.
func kerasXceptionNames() weights.Table {
	return kerasTable(func() []weights.Rename {
		separable := func(old, conv, norm string) []weights.Rename {
			return append(kerasRows(old+"_bn", norm, "norm"), kerasSeparable(old, conv+".conv1", conv+".pointwise")...)
		}
		rows := kerasDense("predictions", "fc")
		for i, old := range []string{"block1_conv1", "block1_conv2"} {
			rows = append(rows, kerasRows(old, fmt.Sprintf("conv%d", i+1), "kernel")...)
			rows = append(rows, kerasRows(old+"_bn", fmt.Sprintf("bn%d", i+1), "norm")...)
		}
		pools := 0
		for i, b := range xceptionBlocks {
			at, layer := fmt.Sprintf("block%d.", i+1), 0
			for j := range b.out {
				if i > 0 || j > 0 {
					layer++
				}
				rows = append(rows, separable(fmt.Sprintf("block%d_sepconv%d", i+2, j+1),
					fmt.Sprintf("%srep.%d", at, layer), fmt.Sprintf("%srep.%d", at, layer+1))...)
				layer += 2
			}
			if b.pool {
				rows = append(rows, kerasRows(kerasNumbered("conv2d", pools), at+"skip", "kernel")...)
				rows = append(rows, kerasRows(kerasNumbered("batch_normalization", pools), at+"skipbn", "norm")...)
				pools++
			}
		}
		return slices.Concat(rows, separable("block14_sepconv1", "conv3", "bn3"), separable("block14_sepconv2", "conv4", "bn4"))
	})
}
