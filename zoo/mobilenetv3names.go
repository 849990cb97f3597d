package zoo

import (
	"fmt"

	"zoobench/zoo/weights"
)

// bneckNames are timm's names of the rows and of the convolution behind them: a stage is the rows of equal output.
func bneckNames(rows []bneck) []string {
	var names []string
	stage, layer := 0, 0
	for i, r := range rows {
		if i > 0 && r.out != rows[i-1].out {
			stage, layer = stage+1, 0
		}
		names = append(names, fmt.Sprintf("blocks.%d.%d", stage, layer))
		layer++
	}
	return append(names, fmt.Sprintf("blocks.%d.0", stage+1))
}

// mobileNetV3Torchvision is the table from torchvision's names: features.0 is the stem, then come the rows and the last
// convolution.
func mobileNetV3Torchvision(rows []bneck) []weights.Rename {
	names := bneckNames(rows)
	last := fmt.Sprintf("features.%d.", len(names))
	table := []weights.Rename{
		{Old: "features.0.0.*", New: "conv_stem.*"}, {Old: "features.0.1.*", New: "bn1.*"},
		{Old: last + "0.*", New: names[len(rows)] + ".conv.*"}, {Old: last + "1.*", New: names[len(rows)] + ".bn1.*"},
		{Old: "classifier.0.*", New: "conv_head.*", Reshape: true}, {Old: "classifier.3.*", New: "classifier.*"},
	}
	in := 16
	for i, r := range rows {
		b := mbConv{}
		if r.exp == in {
			b.kind = separable
		}
		if r.se {
			b.squeezed = 1
		}
		table = append(table, b.torchvision(fmt.Sprintf("features.%d.block.", i+1), names[i]+".")...)
		in = r.out
	}
	return table
}
