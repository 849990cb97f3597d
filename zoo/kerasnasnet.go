package zoo

import (
	"fmt"
	"slices"

	"zoobench/zoo/weights"
)

// The NASNets of arXiv:1707.07012 as Keras Applications has them.
//
// Where Keras differs from nasnetamobile of nasnet.go: windows with a stride have TensorFlow's "same" padding, of which a
// maximum may be a zero and by which an average divides too; there is no row and no column that is dropped.
//
// Where Keras differs from nasnetalarge: a zero of the padding may be a maximum.
//
// keras_nasnetlarge has no golden: its counts are this graph's.
var kerasNASNets = family{name: "keras_nasnet", year: 2017, paper: "arXiv:1707.07012", least: 32, rows: []row{
	{"keras_nasnetmobile", nasNet{stem: 32, normal: 4, features: 1056, end: 7, keras: true}.build, 224,
		5_289_978, 563_638_816, bilinearHalf},
	{"keras_nasnetlarge", nasNet{stem: 96, normal: 6, features: 4032, end: 11, tf: true, keras: true}.build, 331,
		88_753_150, 23_783_414_658, bilinearHalf},
}, renames: []renames{
	{[]string{"keras_nasnetmobile"}, kerasNASNetNames(4)},
	{[]string{"keras_nasnetlarge"}, kerasNASNetNames(6)},
}}

// kerasNASNetNames end with the cell's name: a normal cell's number, stem_1, reduce_4. The norm behind what comes from
// before is called the same whether that is halved or not.
func kerasNASNetNames(normal int) weights.Table {
	return kerasTable(func() []weights.Rename {
		rows := slices.Concat(
			kerasRows("stem_conv1", "conv0.conv", "kernel"), kerasRows("stem_bn1", "conv0.bn", "norm"),
			kerasDense("predictions", "last_linear"))
		n := nasNet{normal: normal, keras: true}.names()
		for _, cell := range []string{"stem_2", fmt.Sprint(n.first[0]), fmt.Sprint(n.first[1]), fmt.Sprint(n.first[2])} {
			rows = append(rows, kerasRows("adjust_bn_"+cell, "cell_"+cell+".final_path_bn", "norm")...)
		}
		rows = slices.Concat(rows,
			kerasRows("adjust_bn_*", "cell_*.conv_prev_1x1.bn", "norm"),
			kerasRows("adjust_conv_projection_*", "cell_*.conv_prev_1x1.conv", "kernel"),
			kerasRows("adjust_conv_1_*", "cell_*.path_1.conv", "kernel"), kerasRows("adjust_conv_2_*", "cell_*.path_2.conv", "kernel"))
		for _, kind := range []struct {
			name string
			at   map[string]string // operations of the cell's table
		}{
			{"normal", map[string]string{"left1": "0_left", "right1": "0_right", "left2": "1_left", "right2": "1_right", "left5": "4_left"}},
			{"reduction", map[string]string{"left1": "0_left", "right1": "0_right", "right2": "1_right", "right3": "2_right", "left4": "4_left"}},
		} {
			rows = append(rows, kerasRows(kind.name+"_bn_1_*", "cell_*.conv_1x1.bn", "norm")...)
			rows = append(rows, kerasRows(kind.name+"_conv_1_*", "cell_*.conv_1x1.conv", "kernel")...)
			for old, at := range kind.at {
				for i := 1; i <= 2; i++ {
					layer, scope := fmt.Sprintf("%s_%s_*", kind.name, old), fmt.Sprintf("cell_*.comb_iter_%s.", at)
					separable := fmt.Sprintf("%sseparable_%d.", scope, i)
					rows = append(rows, kerasRows(fmt.Sprintf("separable_conv_%d_bn_%s", i, layer), fmt.Sprintf("%sbn_sep_%d", scope, i), "norm")...)
					rows = append(rows, kerasSeparable(fmt.Sprintf("separable_conv_%d_%s", i, layer),
						separable+"depthwise_conv2d", separable+"pointwise_conv2d")...)
				}
			}
		}
		return rows
	})
}
