package zoo

import (
	"fmt"
	"slices"

	"zoobench/zoo/weights"
)

// What the blocks' layers are called.
var (
	kerasMobileNetV2Layers = kerasLayers{
		expand: "expand", expandNorm: "expand_BN", depthwise: "depthwise", norm: "depthwise_BN", project: "project", projectNorm: "project_BN",
	}
	kerasMobileNetV3Layers = kerasLayers{
		expand: "_expand", expandNorm: "_expand_bn", depthwise: "_depthwise", norm: "_depthwise_bn",
		squeeze: "_squeeze_excite_conv", excite: "_squeeze_excite_conv_1", project: "_project", projectNorm: "_project_bn",
	}
	kerasMobileNetV3First = kerasLayers{
		expand: "/expand", expandNorm: "/expand/BatchNorm", depthwise: "/depthwise", norm: "/depthwise/BatchNorm",
		squeeze: "/squeeze_excite/Conv", excite: "/squeeze_excite/Conv_1", project: "/project", projectNorm: "/project/BatchNorm",
	}
)

// kerasMobileNetNames number the pairs from 1 on.
func kerasMobileNetNames() weights.Table {
	return kerasTable(func() []weights.Rename {
		rows := slices.Concat(
			kerasRows("conv1_bn", "bn1", "norm"), kerasRows("conv1", "conv_stem", "kernel"), kerasDense("conv_preds", "classifier"))
		pair := 1
		for i, s := range mobileNetV1Stages {
			for j := range s.n {
				at := fmt.Sprintf("blocks.%d.%d.", i, j)
				rows = slices.Concat(rows,
					kerasRows(fmt.Sprintf("conv_dw_%d_bn", pair), at+"bn1", "norm"),
					kerasRows(fmt.Sprintf("conv_dw_%d", pair), at+"conv_dw", "depthwise_kernel"),
					kerasRows(fmt.Sprintf("conv_pw_%d_bn", pair), at+"bn2", "norm"),
					kerasRows(fmt.Sprintf("conv_pw_%d", pair), at+"conv_pw", "kernel"))
				pair++
			}
		}
		return rows
	})
}

// kerasMobileNetV2Names number the blocks; the first one has no expansion and a name of its own.
func kerasMobileNetV2Names(top string) weights.Table {
	return kerasTable(func() []weights.Rename {
		rows := slices.Concat(
			kerasRows("bn_Conv1", "bn1", "norm"), kerasRows("Conv1", "conv_stem", "kernel"),
			kerasRows("Conv_1_bn", "bn2", "norm"), kerasRows("Conv_1", "conv_head", "kernel"),
			kerasDense(top, "classifier"))
		block := 0
		for i, s := range mobileNetV2Stages {
			for j := range s.n {
				b := mbConv{}
				old := fmt.Sprintf("block_%d_", block)
				if s.t == 1 {
					b.kind, old = separable, "expanded_conv_"
				}
				rows = append(rows, b.keras(old, fmt.Sprintf("blocks.%d.%d.", i, j), kerasMobileNetV2Layers)...)
				block++
			}
		}
		return rows
	})
}

// kerasMobileNetV3Names number the blocks; the first one has no expansion and no number.
func kerasMobileNetV3Names(table []bneck, of ...string) []renames {
	spelt := func(conv, norm, top string, layers kerasLayers) weights.Table {
		return kerasTable(func() []weights.Rename {
			names := bneckNames(table)
			last := names[len(table)]
			rows := slices.Concat(
				kerasRows(conv+norm, "bn1", "norm"), kerasRows(conv, "conv_stem", "kernel"),
				kerasRows(conv+"_1"+norm, last+".bn1", "norm"), kerasRows(conv+"_1", last+".conv", "kernel"),
				kerasRows(conv+"_2", "conv_head", "kernel", "bias"), kerasDense(top, "classifier"))
			for i, r := range table {
				b, old := mbConv{}, fmt.Sprintf("expanded_conv_%d", i)
				if i == 0 {
					b.kind, old = separable, "expanded_conv"
				}
				if r.se {
					b.squeezed = 1
				}
				rows = append(rows, b.keras(old, names[i]+".", layers)...)
			}
			return rows
		})
	}
	return []renames{
		{of, spelt("conv", "_bn", "logits", kerasMobileNetV3Layers)},
		{of, kerasFirst(spelt("Conv", "/BatchNorm", "Logits", kerasMobileNetV3First))},
	}
}
