package zoo

import (
	"fmt"

	"zoobench/zoo/weights"
)

// The tables from torchvision's parameter names to timm's, for the networks of mobile blocks and RegNet. torchvision
// numbers what timm names: features.0 is the stem, then come the blocks or the stages, then the last convolution.

// torchvision is the table of one block, a list of layers to torchvision.
func (b mbConv) torchvision(from, to string) []weights.Rename {
	var layers [][2]string
	switch b.kind {
	case inverted:
		layers = [][2]string{{"conv_pw", "bn1"}, {"conv_dw", "bn2"}, {"se"}, {"conv_pwl", "bn3"}}
	case separable:
		layers = [][2]string{{"conv_dw", "bn1"}, {"se"}, {"conv_pw", "bn2"}}
	case fused:
		layers = [][2]string{{"conv_exp", "bn1"}, {"conv_pwl", "bn2"}}
	case single:
		layers = [][2]string{{"conv", "bn1"}}
	}
	var rows []weights.Rename
	i := 0
	for _, names := range layers {
		at, first, second := fmt.Sprintf("%s%d.", from, i), "0.*", "1.*"
		if names[0] == "se" {
			if b.squeezed == 0 {
				continue
			}
			names, first, second = [2]string{"se.conv_reduce", "se.conv_expand"}, "fc1.*", "fc2.*"
		}
		rows = append(rows,
			weights.Rename{Old: at + first, New: to + names[0] + ".*"}, weights.Rename{Old: at + second, New: to + names[1] + ".*"})
		i++
	}
	return rows
}

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

func efficientNetTorchvision(stages []mbStage) []weights.Rename {
	last := fmt.Sprintf("features.%d.", len(stages)+1)
	rows := []weights.Rename{
		{Old: "features.0.0.*", New: "conv_stem.*"}, {Old: "features.0.1.*", New: "bn1.*"},
		{Old: last + "0.*", New: "conv_head.*"}, {Old: last + "1.*", New: "bn2.*"},
		{Old: "classifier.1.*", New: "classifier.*"},
	}
	for i, s := range stages {
		b := mbConv{kind: s.kind}
		if s.se {
			b.squeezed = 1
		}
		rows = append(rows, b.torchvision(fmt.Sprintf("features.%d.*.block.", i+1), fmt.Sprintf("blocks.%d.*.", i))...)
	}
	return rows
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

// torchvisionNames is the table of one RegNet: torchvision counts blocks from 0 where timm counts from 1, so that each
// needs rows of its own.
func (r regNet) torchvisionNames() []weights.Rename {
	rows := []weights.Rename{
		{Old: "stem.0.*", New: "stem.conv.*"}, {Old: "stem.1.*", New: "stem.bn.*"}, {Old: "fc.*", New: "head.fc.*"},
	}
	for i, s := range r.stages() {
		for j := range s.blocks {
			from, to := fmt.Sprintf("trunk_output.block%d.block%d-%d.", i+1, i+1, j), fmt.Sprintf("s%d.b%d.", i+1, j+1)
			names := [][2]string{{"f.a.", "conv1."}, {"f.b.", "conv2."}, {"f.c.", "conv3."}}
			if j == 0 {
				names = append(names, [2]string{"proj.", "downsample."})
			}
			for _, n := range names {
				rows = append(rows,
					weights.Rename{Old: from + n[0] + "0.*", New: to + n[1] + "conv.*"},
					weights.Rename{Old: from + n[0] + "1.*", New: to + n[1] + "bn.*"})
			}
			if r.se {
				rows = append(rows, weights.Rename{Old: from + "f.se.*.*", New: to + "se.*.*"})
			}
		}
	}
	return rows
}
